"""The method ``review/start``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from codex_app_server.threads.loading import originator_of
from codex_app_server.turns.turn_methods import require_loaded
from codex_hookspecs.errors import RpcError
from codex_hookspecs.protocol import ReviewStartResponse, ThreadForkParams, ThreadStarted, Turn, UserMessage

if TYPE_CHECKING:
    from codex_hookspecs.host import LoadedThread
    from codex_hookspecs.protocol import JsonObject, ReviewStartParams
    from codex_hookspecs.surface import RpcContext

_FINDINGS = (
    "Report what the author would want to fix, most important first, each finding with file and line, "
    "why it is wrong and when it shows. Say so if there is nothing to fix."
)
_SHORT_SHA = 7
_REQUIRED = {"uncommittedChanges": (), "baseBranch": ("branch",), "commit": ("sha",), "custom": ("instructions",)}


async def start(params: ReviewStartParams, context: RpcContext) -> ReviewStartResponse:
    """Start a review as a turn of the thread itself, or of a copy of it."""
    thread = require_loaded(params.thread_id, context)
    target = _trimmed(params.target)
    text = review_prompt(target)
    if params.delivery == "detached":
        thread = await _copy(thread, context)
    settings = attrs.evolve(thread.settings, output_schema=params.output_schema)
    turn_id = await thread.submit(
        [{"type": "text", "text": text, "text_elements": []}], settings=settings, reviews=True
    )
    shown = UserMessage(id=turn_id, content=({"type": "text", "text": _title(target), "text_elements": []},))
    return ReviewStartResponse(
        turn=Turn(id=turn_id, status="inProgress", items=(shown,)),
        review_thread_id=thread.id,
    )


async def _copy(thread: LoadedThread, context: RpcContext) -> LoadedThread:
    """Copy a thread for a review; the client is subscribed to the copy and told of it."""
    copy = await context.host.threads.fork(
        ThreadForkParams(thread_id=thread.id),
        source=context.session_source,
        originator=originator_of(context),
        client_version=context.client_version,
    )
    context.subscribe(copy)
    await copy.notify(ThreadStarted(thread=copy.summary()))
    return copy


def _trimmed(target: JsonObject) -> JsonObject:
    return {name: value.strip() if isinstance(value, str) else value for name, value in target.items()}


def _title(target: JsonObject) -> str:
    """Return what a client shows in place of the prompt (0.118)."""
    if target["type"] == "uncommittedChanges":
        return "current changes"
    if target["type"] == "baseBranch":
        return f"changes against '{target['branch']}'"
    if target["type"] == "commit":
        title = f": {target['title']}" if target.get("title") else ""
        return f"commit {target['sha'][:_SHORT_SHA]}{title}"
    instructions: str = target["instructions"]
    return instructions


def review_prompt(target: JsonObject) -> str:
    """Build the prompt of a review.

    :raises RpcError: when the kind of target is unknown, or a member is missing.
    """
    kind = target.get("type")
    if kind not in _REQUIRED:
        allowed = ", ".join(f"`{known}`" for known in _REQUIRED)
        raise RpcError(f"Invalid request: unknown variant `{kind}`, expected one of {allowed}")
    for name in _REQUIRED[kind]:
        value = target.get(name)
        if not isinstance(value, str) or not value.strip():
            raise RpcError(f"{name} must not be empty")
    if kind == "uncommittedChanges":
        return f"Review the current code changes (staged, unstaged, and untracked files). {_FINDINGS}"
    if kind == "baseBranch":
        branch = target["branch"]
        return (
            f"Review the code changes against the base branch '{branch}'. Find the merge base of HEAD and that branch "
            f"(`git merge-base HEAD {branch}`) and look at the diff from there. {_FINDINGS}"
        )
    if kind == "commit":
        title = f' ("{target["title"]}")' if target.get("title") else ""
        return f"Review the code changes introduced by commit {target['sha']}{title}. {_FINDINGS}"
    instructions: str = target["instructions"].strip()
    return instructions
