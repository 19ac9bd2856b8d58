"""Find the session that a user names."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from codex_hookspecs.errors import CodexError
from codex_hookspecs.protocol import ThreadListParams, Unsigned, is_uuid

if TYPE_CHECKING:
    from codex_hookspecs.protocol import Thread, ThreadListResponse, ThreadSourceKind
    from codex_hookspecs.surface import AppClient, SurfaceHost

CLIENT_NAME: Final = "codex_cli"
_SOURCE_KINDS: Final[list[ThreadSourceKind]] = ["cli", "vscode", "exec", "appServer", "unknown"]
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


async def thread_id_of(client: AppClient, session: str, *, archived: bool = False) -> str:
    """Return the id of a session that is named by id or name.

    :raises NotFoundHere: when no session has the name, or several have it.
    :raises RpcError: when sessions can't be listed.
    """
    if is_uuid(session):
        return session.lower()
    found = [thread async for thread in _threads(client, archived=archived) if thread.name == session]
    if len(found) > 1:
        ids = "".join(f"\n  {thread.id}" for thread in found)
        raise NotFoundHere(f"{len(found)} sessions are named `{session}`; give the id of one:{ids}")
    if not found:
        kind = "archived session" if archived else "session"
        raise NotFoundHere(f"no {kind} is named `{session}`; give a name or an id (codex resume --all lists them)")
    return found[0].id


async def newest(client: AppClient, *, cwd: str | None, count: int) -> list[Thread]:
    """Return the newest sessions, newest first.

    :param cwd: directory that they belong to; ``None`` for any.
    """
    found = []
    async for thread in _threads(client, cwd=cwd, page=count):
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
