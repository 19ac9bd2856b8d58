"""Rebuild a thread from its stored records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from codex_hookspecs.storage.fragments import preview_of, sent_fragments, texts_of
from codex_hookspecs.types.items import Item, UserMessage
from codex_hookspecs.types.storage import (
    HistoryAppended,
    HistoryReplaced,
    ItemFinished,
    Record,
    SettingsChanged,
    StoredThread,
    ThreadMeta,
    TurnBegan,
    TurnEnded,
    TurnsDropped,
    UsageCounted,
)
from codex_hookspecs.types.threads import (
    Thread,
    ThreadSettings,
    ThreadTokenUsage,
    TokenUsage,
    Turn,
    TurnError,
    TurnStatus,
)

if TYPE_CHECKING:
    from codex_hookspecs.types.json import JsonObject


class Replay:
    """Rebuilds a thread from its records.

    :param meta: metadata of the thread.
    """

    def __init__(self, meta: ThreadMeta) -> None:
        self.meta = meta
        self.settings = _settings(meta.settings, meta)
        self._turns: dict[str, _Turn] = {}
        self._history: list[JsonObject] = []
        self._usage = ThreadTokenUsage(total=TokenUsage(), last=TokenUsage())
        self._preview = ""
        self._updated_ms = meta.created_at_ms

    def take(self, record: Record, *, at_ms: int | None = None) -> None:
        """Apply the next record.

        :param at_ms: when it was stored, milliseconds since the epoch.
        """
        self._updated_ms = at_ms or self._updated_ms
        if isinstance(record, HistoryAppended):
            self._history.append(record.item)
        elif isinstance(record, ItemFinished):
            self._finish(record)
        elif isinstance(record, TurnBegan):
            self.begin(record.turn_id, at_ms=at_ms)
            self.settings.update(_settings(record.settings, self.meta))
        elif isinstance(record, TurnEnded):
            self._end(record, at_ms)
        elif isinstance(record, UsageCounted):
            self._usage = record.usage
        elif isinstance(record, HistoryReplaced):
            self._replace(record)
        elif isinstance(record, TurnsDropped):
            self._drop(record.count)
        elif isinstance(record, SettingsChanged):
            self.settings.update(_settings(record.settings, self.meta))

    def begin(self, turn_id: str, *, at_ms: int | None = None, status: TurnStatus = "interrupted") -> None:
        """Begin a turn, unless it has already begun.

        :param status: that of the turn when no end of it is stored.
        """
        if turn_id not in self._turns:
            self._turns[turn_id] = _Turn(turn_id, self._history, at_ms, status)

    @property
    def history(self) -> list[JsonObject]:
        """Items of the Responses API so far."""
        return self._history

    def result(
        self, *, path: str | None = None, name: str | None = None, updated_at: int | None = None
    ) -> StoredThread:
        """Return the thread; turns without an end are interrupted, unless :meth:`begin` was told otherwise.

        :param updated_at: seconds since the epoch; by default the time of the last record.
        """
        meta, settings = self.meta, self.meta.settings
        thread = Thread(
            id=meta.thread_id,
            session_id=meta.thread_id,
            preview=self._preview,
            model_provider=settings.model_provider,
            created_at=meta.created_at_ms // 1000,
            updated_at=self._updated_ms // 1000 if updated_at is None else updated_at,
            status={"type": "notLoaded"},
            path=path,
            cwd=settings.cwd,
            cli_version=meta.cli_version,
            source=settings.source,
            agent_nickname=meta.agent_nickname,
            agent_role=meta.agent_role,
            git_info=meta.git,
            name=name,
            turns=tuple(turn.value() for turn in self._turns.values()),
        )
        return StoredThread(
            thread=thread,
            history=tuple(self._history),
            usage=self._usage,
            settings=self.settings,
            fragments=self._fragments(),
        )

    def _fragments(self) -> dict[str, str]:
        found = sent_fragments(self._history)
        instructions = self.settings.get("developer_instructions")
        if instructions and any(instructions in texts_of(item, "developer") for item in self._history):
            found["developer_instructions"] = instructions
        return found

    def _finish(self, record: ItemFinished) -> None:
        self.begin(record.turn_id)
        self._turns[record.turn_id].items[record.item.id] = record.item
        if not self._preview and isinstance(record.item, UserMessage):
            self._preview = preview_of(record.item)

    def _end(self, record: TurnEnded, at_ms: int | None) -> None:
        self.begin(record.turn_id)
        turn = self._turns[record.turn_id]
        turn.status, turn.error = record.status, record.error
        turn.ended_ms, turn.duration_ms = at_ms, record.duration_ms

    def _replace(self, record: HistoryReplaced) -> None:
        self._history = list(record.items)

    def _drop(self, count: int) -> None:
        dropped = list(self._turns)[-count:] if count > 0 else []
        if dropped:
            first = self._turns[dropped[0]]
            self._history = first.history[: first.history_start]
        for turn_id in dropped:
            del self._turns[turn_id]


class _Turn:
    """A turn under construction.

    :param history: the model's history at its start, to which items may have been appended since.
    """

    def __init__(self, turn_id: str, history: list[JsonObject], began_ms: int | None, status: TurnStatus) -> None:
        self.id = turn_id
        self.history = history
        self.history_start = len(history)
        self.began_ms = began_ms
        self.ended_ms: int | None = None
        self.duration_ms: int | None = None
        self.items: dict[str, Item] = {}
        self.status = status
        self.error: TurnError | None = None

    def value(self) -> Turn:
        return Turn(
            id=self.id,
            items=tuple(self.items.values()),
            status=self.status,
            error=self.error,
            started_at=None if self.began_ms is None else self.began_ms // 1000,
            completed_at=None if self.ended_ms is None else self.ended_ms // 1000,
            duration_ms=self.duration_ms,
        )


def _settings(settings: ThreadSettings, meta: ThreadMeta) -> dict[str, Any]:
    """Return settings in the form of :class:`StoredThread`; a thread keeps its initial base instructions."""
    values: dict[str, Any] = attrs.asdict(settings, recurse=False)
    values["base_instructions"] = values["base_instructions"] or meta.base_instructions or None
    return values
