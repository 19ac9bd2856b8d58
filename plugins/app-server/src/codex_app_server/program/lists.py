"""Lists of what this version does not have any of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from codex_app_server.paging import paginate
from codex_app_server.program.unavailable import refusal

if TYPE_CHECKING:
    from codex_hookspecs.protocol import (
        ExternalAgentConfigImportParams,
        JsonObject,
        ListMcpServerStatusParams,
        SkillsListParams,
    )
    from codex_hookspecs.surface import RpcContext


async def list_skills(params: SkillsListParams, context: RpcContext) -> JsonObject:
    """List the skills of each directory."""
    return {"data": [{"cwd": cwd, "skills": [], "errors": []} for cwd in params.cwds or [context.host.cwd]]}


async def list_plugins(_params: Any, _context: RpcContext) -> JsonObject:
    """List the marketplaces and their bundles of skills, servers and hooks."""
    return {"marketplaces": [], "marketplaceLoadErrors": [], "remoteSyncError": None, "featuredPluginIds": []}


async def list_apps(_params: Any, _context: RpcContext) -> JsonObject:
    """List the apps; a cursor makes no difference."""
    return {"data": [], "nextCursor": None}


async def list_mcp_servers(params: ListMcpServerStatusParams, _context: RpcContext) -> JsonObject:
    """List the MCP servers that are running."""
    return paginate([], params.cursor, params.limit, what="MCP servers")


async def reload_mcp_servers(_params: None, _context: RpcContext) -> JsonObject:
    """Start the configured MCP servers again; there is nothing that runs them."""
    return {}


async def detect_external_agents(_params: Any, _context: RpcContext) -> JsonObject:
    """List what can be imported from other agents."""
    return {"items": []}


async def import_external_agents(params: ExternalAgentConfigImportParams, _context: RpcContext) -> JsonObject:
    """Import what was detected."""
    if params.migration_items:
        raise refusal("externalAgentConfig/import", "import from other agents")
    return {}
