"""``codex resume`` and ``codex fork``: list sessions, and say which command runs a turn of one."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from codex_hookspecs.surface import escape_controls, escape_controls_in_line
from codex_threads_cli.finding import NotFoundHere, connected, directory, newest, open_thread_id, program

if TYPE_CHECKING:
    from codex_hookspecs.protocol import Thread
    from codex_hookspecs.surface import AppClient, SurfaceHost

_NO_INTERFACE: Final = 2
_LISTED: Final = 10
_PREVIEW: Final = 60
_UNITS: Final = ((86400, "day"), (3600, "hour"), (60, "minute"))


async def refer(command: str, arguments: Sequence[str], host: SurfaceHost) -> int:
    """Say which command goes on with a session; without one, list sessions.

    :param command: ``resume`` or ``fork``.
    :return: exit status: 0 when sessions were listed, 2 for a session, since there is no terminal interface to open.
    :raises NotFoundHere: when there is no such session.
    """
    words = [word for word in arguments if not word.startswith("-") or word == "-"]
    archived = "--archived" in arguments
    cwd = directory(host, everywhere=archived or "--all" in arguments)
    async with connected(host) as client:
        if archived or (not words and "--last" not in arguments):
            await _list(command, client, host, cwd, archived=archived)
            return 0
        thread_id = await _thread_id(client, host, None if "--last" in arguments else words.pop(0), cwd)
    prompt = shlex.join(words) or "PROMPT"
    print(
        escape_controls(
            f"error: codex {command} needs the terminal interface, which is not part of this version\n\n"
            f"  tip: run a turn with: {program(host)} exec {command} {thread_id} {prompt}"
        ),
        file=sys.stderr,
    )
    return _NO_INTERFACE


async def _thread_id(client: AppClient, host: SurfaceHost, session: str | None, cwd: str | None) -> str:
    if session is not None:
        return await open_thread_id(client, session, program=program(host))
    found = await newest(client, cwd=cwd, count=1)
    if not found:
        raise NotFoundHere(f"there is no session{_where(host, cwd, '--all: of any directory')}")
    return found[0].id


async def _list(command: str, client: AppClient, host: SurfaceHost, cwd: str | None, *, archived: bool) -> None:
    found = await newest(client, cwd=cwd, count=_LISTED, archived=archived)
    kind = "archived sessions" if archived else "sessions"
    where = _where(host, cwd, "--all: of all directories")
    print(escape_controls(f"The newest {kind}{where}:" if found else f"No {kind}{where}."))
    if not found:
        return
    for thread in found:
        print(f"  {thread.id}  {_age(time.time() - thread.updated_at):>14}  {_title(thread)}")
    if archived:
        print(escape_controls(f"\nBring one back with: {program(host)} unarchive SESSION"))
    else:
        print(escape_controls(f"\nGo on with one: {program(host)} exec {command} SESSION PROMPT"))


def _where(host: SurfaceHost, cwd: str | None, remark: str) -> str:
    if cwd is None:
        return ""
    return f" of {'this directory' if host.remote is None else cwd} ({remark})"


def _title(thread: Thread) -> str:
    text = escape_controls_in_line(" ".join((thread.name or thread.preview).split()))
    return text if len(text) <= _PREVIEW else f"{text[: _PREVIEW - 1]}…"


def _age(seconds: float) -> str:
    for length, unit in _UNITS:
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "now"
