"""Methods for stored threads: list, read, name, archive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_app_server.connection import IN_PROCESS
from codex_app_server.paging import paginate
from codex_app_server.thread_methods import check_id
from codex_hookspecs.errors import RpcError, StorageError, ThreadNotFound
from codex_hookspecs.protocol import OtherNotification, ThreadNameUpdated
from codex_hookspecs.storage import ThreadQuery

if TYPE_CHECKING:
    from codex_app_server.request_params import (
        PageParams,
        ThreadParams,
        ThreadReadParams,
        ThreadSetNameParams,
    )
    from codex_hookspecs.protocol import JsonObject, ThreadListParams, ThreadListResponse
    from codex_hookspecs.surface import RpcContext

_DEFAULT_PAGE = 25
_MAX_PAGE = 100
_INTERACTIVE = ("cli", "vscode")


async def list_threads(params: ThreadListParams, context: RpcContext) -> ThreadListResponse:
    """List stored threads, newest first; without a filter, those of interactive clients."""
    query = ThreadQuery(
        cursor=params.cursor,
        limit=min(params.limit or _DEFAULT_PAGE, _MAX_PAGE),
        sort_key=params.sort_key or "created_at",
        archived=bool(params.archived),
        source_kinds=tuple(params.source_kinds or _INTERACTIVE),
        model_providers=tuple(params.model_providers) if params.model_providers else None,
        cwd=params.cwd,
        search_term=params.search_term,
    )
    try:
        found = await context.host.threads.list(query)
    except StorageError as error:
        raise RpcError(str(error)) from error
    answer: ThreadListResponse = {"data": list(found.threads), "nextCursor": found.next_cursor}
    if context.transport == IN_PROCESS:
        # An extension: lets clients inside this program report that a thread they miss may be among these files.
        answer["unreadable"] = list(found.unreadable)
    return answer


async def list_loaded(params: PageParams, context: RpcContext) -> JsonObject:
    """List the ids of loaded threads."""
    return paginate(sorted(thread.id for thread in context.host.threads.loaded()), params.cursor, params.limit)


async def read(params: ThreadReadParams, context: RpcContext) -> JsonObject:
    """Return a thread, loaded or not."""
    check_id(params.thread_id)
    thread = context.host.threads.get(params.thread_id)
    if thread is not None and params.include_turns and thread.settings.ephemeral:
        raise RpcError("ephemeral threads do not support includeTurns")
    try:
        return {"thread": await context.host.threads.read(params.thread_id, include_turns=params.include_turns)}
    except ThreadNotFound as error:
        raise RpcError(f"thread not loaded: {params.thread_id}") from error


async def set_name(params: ThreadSetNameParams, context: RpcContext) -> JsonObject:
    """Name a thread."""
    check_id(params.thread_id)
    name = params.name.strip()
    if not name:
        raise RpcError("thread name must not be empty")
    try:
        await context.host.threads.set_name(params.thread_id, name)
    except ThreadNotFound as error:
        raise RpcError(f"thread not found: {params.thread_id}") from error
    context.after_response(
        lambda: context.broadcast(ThreadNameUpdated(thread_id=params.thread_id, thread_name=name)),
    )
    return {}


async def archive(params: ThreadParams, context: RpcContext) -> JsonObject:
    """Archive a thread."""
    check_id(params.thread_id)
    try:
        await context.host.threads.archive(params.thread_id)
    except ThreadNotFound as error:
        raise RpcError(f"no rollout found for thread id {params.thread_id}") from error
    context.unsubscribe(params.thread_id)
    _broadcast_later(context, "thread/archived", params.thread_id)
    return {}


async def unarchive(params: ThreadParams, context: RpcContext) -> JsonObject:
    """Unarchive a thread."""
    check_id(params.thread_id)
    try:
        thread = await context.host.threads.unarchive(params.thread_id)
    except ThreadNotFound as error:
        raise RpcError(f"no archived rollout found for thread id {params.thread_id}") from error
    _broadcast_later(context, "thread/unarchived", params.thread_id)
    return {"thread": thread}


def _broadcast_later(context: RpcContext, method: str, thread_id: str) -> None:
    notification = OtherNotification(method=method, params={"threadId": thread_id})
    context.after_response(lambda: context.broadcast(notification))
