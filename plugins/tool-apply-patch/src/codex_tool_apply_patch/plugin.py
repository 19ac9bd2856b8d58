"""Offer the tool ``apply_patch`` to every thread."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from codex_hookspecs import hookimpl
from codex_hookspecs.tools import Tool
from codex_tool_apply_patch.definition import (
    FREEFORM_FEATURE,
    NAME,
    PROGRAMS,
    SPEC,
    from_hook_input,
    spec_for,
    to_hook_view,
)

if TYPE_CHECKING:
    from codex_hookspecs.host import Host
    from codex_hookspecs.tools import ToolCall, ToolContext, ToolOutput
    from codex_tool_apply_patch.tool import PatchRunner


@hookimpl
def tools(host: Host) -> list[Tool]:
    """Offer the tool; the modules that apply patches are imported with the first call."""
    runner: PatchRunner | None = None

    async def run(call: ToolCall, context: ToolContext) -> ToolOutput:
        nonlocal runner
        if runner is None:
            from codex_tool_apply_patch.tool import PatchRunner

            runner = PatchRunner()
        return await runner.run(call, context)

    program = (sys.executable, "-I", "-m", "codex_tool_apply_patch")
    return [
        Tool(
            name=NAME,
            spec=SPEC,
            spec_for=None if host.features.enabled(FREEFORM_FEATURE) else spec_for,
            run=run,
            hook_view=to_hook_view,
            from_hook_input=from_hook_input,
            emits_own_items=True,
            programs=dict.fromkeys(PROGRAMS, program) if sys.executable else {},
        )
    ]
