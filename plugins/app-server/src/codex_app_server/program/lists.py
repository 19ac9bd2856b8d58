"""Lists of what this version does not have any of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_app_server.paging import paginate
from codex_app_server.program.unavailable import refusal
from codex_hookspecs.protocol import (
    AppsListResponse,
    ExternalAgentConfigDetectResponse,
    ExternalAgentConfigImportResponse,
    ListMcpServerStatusResponse,
    McpServerRefreshResponse,
    McpServerStatus,
    PluginListResponse,
    SkillsListEntry,
    SkillsListResponse,
)

if TYPE_CHECKING:
    from codex_hookspecs.protocol import (
        AppsListParams,
        ExternalAgentConfigDetectParams,
        ExternalAgentConfigImportParams,
        ListMcpServerStatusParams,
        PluginListParams,
        SkillsListParams,
    )
    from codex_hookspecs.surface import RpcContext


async def list_skills(params: SkillsListParams, context: RpcContext) -> SkillsListResponse:
    """List the skills of each directory."""
    cwds = params.cwds or (context.host.cwd,)
    return SkillsListResponse(tuple(SkillsListEntry(cwd=cwd, errors=(), skills=()) for cwd in cwds))


async def list_plugins(_params: PluginListParams, _context: RpcContext) -> PluginListResponse:
    """List the marketplaces and their bundles of skills, servers and hooks."""
    return PluginListResponse(marketplaces=())


async def list_apps(_params: AppsListParams, _context: RpcContext) -> AppsListResponse:
    """List the apps; a cursor makes no difference."""
    return AppsListResponse(data=())


async def list_mcp_servers(params: ListMcpServerStatusParams, _context: RpcContext) -> ListMcpServerStatusResponse:
    """List the MCP servers that are running."""
    running: tuple[McpServerStatus, ...] = ()
    page = paginate(running, params.cursor, params.limit, what="MCP servers")
    return ListMcpServerStatusResponse(data=page.entries, next_cursor=page.next_cursor)


async def reload_mcp_servers(_params: None, _context: RpcContext) -> McpServerRefreshResponse:
    """Start the configured MCP servers again; there is nothing that runs them."""
    return McpServerRefreshResponse()


async def detect_external_agents(
    _params: ExternalAgentConfigDetectParams, _context: RpcContext
) -> ExternalAgentConfigDetectResponse:
    """List what can be imported from other agents."""
    return ExternalAgentConfigDetectResponse(items=())


async def import_external_agents(
    params: ExternalAgentConfigImportParams, _context: RpcContext
) -> ExternalAgentConfigImportResponse:
    """Import what was detected."""
    if params.migration_items:
        raise refusal("externalAgentConfig/import", "import from other agents")
    return ExternalAgentConfigImportResponse()
