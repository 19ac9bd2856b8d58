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

    :param thread_id: id of the thread, a UUID of version 7.
    :param settings: settings that it began with.
    :param created_at_ms: milliseconds since the epoch.
    :param cli_version: version of the program that made it.
    :param base_instructions: the instructions the thread began with; those of its first turn when empty.
    :param git: state of the work tree it began in, or ``None``.
    :param forked_from: thread that this one is a copy of, or ``None``.
    :param agent_nickname: name of the subagent that it is of, or ``None``.
    :param agent_role: role of that subagent, or ``None``.
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

    :param turn_id: id of the turn.
    :param settings: settings of the turn.
    :param current_date: local date, ``2026-03-31``.
    :param timezone: name of the local time zone, ``Europe/Berlin``.
    :param counts_tokens: what tools put out is cut to a number of tokens in it, not to a number of bytes.
    """

    turn_id: str
    settings: ThreadSettings
    current_date: str
    timezone: str
    counts_tokens: bool = False


@frozen
class HistoryAppended:
    """Record: an item of the Responses API entered the model's history.

    :param item: the item.
    :param turn_id: id of the turn; empty outside of one.
    """

    item: JsonObject
    turn_id: str = ""


@frozen(kw_only=True)
class HistoryReplaced:
    """Record: the history was compacted to these items.

    :param items: the whole history from here on, oldest first.
    :param message: summary that the compaction made, for people.
    """

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
    """Record: a client-visible item is final.

    :param turn_id: id of the turn.
    :param item: the item, complete.
    """

    turn_id: str
    item: Item


@frozen
class UsageCounted:
    """Record: tokens were accounted.

    :param turn_id: id of the turn.
    :param usage: tokens of the thread so far, and of the last request.
    """

    turn_id: str
    usage: ThreadTokenUsage


@frozen(kw_only=True)
class TurnEnded:
    """Record: a turn ended.

    :param turn_id: id of the turn.
    :param status: how it ended.
    :param error: why it failed, or ``None``.
    :param last_agent_message: the last thing the model said, or ``None``.
    :param duration_ms: how long it took, in milliseconds.
    """

    turn_id: str
    status: TurnStatus
    error: TurnError | None = None
    last_agent_message: str | None = None
    duration_ms: int | None = None


@frozen
class Observed:
    """Record: a notification worth keeping (plans, diffs, warnings); a store may leave it out.

    :param turn_id: id of the turn.
    :param notification: what clients were told.
    """

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
    :param usage: tokens so far.
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
    :param limit: most threads of a page.
    :param sort_key: which time they are sorted by.
    :param archived: list those that were put away instead.
    :param source_kinds: e.g. ``cli``, ``vscode``, ``exec``, ``subAgent``; every kind when ``None``.
    :param model_providers: only threads of these providers; of all when ``None``.
    :param cwd: only threads of this directory.
    :param search_term: part of the name or the first message, in any case.
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

    :param path: absolute path of the file.
    :param reason: why it can't be read, for people.
    :param updated_at: when it was last changed, seconds since the epoch.
    """

    path: str
    reason: str
    updated_at: int = field(kw_only=True)


@frozen
class ThreadPage:
    """One page of a listing; ``turns`` of its threads are empty.

    :param threads: newest first.
    :param next_cursor: ``cursor`` of the next page; ``None`` on the last one.
    :param unreadable: all that could not be read, whatever page is asked for.
    """

    threads: tuple[Thread, ...]
    next_cursor: str | None = None
    unreadable: tuple[UnreadableThread, ...] = ()
