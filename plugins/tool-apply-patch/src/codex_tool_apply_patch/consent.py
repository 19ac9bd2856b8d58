"""Find the places a plan really writes to, and whether the policy lets it."""

from __future__ import annotations

import ntpath
import posixpath
from typing import TYPE_CHECKING

from codex_hookspecs.errors import FileSystemError, ToolRejected
from codex_hookspecs.writable import PatchVerdict, patch_verdict, writable_roots

if TYPE_CHECKING:
    from codex_hookspecs.ports.environment import FileSystem
    from codex_hookspecs.types.environment import EnvironmentFacts
    from codex_hookspecs.types.threads import ThreadSettings
    from codex_tool_apply_patch.planning import Plan

RETRY_REASON = "command failed; retry without sandbox?"


async def real_paths(plan: Plan, files: FileSystem, *, windows: bool) -> tuple[str, ...]:
    """Return every path that the plan writes or removes, links resolved: a link may lead out of the workspace."""
    module = ntpath if windows else posixpath
    found: dict[str, None] = {}
    for step in plan.steps:
        if step.after is None:
            found[module.join(await resolve(module.dirname(step.path), files), module.basename(step.path))] = None
        else:
            found[await resolve(step.path, files)] = None
    return tuple(found)


async def resolve(path: str, files: FileSystem) -> str:
    """Return a path with the links of its existing part resolved."""
    module = ntpath if "\\" in path else posixpath
    rest: list[str] = []
    while True:
        try:
            return str(module.join(await files.canonicalize(path), *reversed(rest)))
        except FileSystemError:
            parent = str(module.dirname(path))
            if parent == path:
                return str(module.join(path, *reversed(rest)))
            rest.append(module.basename(path))
            path = parent


async def verdict_on(
    paths: tuple[str, ...], settings: ThreadSettings, files: FileSystem, facts: EnvironmentFacts
) -> PatchVerdict:
    """Return whether a patch of these paths may be applied, needs consent or is refused.

    :raises ToolRejected: when the policy refuses it without asking.
    """
    roots = writable_roots(settings.sandbox, settings.cwd, facts.temporary_directory)
    verdict = patch_verdict(
        paths,
        approval=settings.approval_policy,
        unrestricted=settings.sandbox.unrestricted,
        roots=[await resolve(root, files) for root in roots],
    )
    if verdict == "refuse":
        raise ToolRejected("patch rejected: writing outside of the project; rejected by user approval settings")
    return verdict
