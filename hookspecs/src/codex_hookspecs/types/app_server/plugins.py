"""Plugins of marketplaces (app-server protocol v2, 0.118)."""

from __future__ import annotations

from typing import ClassVar, Literal, TypeAlias

from codex_hookspecs.types.app_server.apps import AppSummary
from codex_hookspecs.types.app_server.skills import SkillSummary
from codex_hookspecs.types.json import AbsolutePathBuf
from codex_hookspecs.values import frozen


@frozen(kw_only=True)
class PluginListParams:
    """Parameters of ``plugin/list``."""

    cwds: list[AbsolutePathBuf] | None = None
    force_remote_sync: bool = False


@frozen(kw_only=True)
class PluginReadParams:
    """Parameters of ``plugin/read``."""

    marketplace_path: AbsolutePathBuf
    plugin_name: str


@frozen(kw_only=True)
class PluginInstallParams:
    """Parameters of ``plugin/install``."""

    marketplace_path: AbsolutePathBuf
    plugin_name: str
    force_remote_sync: bool = False


@frozen(kw_only=True)
class PluginUninstallParams:
    """Parameters of ``plugin/uninstall``."""

    plugin_id: str
    force_remote_sync: bool = False


@frozen
class MarketplaceInterface:
    """How a marketplace presents itself."""

    display_name: str | None = None


@frozen(kw_only=True)
class MarketplaceLoadErrorInfo:
    """A marketplace that could not be read."""

    marketplace_path: AbsolutePathBuf
    message: str


PluginAuthPolicy = Literal["ON_INSTALL", "ON_USE"]
"""When a plugin wants its apps connected."""

PluginInstallPolicy = Literal["NOT_AVAILABLE", "AVAILABLE", "INSTALLED_BY_DEFAULT"]
"""Whether a plugin can be installed."""


@frozen(kw_only=True)
class PluginInterface:
    """How a plugin presents itself."""

    capabilities: tuple[str, ...]
    screenshots: tuple[AbsolutePathBuf, ...]
    brand_color: str | None = None
    category: str | None = None
    composer_icon: AbsolutePathBuf | None = None
    default_prompt: tuple[str, ...] | None = None
    developer_name: str | None = None
    display_name: str | None = None
    logo: AbsolutePathBuf | None = None
    long_description: str | None = None
    privacy_policy_url: str | None = None
    short_description: str | None = None
    terms_of_service_url: str | None = None
    website_url: str | None = None


@frozen
class LocalPluginSource:
    """A directory of this machine."""

    TYPE: ClassVar[str] = "local"
    path: AbsolutePathBuf


PluginSource: TypeAlias = LocalPluginSource
"""Where a plugin comes from."""


@frozen(kw_only=True)
class PluginSummary:
    """A plugin of a marketplace."""

    auth_policy: PluginAuthPolicy
    enabled: bool
    id: str
    install_policy: PluginInstallPolicy
    installed: bool
    name: str
    source: PluginSource
    interface: PluginInterface | None = None


@frozen(kw_only=True)
class PluginMarketplaceEntry:
    """A marketplace and its plugins."""

    name: str
    path: AbsolutePathBuf
    plugins: tuple[PluginSummary, ...]
    interface: MarketplaceInterface | None = None


@frozen(kw_only=True)
class PluginListResponse:
    """Result of ``plugin/list``."""

    marketplaces: tuple[PluginMarketplaceEntry, ...]
    featured_plugin_ids: tuple[str, ...] = ()
    marketplace_load_errors: tuple[MarketplaceLoadErrorInfo, ...] = ()
    remote_sync_error: str | None = None


@frozen(kw_only=True)
class PluginDetail:
    """A plugin with what it brings."""

    apps: tuple[AppSummary, ...]
    marketplace_name: str
    marketplace_path: AbsolutePathBuf
    mcp_servers: tuple[str, ...]
    skills: tuple[SkillSummary, ...]
    summary: PluginSummary
    description: str | None = None


@frozen
class PluginReadResponse:
    """Result of ``plugin/read``."""

    plugin: PluginDetail


@frozen(kw_only=True)
class PluginInstallResponse:
    """Result of ``plugin/install``."""

    apps_needing_auth: tuple[AppSummary, ...]
    auth_policy: PluginAuthPolicy


@frozen
class PluginUninstallResponse:
    """Result of ``plugin/uninstall``."""
