"""Find the places a plan really writes to, and whether the policy lets it."""

from __future__ import annotations

import ntpath
import posixpath
from asyncio import sleep
from typing import TYPE_CHECKING

from codex_hookspecs.errors import ToolRejected
from codex_sandboxing.writable_roots import patch_verdict, real_path

if TYPE_CHECKING:
    from codex_hookspecs.environments import FileSystem
    from codex_hookspecs.protocol import ThreadSettings
    from codex_sandboxing.file_scope import PolicyFileScope
    from codex_sandboxing.writable_roots import PatchVerdict
    from codex_tool_apply_patch.planning import Plan

RETRY_REASON = "command failed; retry without sandbox?"


async def real_paths(plan: Plan, files: FileSystem, *, windows: bool) -> tuple[str, ...]:
    """Return every path that the plan writes or removes, links resolved: a link may lead out of the workspace."""
    module = ntpath if windows else posixpath
    found: dict[str, None] = {}
    for step in plan.steps:
        if step.after is None:
            found[module.join(await real_path(module.dirname(step.path), files), module.basename(step.path))] = None
        else:
            found[await real_path(step.path, files)] = None
        await sleep(0)
    return tuple(found)


def verdict_on(paths: tuple[str, ...], settings: ThreadSettings, scope: PolicyFileScope) -> PatchVerdict:
    """Return whether a patch of these paths may be applied, needs consent or is refused.

    :param scope: what the thread's policy allows on the machine of the paths.
    :raises ToolRejected: when the policy refuses it without asking.
    """
    verdict = patch_verdict(
        paths,
        approval=settings.approval_policy,
        unrestricted=scope.unrestricted,
        roots=scope.roots,
        own=scope.own,
    )
    if verdict == "refuse":
        raise ToolRejected("patch rejected: writing outside of the project; rejected by user approval settings")
    return verdict
