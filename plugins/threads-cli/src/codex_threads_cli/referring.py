"""``codex resume`` and ``codex fork``: without a terminal interface, say which command runs a turn of a session."""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from codex_hookspecs.errors import UsageError
from codex_hookspecs.surface import escape_controls_in_line
from codex_threads_cli.finding import NotFoundHere, connected, newest, thread_id_of

if TYPE_CHECKING:
    from codex_hookspecs.protocol import Thread
    from codex_hookspecs.surface import AppClient, SurfaceHost

_LISTED: Final = 10
_PREVIEW: Final = 60
_UNITS: Final = ((86400, "day"), (3600, "hour"), (60, "minute"))


async def refer(command: str, arguments: Sequence[str], host: SurfaceHost) -> int:
    """Find the session, and refuse with the command that goes on with it.

    :param command: ``resume`` or ``fork``.
    :raises UsageError: always, since there is no terminal interface.
    :raises NotFoundHere: when there is no such session.
    """
    words = [word for word in arguments if not word.startswith("-") or word == "-"]
    last = "--last" in arguments
    cwd = None if "--all" in arguments else host.cwd
    session = words.pop(0) if words and not last else None
    async with connected(host) as client:
        if session is None and not last:
            await _list(client, cwd)
            thread_id = "SESSION"
        else:
            thread_id = await _thread_id(client, session, cwd)
    prompt = shlex.join(words) or "PROMPT"
    program = "codex" if host.remote is None else f"codex --remote {shlex.quote(host.remote.url)}"
    raise UsageError(
        f"codex {command} needs the terminal interface, which is not part of this version",
        tip=f"run a turn with: {program} exec {command} {thread_id} {prompt}",
        usage=f"Usage: codex exec {command} [OPTIONS] SESSION [PROMPT]",
    )


async def _thread_id(client: AppClient, session: str | None, cwd: str | None) -> str:
    if session is not None:
        return await thread_id_of(client, session)
    found = await newest(client, cwd=cwd, count=1)
    if not found:
        where = "" if cwd is None else " of this directory (--all: of any directory)"
        raise NotFoundHere(f"there is no session{where}")
    return found[0].id


async def _list(client: AppClient, cwd: str | None) -> None:
    found = await newest(client, cwd=cwd, count=_LISTED)
    if not found:
        print("No sessions." if cwd is None else "No sessions of this directory (--all: of all directories).")
        return
    print("The newest sessions:" if cwd is None else "The newest sessions of this directory:")
    for thread in found:
        print(f"  {thread.id}  {_age(time.time() - thread.updated_at):>14}  {_title(thread)}")


def _title(thread: Thread) -> str:
    text = escape_controls_in_line(" ".join((thread.name or thread.preview).split()))
    return text if len(text) <= _PREVIEW else f"{text[: _PREVIEW - 1]}…"


def _age(seconds: float) -> str:
    for length, unit in _UNITS:
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "now"
