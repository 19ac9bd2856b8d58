"""Configuration of other agents (app-server protocol v2, 0.118)."""

from __future__ import annotations

from typing import Literal

from codex_hookspecs.values import frozen


@frozen(kw_only=True)
class ExternalAgentConfigDetectParams:
    """Parameters of ``externalAgentConfig/detect``."""

    cwds: list[str] | None = None
    include_home: bool = False


ExternalAgentConfigMigrationItemType = Literal["AGENTS_MD", "CONFIG", "SKILLS", "MCP_SERVER_CONFIG"]
"""Kind of what can be imported."""


@frozen(kw_only=True)
class ExternalAgentConfigMigrationItem:
    """Something of another agent that can be imported."""

    description: str
    item_type: ExternalAgentConfigMigrationItemType
    cwd: str | None = None


@frozen
class ExternalAgentConfigImportParams:
    """Parameters of ``externalAgentConfig/import``."""

    migration_items: list[ExternalAgentConfigMigrationItem]


@frozen
class ExternalAgentConfigDetectResponse:
    """Result of ``externalAgentConfig/detect``."""

    items: tuple[ExternalAgentConfigMigrationItem, ...]


@frozen
class ExternalAgentConfigImportResponse:
    """Result of ``externalAgentConfig/import``."""
