"""Resolve the paths that a plan changes."""

from __future__ import annotations

import ntpath
import posixpath
from asyncio import sleep
from typing import TYPE_CHECKING

from codex_sandboxing.writable_roots import real_path

if TYPE_CHECKING:
    from codex_hookspecs.environments import FileSystem
    from codex_tool_apply_patch.planning import Plan


async def real_paths(plan: Plan, files: FileSystem, *, windows: bool) -> tuple[str, ...]:
    """Return every path that the plan writes or removes, symlinks resolved: one may lead out of the workspace."""
    module = ntpath if windows else posixpath
    found: dict[str, None] = {}
    for step in plan.steps:
        if step.after is None:
            found[module.join(await real_path(module.dirname(step.path), files), module.basename(step.path))] = None
        else:
            found[await real_path(step.path, files)] = None
        await sleep(0)
    return tuple(found)
