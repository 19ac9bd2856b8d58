"""The method ``getConversationSummary`` of the older API."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from codex_hookspecs.errors import RpcError, ThreadNotFound
from codex_hookspecs.jsonrpc import INTERNAL_ERROR
from codex_hookspecs.protocol import ConversationGitInfo, ConversationSummary, GetConversationSummaryResponse, is_uuid

if TYPE_CHECKING:
    from codex_hookspecs.protocol import GetConversationSummaryParams, Thread
    from codex_hookspecs.surface import RpcContext

_ID_CHARACTERS: Final = 36
_MISSING: Final = "No such file or directory (os error 2)"


async def read_summary(params: GetConversationSummaryParams, context: RpcContext) -> GetConversationSummaryResponse:
    """Describe a stored thread, which its id or the path of its file names."""
    if params.rollout_path is not None:
        path = _absolute(params.rollout_path, context.host.codex_home)
        thread = await _find(_id_in(path), context)
        if thread is None or not _is_file_of(thread, path):
            raise RpcError(f"failed to load conversation summary from {path}: {_MISSING}", code=INTERNAL_ERROR)
        return _summary(thread)
    if params.conversation_id is None or not is_uuid(params.conversation_id):
        raise RpcError("Invalid request: data did not match any variant of untagged enum GetConversationSummaryParams")
    thread = await _find(params.conversation_id, context)
    if thread is None or not _is_file_of(thread, thread.path):
        raise RpcError(f"no rollout found for conversation id {params.conversation_id}")
    return _summary(thread)


async def _find(thread_id: str, context: RpcContext) -> Thread | None:
    if not is_uuid(thread_id):
        return None
    try:
        return await context.host.threads.read(thread_id, include_turns=False)
    except ThreadNotFound:
        return None


def _absolute(path: str, codex_home: str) -> str:
    return os.path.normpath(os.path.join(codex_home, path))


def _id_in(path: str) -> str:
    return os.path.basename(path).removesuffix(".jsonl")[-_ID_CHARACTERS:]


def _is_file_of(thread: Thread, path: str | None) -> bool:
    """Return whether a thread is stored in a file of this path."""
    if path is None or thread.path is None or "\0" in path:
        return False
    return os.path.isfile(path) and os.path.realpath(path) == os.path.realpath(thread.path)


def _summary(thread: Thread) -> GetConversationSummaryResponse:
    git = thread.git_info
    return GetConversationSummaryResponse(
        summary=ConversationSummary(
            conversation_id=thread.id,
            path=thread.path or "",
            preview=thread.preview,
            timestamp=_time(thread.created_at),
            updated_at=_time(thread.updated_at),
            model_provider=thread.model_provider,
            cwd=thread.cwd,
            cli_version=thread.cli_version,
            source=thread.source,
            git_info=None
            if git is None
            else ConversationGitInfo(sha=git.sha, branch=git.branch, origin_url=git.origin_url),
        )
    )


def _time(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
