"""Results of the requests that front ends inside the program send: named as on the wire, with values not serialised."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from codex_hookspecs.types.json import JsonObject
from codex_hookspecs.types.storage import UnreadableThread
from codex_hookspecs.types.threads import ApprovalPolicy, Thread, Turn


class ThreadStartResponse(TypedDict):
    """Result of ``thread/start`` and ``thread/resume``: the thread and what it begins with.

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
    """Result of ``turn/start`` and ``review/start``: the turn, which has just begun.

    :param reviewThreadId: thread that the review runs in, of ``review/start`` alone.
    """

    turn: Turn
    reviewThreadId: NotRequired[str]


class ThreadListResponse(TypedDict):
    """Result of ``thread/list``.

    :param nextCursor: where the next page begins; ``None`` on the last one.
    :param unreadable: threads that could not be read; told to front ends inside the program only.
    """

    data: list[Thread]
    nextCursor: str | None
    unreadable: NotRequired[list[UnreadableThread]]
