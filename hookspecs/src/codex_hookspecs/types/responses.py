"""Results of requests from in-process front ends: wire names, with values that are not serialized."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from codex_hookspecs.types.json import JsonObject
from codex_hookspecs.types.storage import UnreadableThread
from codex_hookspecs.types.threads import ApprovalPolicy, Thread, Turn


class ThreadStartResponse(TypedDict):
    """Result of ``thread/start`` and ``thread/resume``: the thread and its initial settings.

    :param sandbox: policy in wire form, e.g. ``{"type":"dangerFullAccess"}``.
    """

    thread: Thread
    model: str
    modelProvider: str
    serviceTier: str | None
    cwd: str
    approvalPolicy: ApprovalPolicy
    approvalsReviewer: str
    sandbox: JsonObject
    reasoningEffort: str | None


class TurnStartResponse(TypedDict):
    """Result of ``turn/start`` and ``review/start``: the started turn.

    :param reviewThreadId: thread of the review; only for ``review/start``.
    """

    turn: Turn
    reviewThreadId: NotRequired[str]


class ThreadListResponse(TypedDict):
    """Result of ``thread/list``.

    :param nextCursor: cursor of the next page; ``None`` on the last one.
    :param unreadable: threads that could not be read; only for in-process front ends.
    """

    data: list[Thread]
    nextCursor: str | None
    unreadable: NotRequired[list[UnreadableThread]]
