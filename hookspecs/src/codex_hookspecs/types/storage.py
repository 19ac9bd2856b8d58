"""Values of thread stores: records, stored threads, queries."""

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
    """Metadata of a new thread.

    :param thread_id: id of the thread, a UUID of version 7.
    :param settings: its initial settings.
    :param created_at_ms: milliseconds since the epoch.
    :param cli_version: version of the program that created it.
    :param base_instructions: its initial base instructions; if empty, those of its first turn.
    :param git: state of its work tree at the start, or ``None``.
    :param forked_from: thread that this one is a copy of, or ``None``.
    :param agent_nickname: name of its subagent, or ``None``.
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
    """Record: a turn started with these settings, including the effective ``base_instructions``.

    :param turn_id: id of the turn.
    :param settings: settings of the turn.
    :param current_date: local date, ``2026-03-31``.
    :param timezone: name of the local time zone, ``Europe/Berlin``.
    :param counts_tokens: whether tool outputs are truncated by tokens rather than bytes.
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
    """Record: the last turns were rolled back.

    A turn is everything recorded under one turn id since the turn began: the prompt, input that steered it, prompts
    of ``stop`` hooks that continued it, the model's answers, calls with their outputs, and a compaction within it.
    Turns are counted by their ids, as clients see them; never by prompts. The model's history becomes the one at the
    start of the first turn that is dropped, also when it was compacted since.

    :param count: number of turns; all, if there are fewer.
    """

    count: int


@frozen
class SettingsChanged:
    """Record: settings were changed outside of a turn, such as those of a fork.

    :param settings: settings of the next turn.
    """

    settings: ThreadSettings


@frozen
class ItemFinished:
    """Record: a client-visible item was completed.

    :param turn_id: id of the turn.
    :param item: the item, complete.
    """

    turn_id: str
    item: Item


@frozen
class UsageCounted:
    """Record: token usage was updated.

    :param turn_id: id of the turn.
    :param usage: token usage of the thread so far, and of the last request.
    """

    turn_id: str
    usage: ThreadTokenUsage


@frozen(kw_only=True)
class TurnEnded:
    """Record: a turn ended.

    :param turn_id: id of the turn.
    :param status: how it ended.
    :param error: why it failed, or ``None``.
    :param last_agent_message: the last message of the model, or ``None``.
    :param duration_ms: its duration in milliseconds.
    """

    turn_id: str
    status: TurnStatus
    error: TurnError | None = None
    last_agent_message: str | None = None
    duration_ms: int | None = None


@frozen
class Observed:
    """Record: a notification (plan, diff, warning); stores may ignore it.

    :param turn_id: id of the turn.
    :param notification: the notification sent to clients.
    """

    turn_id: str
    notification: Notification


Record: TypeAlias = (
    TurnBegan
    | SettingsChanged
    | HistoryAppended
    | HistoryReplaced
    | TurnsDropped
    | ItemFinished
    | UsageCounted
    | TurnEnded
    | Observed
)


@frozen(kw_only=True)
class StoredThread:
    """A thread read back.

    :param thread: the thread in the form for clients, with ``turns``; items have their original ids.
    :param history: the model's history: items of the Responses API.
    :param usage: token usage so far.
    :param settings: settings of the last turn, as far as stored; keys of ``ThreadSettings``.
    :param fragments: texts of the instruction fragments sent so far, by key, as far as known.
    :param warnings: warnings for the user when the thread is resumed, e.g. unreadable parts.
    """

    thread: Thread
    history: tuple[JsonObject, ...]
    usage: ThreadTokenUsage
    settings: dict[str, Any] = field(factory=dict)
    fragments: dict[str, str] = field(factory=dict)
    warnings: tuple[str, ...] = ()


@frozen(kw_only=True)
class ThreadQuery:
    """Which threads to list (app-server ``thread/list``).

    :param cursor: ``next_cursor`` of the previous page.
    :param limit: most threads per page.
    :param sort_key: the time to sort by.
    :param ascending: oldest first instead of newest first.
    :param archived: list archived threads instead of the others.
    :param source_kinds: e.g. ``cli``, ``vscode``, ``exec``, ``subAgent``; ``None`` for every kind.
    :param model_providers: only threads of these providers; ``None`` for all.
    :param cwds: only threads of these directories; ``None`` for all.
    :param search_term: part of the name or the first message, case-insensitive.
    """

    cursor: str | None = None
    limit: int = 25
    sort_key: Literal["created_at", "updated_at"] = "created_at"
    ascending: bool = False
    archived: bool = False
    source_kinds: tuple[str, ...] | None = None
    model_providers: tuple[str, ...] | None = None
    cwds: tuple[str, ...] | None = None
    search_term: str | None = None


@frozen
class UnreadableThread:
    """A stored thread that can't be read.

    :param path: absolute path of the file.
    :param reason: why it can't be read, for users.
    :param updated_at: time of its last modification, seconds since the epoch.
    """

    path: str
    reason: str
    updated_at: int = field(kw_only=True)


@frozen
class ThreadPage:
    """One page of a list of threads, without ``turns``.

    :param threads: in the order of the query.
    :param next_cursor: ``cursor`` of the next page; ``None`` on the last one.
    :param unreadable: all unreadable threads, regardless of the page.
    """

    threads: tuple[Thread, ...]
    next_cursor: str | None = None
    unreadable: tuple[UnreadableThread, ...] = ()
