"""Methods that clients of 0.169 call, and that 0.118 does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from codex_hookspecs import frozen

if TYPE_CHECKING:
    from codex_hookspecs.surface import RpcContext


@frozen
class PluginInstalledParams:
    """Parameters of ``plugin/installed``, of which none matters here."""


@frozen
class PluginInstalledResponse:
    """Result of ``plugin/installed``."""

    marketplaces: tuple[Any, ...] = ()
    marketplace_load_errors: tuple[Any, ...] = ()


@frozen
class CheckGovCloudParams:
    """Parameters of ``account/bedrock/checkGovCloudRequirements``."""


@frozen
class CheckGovCloudResponse:
    """Result of ``account/bedrock/checkGovCloudRequirements``."""

    is_gov_cloud: bool = False
    should_warn: bool = False


async def list_installed_plugins(_params: PluginInstalledParams, _context: RpcContext) -> PluginInstalledResponse:
    """List the marketplaces with the bundles that are installed: there are none."""
    return PluginInstalledResponse()


async def check_gov_cloud(_params: CheckGovCloudParams, _context: RpcContext) -> CheckGovCloudResponse:
    """Tell whether models are used through a government cloud: they are not."""
    return CheckGovCloudResponse()
