"""``codex apply``: apply the changes of a session's last turn to the files here, with ``git apply``."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from codex_hookspecs.environments import project_root
from codex_hookspecs.protocol import FileChange
from codex_hookspecs.surface import escape_controls, escape_controls_in_line
from codex_threads_cli.finding import connected, program, read_thread, thread_id_of
from codex_threads_cli.git import ApplyError, git_apply
from codex_threads_cli.patch import Change, PatchProblem, git_patch

if TYPE_CHECKING:
    from codex_hookspecs.protocol import Thread
    from codex_hookspecs.surface import SurfaceHost


async def apply_changes(arguments: Sequence[str], host: SurfaceHost) -> int:
    """Apply the changes; return the exit status.

    All changes are checked first: either all of them are applied or none.

    :raises CodexError: when there are none, or they don't fit the files.
    """
    session = next(word for word in arguments if not word.startswith("--"))
    async with connected(host) as client:
        thread_id = await thread_id_of(client, session, program=program(host))
        thread = await read_thread(client, thread_id, program=program(host), turns=True)
    changes = last_changes(thread)
    if not changes:
        raise ApplyError(f"no turn of session {thread_id} has changed files with patches")
    root = project_root(host.cwd) or host.cwd
    try:
        patch = git_patch(changes, made_in=thread.cwd, here=host.cwd, root=root)
    except PatchProblem as error:
        raise ApplyError(str(error)) from error

    async def git(*options: str) -> str:
        return await asyncio.to_thread(git_apply, patch.data, root, host.environ, *options)

    failed = await git("--check")
    if failed and not await git("--check", "--reverse"):
        print("The files have these changes already.")
        return 0
    if failed:
        raise ApplyError(f"the changes don't fit the files in {root}; nothing was changed:\n{failed}")
    verb = "can be applied"
    if "--check" not in arguments:
        verb = "applied"
        if failed := await git():
            raise ApplyError(f"git apply failed in {root}:\n{failed}")
    print(escape_controls(f"{len(changes)} change{'s' if len(changes) > 1 else ''} {verb} in {root}:"))
    for path in patch.paths:
        print(escape_controls_in_line(f"  {path}"))
    return 0


def last_changes(thread: Thread) -> list[Change]:
    """Return the applied changes of the last turn that has any, in order."""
    for turn in reversed(thread.turns or ()):
        found = [
            Change(path=each.path, kind=each.kind["type"], moved_to=each.kind.get("move_path"), diff=each.diff)
            for item in turn.items
            if isinstance(item, FileChange) and item.status == "completed"
            for each in item.changes
        ]
        if found:
            return found
    return []
