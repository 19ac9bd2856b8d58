"""The methods ``model/list`` and ``collaborationMode/list``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_app_server.paging import paginate
from codex_hookspecs.protocol import CollaborationModeListResponse, CollaborationModeMask, ModelListResponse

if TYPE_CHECKING:
    from codex_hookspecs.protocol import CollaborationModeListParams, ModelListParams
    from codex_hookspecs.surface import RpcContext


async def list_models(params: ModelListParams, context: RpcContext) -> ModelListResponse:
    """List the models for new threads; the default is the one that they get."""
    models = [model for model in await context.host.threads.models() if params.include_hidden or not model.hidden]
    page = paginate(models, params.cursor, params.limit, what="models")
    return ModelListResponse(data=page.entries, next_cursor=page.next_cursor)


async def list_collaboration_modes(
    _params: CollaborationModeListParams, _context: RpcContext
) -> CollaborationModeListResponse:
    """List the modes of collaboration."""
    plan = CollaborationModeMask(name="Plan", mode="plan", reasoning_effort="medium")
    return CollaborationModeListResponse(data=(plan, CollaborationModeMask(name="Default", mode="default")))
