"""Find the session that a user names."""

from __future__ import annotations

import re
import shlex
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from codex_hookspecs.errors import CodexError, RpcError
from codex_hookspecs.protocol import ThreadListParams, ThreadReadParams, Unsigned, is_uuid

if TYPE_CHECKING:
    from codex_hookspecs.protocol import Thread, ThreadListResponse, ThreadReadResponse, ThreadSourceKind
    from codex_hookspecs.surface import AppClient, SurfaceHost

CLIENT_NAME: Final = "codex_cli"
_SOURCE_KINDS: Final[list[ThreadSourceKind]] = ["cli", "vscode", "exec", "appServer", "unknown"]
_START_OF_ID: Final = re.compile(r"[0-9a-f]{8}[0-9a-f-]{0,27}")
_PAGE: Final = 100
_MAX_PAGES: Final = 200


class NotFoundHere(CodexError):
    """Raised when no session, or more than one, is the one that a user names."""


@asynccontextmanager
async def connected(host: SurfaceHost) -> AsyncIterator[AppClient]:
    """Connect to the app-server for the time of a command."""
    client = await host.app_server().connect(client_name=CLIENT_NAME, client_version=host.version, session_source="cli")
    try:
        yield client
    finally:
        await client.aclose()


def program(host: SurfaceHost) -> str:
    """Return how the program is called for the sessions of the same app-server."""
    return "codex" if host.remote is None else f"codex --remote {shlex.quote(host.remote.url)}"


def directory(host: SurfaceHost, *, everywhere: bool) -> str | None:
    """Return the directory whose sessions are meant, on the machine of the app-server; ``None`` for all.

    :param everywhere: whether those of all directories were asked for.
    """
    if everywhere:
        return None
    return host.cwd if host.remote is None else host.remote.cwd


async def thread_id_of(client: AppClient, session: str, *, program: str, archived: bool = False) -> str:
    """Return the id of a session that is named by id, by name or by the start of its id.

    :param program: how the program is called, for remarks.
    :param archived: whether an archived session is meant.
    :raises NotFoundHere: when no session is the one, or several are.
    :raises RpcError: when sessions can't be listed.
    """
    if is_uuid(session):
        return session.lower()
    begins = session.lower() if _START_OF_ID.fullmatch(session.lower()) else None
    named, begun = [], []
    async for thread in _threads(client, archived=archived):
        if thread.name == session:
            named.append(thread.id)
        elif begins is not None and thread.id.startswith(begins):
            begun.append(thread.id)
    found = named or begun
    if len(found) > 1:
        ids = "".join(f"\n  {each}" for each in found)
        which = f"{len(found)} sessions are named `{session}`" if named else f"{len(found)} ids start with {session}"
        raise NotFoundHere(f"{which}; give the whole id of one:{ids}")
    if not found:
        kind, option = ("archived session", "--archived") if archived else ("session", "--all")
        raise NotFoundHere(
            f"no {kind} is named `{session}`; give a name or a whole id ({program} resume {option} lists them)"
        )
    return found[0]


async def open_thread_id(client: AppClient, session: str, *, program: str) -> str:
    """Return the id of a session that a turn can be run in.

    :raises NotFoundHere: when there is none, or it is archived.
    """
    remark = f"bring it back with: {program} unarchive"
    try:
        thread_id = await thread_id_of(client, session, program=program)
    except NotFoundHere as error:
        try:
            thread_id = await thread_id_of(client, session, program=program, archived=True)
        except NotFoundHere:
            raise error from None
        raise NotFoundHere(f"session `{session}` is archived; {remark} {thread_id}") from error
    if not is_uuid(session):
        return thread_id
    await read_thread(client, thread_id, program=program)
    async for thread in _threads(client, archived=True):
        if thread.id == thread_id:
            raise NotFoundHere(f"session {thread_id} is archived; {remark} {thread_id}")
    return thread_id


async def read_thread(client: AppClient, thread_id: str, *, program: str, turns: bool = False) -> Thread:
    """Return a session, archived or not.

    :param turns: whether its turns are wanted.
    :raises NotFoundHere: when there is none.
    :raises RpcError: when it can't be read.
    """
    params = ThreadReadParams(thread_id=thread_id, include_turns=turns)
    try:
        answer: ThreadReadResponse = await client.request("thread/read", params)
    except RpcError as error:
        if "thread not loaded" not in error.message:
            raise
        raise NotFoundHere(f"there is no session {thread_id} ({program} resume --all lists them)") from error
    return answer.thread


async def newest(client: AppClient, *, cwd: str | None, count: int, archived: bool = False) -> list[Thread]:
    """Return the newest sessions, newest first.

    :param cwd: directory that they belong to; ``None`` for any.
    :param archived: whether those are meant that are archived, or the others.
    """
    found = []
    async for thread in _threads(client, cwd=cwd, page=count, archived=archived):
        found.append(thread)
        if len(found) == count:
            break
    return found


async def _threads(
    client: AppClient, *, archived: bool = False, cwd: str | None = None, page: int = _PAGE
) -> AsyncIterator[Thread]:
    cursor = None
    for _ in range(_MAX_PAGES):
        query = ThreadListParams(
            cursor=cursor,
            limit=Unsigned(page),
            sort_key="updated_at",
            source_kinds=_SOURCE_KINDS,
            archived=archived,
            cwd=cwd,
        )
        answer: ThreadListResponse = await client.request("thread/list", query)
        for thread in answer.data:
            yield thread
        cursor = answer.next_cursor
        if cursor is None:
            return
