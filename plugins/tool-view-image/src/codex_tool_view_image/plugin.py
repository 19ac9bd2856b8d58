"""Hook implementations of tool-view-image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_hookspecs import hookimpl
from codex_hookspecs.tools import Tool
from codex_tool_view_image.definition import DETAIL_FEATURE, NAME, spec

if TYPE_CHECKING:
    from codex_hookspecs.host import Host
    from codex_hookspecs.tools import ToolCall, ToolContext, ToolOutput


@hookimpl
def tools(host: Host) -> list[Tool]:
    """Provide the tool ``view_image``; its implementation is imported with the first call."""
    with_detail = host.features.enabled(DETAIL_FEATURE)

    async def run(call: ToolCall, context: ToolContext) -> ToolOutput:
        from codex_tool_view_image.tool import view_image

        return await view_image(call, context, with_detail=with_detail)

    return [Tool(name=NAME, spec=spec(with_detail=with_detail), run=run, parallel=True, emits_own_items=True)]
