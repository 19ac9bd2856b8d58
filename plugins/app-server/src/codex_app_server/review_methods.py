"""The method ``review/start``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from codex_app_server.threads.loading import explained, originator_of
from codex_app_server.turns.turn_methods import require_loaded
from codex_hookspecs.errors import RpcError
from codex_hookspecs.protocol import (
    BaseBranchReviewTarget,
    CommitReviewTarget,
    CustomReviewTarget,
    ReviewStartResponse,
    ReviewTarget,
    ThreadForkParams,
    ThreadStarted,
    Turn,
    UncommittedChangesReviewTarget,
    UserMessage,
)

if TYPE_CHECKING:
    from codex_hookspecs.host import LoadedThread
    from codex_hookspecs.protocol import JsonObject, ReviewStartParams
    from codex_hookspecs.surface import RpcContext

_FINDINGS = (
    "Report what the author would want to fix, most important first, each finding with file and line, "
    "why it is wrong and when it shows. Say so if there is nothing to fix."
)
_SHORT_SHA = 7


async def start(params: ReviewStartParams, context: RpcContext) -> ReviewStartResponse:
    """Start a review as a turn of the thread itself, or of a copy of it."""
    thread = require_loaded(params.thread_id, context)
    target = _read_target(params.target)
    text, title = review_prompt(target), review_title(target)
    if params.delivery == "detached":
        thread = await _copy(thread, context)
    settings = attrs.evolve(thread.settings, output_schema=params.output_schema)
    turn_id = await thread.submit(
        [{"type": "text", "text": text, "text_elements": []}], settings=settings, review=title
    )
    shown = UserMessage(id=turn_id, content=({"type": "text", "text": title, "text_elements": []},))
    return ReviewStartResponse(
        turn=Turn(id=turn_id, status="inProgress", items=(shown,)),
        review_thread_id=thread.id,
    )


async def _copy(thread: LoadedThread, context: RpcContext) -> LoadedThread:
    """Copy a thread for a review; the client is subscribed to the copy and told of it."""
    params = ThreadForkParams(thread_id=thread.id)
    with explained(params):
        copy = await context.host.threads.fork(
            params,
            source=context.session_source,
            originator=originator_of(context),
            client_version=context.client_version,
        )
    context.subscribe(copy)
    await copy.notify(ThreadStarted(thread=copy.summary()))
    return copy


def _read_target(target: JsonObject) -> ReviewTarget:
    """Return what is reviewed, without blanks around its texts.

    :raises RpcError: when a text is empty.
    """
    from codex_hookspecs.wire import decode, wire_name

    trimmed = {name: value.strip() if isinstance(value, str) else value for name, value in target.items()}
    found: ReviewTarget = decode(ReviewTarget, trimmed)
    for field in attrs.fields(type(found)):
        if field.default is attrs.NOTHING and not getattr(found, field.name):
            raise RpcError(f"{wire_name(field)} must not be empty")
    return found


def review_title(target: ReviewTarget) -> str:
    """Return what a client shows in place of the prompt (0.118)."""
    match target:
        case UncommittedChangesReviewTarget():
            return "current changes"
        case BaseBranchReviewTarget(branch):
            return f"changes against '{branch}'"
        case CommitReviewTarget(sha=sha, title=title):
            return f"commit {sha[:_SHORT_SHA]}{f': {title}' if title else ''}"
        case CustomReviewTarget(instructions):
            return instructions


def review_prompt(target: ReviewTarget) -> str:
    """Return the prompt of a review."""
    match target:
        case UncommittedChangesReviewTarget():
            return f"Review the current code changes (staged, unstaged, and untracked files). {_FINDINGS}"
        case BaseBranchReviewTarget(branch):
            return (
                f"Review the code changes against the base branch '{branch}'. Find the merge base of HEAD and that "
                f"branch (`git merge-base HEAD {branch}`) and look at the diff from there. {_FINDINGS}"
            )
        case CommitReviewTarget(sha=sha, title=title):
            named = f' ("{title}")' if title else ""
            return f"Review the code changes introduced by commit {sha}{named}. {_FINDINGS}"
        case CustomReviewTarget(instructions):
            return instructions
