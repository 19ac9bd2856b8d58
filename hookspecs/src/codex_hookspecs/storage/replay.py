"""Rebuild a thread from its stored records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from codex_hookspecs.storage.fragments import is_user_turn, sent_fragments, texts_of
from codex_hookspecs.types.items import Item, UserMessage
from codex_hookspecs.types.storage import (
    HistoryAppended,
    HistoryReplaced,
    ItemFinished,
    Record,
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

IMAGE_ONLY = "[Image]"
"""Preview of a first message without text (0.118)."""


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

    def begin(self, turn_id: str, *, at_ms: int | None = None) -> None:
        """Begin a turn, unless it has already begun."""
        if turn_id not in self._turns:
            self._turns[turn_id] = _Turn(turn_id, len(self._history), at_ms)

    @property
    def history(self) -> list[JsonObject]:
        """Items of the Responses API so far."""
        return self._history

    def result(
        self, *, path: str | None = None, name: str | None = None, updated_at: int | None = None
    ) -> StoredThread:
        """Return the thread; turns without an end are interrupted.

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
        for turn in self._turns.values():
            turn.history_start = None

    def _drop(self, count: int) -> None:
        begun = [turn for turn in self._turns.values() if turn.from_user]
        if not begun or count <= 0:
            return
        first = begun[max(0, len(begun) - count)]
        ids = list(self._turns)
        for turn_id in ids[ids.index(first.id) :]:
            del self._turns[turn_id]
        if first.history_start is not None:
            del self._history[first.history_start :]
            return
        said = [index for index, item in enumerate(self._history) if is_user_turn(item)]
        if said:
            del self._history[said[max(0, len(said) - count)] :]


class _Turn:
    """A turn under construction.

    :param history_start: length of the history at its start; ``None`` if that history was replaced.
    """

    def __init__(self, turn_id: str, history_start: int | None, began_ms: int | None) -> None:
        self.id = turn_id
        self.history_start = history_start
        self.began_ms = began_ms
        self.ended_ms: int | None = None
        self.duration_ms: int | None = None
        self.items: dict[str, Item] = {}
        self.status: TurnStatus = "interrupted"
        self.error: TurnError | None = None

    @property
    def from_user(self) -> bool:
        return any(isinstance(item, UserMessage) for item in self.items.values())

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


def begins_thread(record: Record) -> bool:
    """Return whether a record makes a thread visible in lists; for a refused prompt that is the end of its turn."""
    if isinstance(record, HistoryAppended):
        return record.item.get("role") == "assistant" or is_user_turn(record.item)
    return isinstance(record, ItemFinished | HistoryReplaced | TurnEnded)


def preview_of(item: UserMessage) -> str:
    """Return the preview of a thread from its first message."""
    texts = (part.get("text") for part in item.content if part.get("type") == "text")
    text = "\n".join(text for text in texts if isinstance(text, str))
    return text or (IMAGE_ONLY if item.content else "")


def _settings(settings: ThreadSettings, meta: ThreadMeta) -> dict[str, Any]:
    """Return settings in the form of :class:`StoredThread`; a thread keeps its initial base instructions."""
    values: dict[str, Any] = attrs.asdict(settings, recurse=False)
    values["base_instructions"] = values["base_instructions"] or meta.base_instructions or None
    return values
