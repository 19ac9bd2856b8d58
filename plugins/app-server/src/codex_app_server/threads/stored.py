"""Methods for stored threads: list, read, name, metadata, archive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_app_server.turns.turn_methods import check_id
from codex_hookspecs.errors import RpcError, StorageError, ThreadNotFound
from codex_hookspecs.protocol import (
    ThreadArchivedNotification,
    ThreadArchiveResponse,
    ThreadListResponse,
    ThreadLoadedListResponse,
    ThreadMetadataUpdateResponse,
    ThreadNameUpdated,
    ThreadReadResponse,
    ThreadSetNameResponse,
    ThreadUnarchivedNotification,
    ThreadUnarchiveResponse,
    is_uuid,
)
from codex_hookspecs.storage import ThreadQuery

if TYPE_CHECKING:
    from codex_hookspecs.protocol import (
        Notification,
        ThreadArchiveParams,
        ThreadListParams,
        ThreadLoadedListParams,
        ThreadMetadataUpdateParams,
        ThreadReadParams,
        ThreadSetNameParams,
        ThreadUnarchiveParams,
    )
    from codex_hookspecs.surface import RpcContext

_DEFAULT_PAGE = 25
_MAX_PAGE = 100
_INTERACTIVE = ("cli", "vscode")
_GIT = {"sha": "sha", "branch": "branch", "originUrl": "origin_url"}


async def list_threads(params: ThreadListParams, context: RpcContext) -> ThreadListResponse:
    """List stored threads, newest first; without a filter, those of interactive clients.

    The times of the last change and of the last use (``recency_at`` of 0.169) are the same here.
    """
    cwds = [params.cwd] if isinstance(params.cwd, str) else params.cwd or ()
    query = ThreadQuery(
        cursor=params.cursor,
        limit=_DEFAULT_PAGE if params.limit is None else min(max(1, params.limit), _MAX_PAGE),
        sort_key="created_at" if params.sort_key in (None, "created_at") else "updated_at",
        ascending=params.sort_direction == "asc",
        archived=bool(params.archived),
        source_kinds=tuple(params.source_kinds or _INTERACTIVE),
        model_providers=tuple(params.model_providers) if params.model_providers else None,
        cwds=tuple(map(_clean_path, cwds)) or None,
        search_term=params.search_term,
    )
    try:
        found = await context.host.threads.list(query)
    except StorageError as error:
        raise RpcError(str(error)) from error
    # Clients inside this program report that a thread they miss may be among the unreadable files.
    return ThreadListResponse(
        data=tuple(found.threads), next_cursor=found.next_cursor, unreadable=tuple(found.unreadable)
    )


async def list_loaded(params: ThreadLoadedListParams, context: RpcContext) -> ThreadLoadedListResponse:
    """List the ids of loaded threads in order; a cursor is the last id of the page before, loaded or not."""
    after = params.cursor or ""
    if params.cursor is not None and not is_uuid(params.cursor):
        raise RpcError(f"invalid cursor: {params.cursor}")
    ids = sorted(thread.id for thread in context.host.threads.loaded() if thread.id > after)
    limit = len(ids) if params.limit is None else max(1, params.limit)
    page = tuple(ids[:limit])
    return ThreadLoadedListResponse(data=page, next_cursor=page[-1] if len(ids) > limit else None)


async def read(params: ThreadReadParams, context: RpcContext) -> ThreadReadResponse:
    """Return a thread, loaded or not."""
    check_id(params.thread_id)
    thread = context.host.threads.get(params.thread_id)
    if thread is not None and params.include_turns and thread.settings.ephemeral:
        raise RpcError("ephemeral threads do not support includeTurns")
    try:
        found = await context.host.threads.read(params.thread_id, include_turns=params.include_turns)
    except ThreadNotFound as error:
        raise RpcError(f"thread not loaded: {params.thread_id}") from error
    if thread is not None and params.include_turns and not (found.turns or found.preview or thread.history):
        raise RpcError(
            f"thread {thread.id} is not materialized yet; includeTurns is unavailable before first user message"
        )
    return ThreadReadResponse(found)


async def set_name(params: ThreadSetNameParams, context: RpcContext) -> ThreadSetNameResponse:
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
    return ThreadSetNameResponse()


async def update_metadata(params: ThreadMetadataUpdateParams, context: RpcContext) -> ThreadMetadataUpdateResponse:
    """Change the state of the git work tree that is shown of a thread: null clears, what is absent is kept."""
    check_id(params.thread_id)
    if not params.git_info:
        raise RpcError("gitInfo must include at least one field")
    changes: dict[str, str | None] = {}
    for name, value in params.git_info.items():
        if name in _GIT:
            changes[_GIT[name]] = value if value is None else str(value).strip()
            if changes[_GIT[name]] == "":
                raise RpcError(f"gitInfo.{name} must not be empty")
    if not changes:
        raise RpcError("gitInfo must include at least one field")
    try:
        thread = await context.host.threads.update_git(params.thread_id, changes)
    except ThreadNotFound as error:
        raise RpcError(f"thread not found: {params.thread_id}") from error
    return ThreadMetadataUpdateResponse(thread)


async def archive(params: ThreadArchiveParams, context: RpcContext) -> ThreadArchiveResponse:
    """Archive a thread; a running turn is interrupted."""
    check_id(params.thread_id)
    loaded = context.host.threads.get(params.thread_id)
    try:
        await context.host.threads.archive(params.thread_id)
    except ThreadNotFound as error:
        raise RpcError(f"no rollout found for thread id {params.thread_id}") from error
    if loaded is not None:
        await loaded.set_status({"type": "notLoaded"})
    context.unsubscribe(params.thread_id)
    _broadcast_later(context, ThreadArchivedNotification(params.thread_id))
    return ThreadArchiveResponse()


async def unarchive(params: ThreadUnarchiveParams, context: RpcContext) -> ThreadUnarchiveResponse:
    """Unarchive a thread."""
    check_id(params.thread_id)
    try:
        thread = await context.host.threads.unarchive(params.thread_id)
    except ThreadNotFound as error:
        raise RpcError(f"no archived rollout found for thread id {params.thread_id}") from error
    _broadcast_later(context, ThreadUnarchivedNotification(params.thread_id))
    return ThreadUnarchiveResponse(thread)


def _clean_path(path: str) -> str:
    """Return a path without what does not change it: parts that are empty or ``.`` (``..`` and links are kept)."""
    root = "/" if path.startswith("/") else ""
    return root + "/".join(part for part in path.split("/") if part not in ("", "."))


def _broadcast_later(context: RpcContext, notification: Notification) -> None:
    context.after_response(lambda: context.broadcast(notification))
