"""Find the thread that a user names, and explain why it can't be opened."""

from __future__ import annotations

import re
import shlex
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from codex_exec_cli.errors import ExecError, await_response
from codex_hookspecs.errors import RpcError
from codex_hookspecs.protocol import ThreadListParams, ThreadReadParams, is_uuid

if TYPE_CHECKING:
    from codex_exec_cli.request import ExecRequest
    from codex_hookspecs.protocol import Thread, ThreadListResponse, ThreadSourceKind
    from codex_hookspecs.surface import AppClient

SOURCE_KINDS: Final[list[ThreadSourceKind]] = ["cli", "vscode", "exec", "appServer", "unknown"]
_PAGE: Final = 100
_MAX_PAGES: Final = 200
_START_OF_ID: Final = re.compile(r"[0-9a-f]{8}[0-9a-f-]{0,27}")


async def find_thread(client: AppClient, request: ExecRequest, wanted: str) -> str | None:
    """Find a thread: by id, by name or by the start of an id, or the newest one; ``None`` when there is none.

    :param wanted: what the user named; empty for the newest thread.
    :raises ExecError: when several ids start like this, or the newest thread can't be read.
    """
    if is_uuid(wanted):
        return wanted.lower()
    cwd = None if request.everywhere else request.settings.get("cwd")
    async for thread in _threads(client, cwd=cwd, page=_PAGE if wanted else 1):
        if not wanted or thread.name == wanted:
            return thread.id
    if not _START_OF_ID.fullmatch(wanted.lower()):
        return None
    found = [thread.id async for thread in _threads(client) if thread.id.startswith(wanted.lower())]
    if len(found) > 1:
        ids = "".join(f"\n  {each}" for each in found)
        raise ExecError(f"Error: the ids of {len(found)} sessions start with {wanted}; give the whole id of one:{ids}")
    return found[0] if found else None


async def _threads(client: AppClient, *, cwd: str | None = None, page: int = _PAGE) -> AsyncIterator[Thread]:
    cursor = None
    for _ in range(_MAX_PAGES):
        query = ThreadListParams(cursor=cursor, limit=page, sort_key="updated_at", source_kinds=SOURCE_KINDS, cwd=cwd)
        answer = await await_response(client.request("thread/list", query))
        if page == 1:
            _refuse_if_newest_is_unreadable(answer)
        for thread in answer.data:
            yield thread
        cursor = answer.next_cursor
        if cursor is None:
            return


def _refuse_if_newest_is_unreadable(page: ThreadListResponse) -> None:
    """Check that no unreadable session is newer than the first thread of a page.

    :raises ExecError: when one is.
    """
    newest = max(page.unreadable, key=lambda each: each.updated_at, default=None)
    if newest is None or (page.data and page.data[0].updated_at > newest.updated_at):
        return
    raise ExecError(
        f"Error: the newest session can't be resumed: {newest.reason}; move that file away or repair it, "
        "or give the id of the session to resume"
    )


async def explained(client: AppClient, request: ExecRequest, method: str, thread_id: str, error: RpcError) -> ExecError:
    """Return the error for a thread that can't be opened; one that can be read is archived."""
    if "no rollout found" in error.message:
        with suppress(RpcError):
            await client.request("thread/read", ThreadReadParams(thread_id=thread_id))
            program = "codex" if request.remote is None else f"codex --remote {shlex.quote(request.remote)}"
            return ExecError(
                f"Error: session {thread_id} is archived; bring it back with: {program} unarchive {thread_id}"
            )
    return ExecError(f"Error: {method}: {method} failed: {error.message}")
