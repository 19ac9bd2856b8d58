"""What a thread store keeps and gives back."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from attrs import field

from codex_hookspecs.types.items import Item
from codex_hookspecs.types.json import JsonObject
from codex_hookspecs.types.notifications import Notification
from codex_hookspecs.types.threads import GitInfo, Thread, ThreadSettings, ThreadTokenUsage, TurnError, TurnStatus
from codex_hookspecs.values import frozen


@frozen(kw_only=True)
class ThreadMeta:
    """What a new thread is stored with.

    :param forked_from: thread that this one is a copy of, or ``None``.
    :param base_instructions: the instructions the thread began with; those of its first turn when empty.
    :param created_at_ms: milliseconds since the epoch.
    """

    thread_id: str
    settings: ThreadSettings
    created_at_ms: int
    cli_version: str
    base_instructions: str = ""
    git: GitInfo | None = None
    forked_from: str | None = None
    agent_nickname: str | None = None
    agent_role: str | None = None


@frozen(kw_only=True)
class TurnBegan:
    """Record: a turn began with these settings; their ``base_instructions`` are those in force.

    :param counts_tokens: what tools put out is cut to a number of tokens in it, not to a number of bytes.
    """

    turn_id: str
    settings: ThreadSettings
    current_date: str
    timezone: str
    counts_tokens: bool = False


@frozen
class HistoryAppended:
    """Record: an item of the Responses API entered the model's history."""

    item: JsonObject
    turn_id: str = ""


@frozen(kw_only=True)
class HistoryReplaced:
    """Record: the history was compacted to these items."""

    items: tuple[JsonObject, ...]
    message: str = ""


@frozen
class TurnsDropped:
    """Record: the last turns that the user began were taken back, with what came after them.

    :param count: how many; the history they added goes with them.
    """

    count: int


@frozen
class ItemFinished:
    """Record: a client-visible item is final."""

    turn_id: str
    item: Item


@frozen
class UsageCounted:
    """Record: tokens were accounted."""

    turn_id: str
    usage: ThreadTokenUsage


@frozen(kw_only=True)
class TurnEnded:
    """Record: a turn ended."""

    turn_id: str
    status: TurnStatus
    error: TurnError | None = None
    last_agent_message: str | None = None
    duration_ms: int | None = None


@frozen
class Observed:
    """Record: a notification worth keeping (plans, diffs, warnings); a store may leave it out."""

    turn_id: str
    notification: Notification


Record: TypeAlias = (
    TurnBegan | HistoryAppended | HistoryReplaced | TurnsDropped | ItemFinished | UsageCounted | TurnEnded | Observed
)


@frozen(kw_only=True)
class StoredThread:
    """A thread read back.

    :param thread: as clients see it, ``turns`` filled, items with the ids they had live.
    :param history: items of the Responses API to go on with.
    :param settings: of the last turn, as far as they were stored; keys of ``ThreadSettings``.
    :param fragments: texts of the instruction fragments sent so far, by key, as far as they can be told.
    :param warnings: what the user is told when the thread goes on, such as parts that could not be read.
    """

    thread: Thread
    history: tuple[JsonObject, ...]
    usage: ThreadTokenUsage
    settings: dict[str, Any] = field(factory=dict)
    fragments: dict[str, str] = field(factory=dict)
    warnings: tuple[str, ...] = ()


@frozen(kw_only=True)
class ThreadQuery:
    """Which threads to list, newest first (app-server ``thread/list``).

    :param cursor: ``next_cursor`` of the page before.
    :param source_kinds: e.g. ``cli``, ``vscode``, ``exec``, ``subAgent``; every kind when ``None``.
    :param search_term: part of the name or the first message, in any case.
    :param cwd: only threads of this directory.
    """

    cursor: str | None = None
    limit: int = 25
    sort_key: Literal["created_at", "updated_at"] = "created_at"
    archived: bool = False
    source_kinds: tuple[str, ...] | None = None
    model_providers: tuple[str, ...] | None = None
    cwd: str | None = None
    search_term: str | None = None


@frozen
class UnreadableThread:
    """What a store found where a thread should be.

    :param updated_at: when it was last changed, seconds since the epoch.
    """

    path: str
    reason: str
    updated_at: int = field(kw_only=True)


@frozen
class ThreadPage:
    """One page of a listing; ``turns`` of its threads are empty.

    :param unreadable: all that could not be read, whatever page is asked for.
    """

    threads: tuple[Thread, ...]
    next_cursor: str | None = None
    unreadable: tuple[UnreadableThread, ...] = ()
