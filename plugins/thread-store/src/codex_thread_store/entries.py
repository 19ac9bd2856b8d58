"""Turn the lines of a rollout into records (formats of Codex 0.118 and 0.169)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from codex_hookspecs.protocol import (
    AgentMessage,
    ContextCompaction,
    HookPrompt,
    HookPromptFragment,
    ImageView,
    Item,
    Plan,
    ThreadTokenUsage,
    TokenUsage,
    TurnError,
    UserMessage,
)
from codex_hookspecs.storage import (
    HistoryAppended,
    HistoryReplaced,
    ItemFinished,
    Record,
    TurnEnded,
    TurnsDropped,
    UsageCounted,
    hook_prompts,
    is_user_turn,
)
from codex_thread_store.history_items import history_item
from codex_thread_store.item_checks import checked
from codex_thread_store.item_forms import command_of, item_of, patch_of, search_of
from codex_thread_store.settings_forms import camel_words, context_settings

_COUNTS = tuple(part.name for part in attrs.fields(TokenUsage))


class Began:
    """Says that a turn began, with settings that are not known as a whole."""

    __slots__ = ("turn_id",)

    def __init__(self, turn_id: str) -> None:
        self.turn_id = turn_id


class Shown:
    """An item that an event of 0.118 stands for; it counts only in turns without ``item_completed`` events.

    :param item: without an id when the event has none; it gets a number then.
    """

    __slots__ = ("item", "turn_id")

    def __init__(self, turn_id: str, item: Item) -> None:
        self.turn_id = turn_id
        self.item = item


class Reasoned:
    """Reasoning that events of 0.118 tell part by part; it counts as :class:`Shown` does."""

    __slots__ = ("content", "summary", "turn_id")

    def __init__(self, turn_id: str) -> None:
        self.turn_id = turn_id
        self.summary: list[str] = []
        self.content: list[str] = []


class Entries:
    """Collects the records that lines stand for, each with the time stamp of its line.

    :param history: what was sent to the model, and what it cost, is wanted too.
    """

    def __init__(self, *, history: bool = True) -> None:
        self.with_history = history
        self.records: list[tuple[Any, Record | Began | Shown | Reasoned]] = []
        self.settings: list[dict[str, Any]] = []
        self.itemized: set[str] = set()
        self.broken = 0
        self.damaged: dict[str, int] = {}
        self.unknown = 0
        self._turn_id = ""
        self._errors: dict[str, TurnError] = {}
        self._implied = 0
        self._history: list[dict[str, Any]] = []
        self._reasoning: Reasoned | None = None
        self._stamp: Any = None

    def take(self, kind: str, payload: dict[str, Any], stamp: Any) -> None:
        """Take the next line."""
        self._stamp = stamp
        try:
            if kind == "response_item":
                self._respond(payload)
            elif kind == "event_msg":
                self._event(payload)
            elif kind == "turn_context":
                self.settings.append(context_settings(payload))
            elif kind == "compacted":
                self._compact(payload)
            elif kind not in _IGNORED:
                self.unknown += 1
        except MALFORMED:
            self.broken += 1

    def _keep(self, record: Record) -> None:
        self.records.append((self._stamp, record))

    def _respond(self, payload: dict[str, Any]) -> None:
        item = history_item(payload)
        if self.with_history:
            self._history.append(item)
            self._keep(HistoryAppended(item, self._turn_id))
        prompts = hook_prompts(item)
        if prompts:
            self._show(HookPrompt(id="", fragments=tuple(HookPromptFragment(*prompt) for prompt in prompts)))

    def _compact(self, payload: dict[str, Any]) -> None:
        message, items = _text(payload, "message"), payload.get("replacement_history")
        if isinstance(items, list):
            self._history = list(map(history_item, items))
        elif items is None:
            summary = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": message}]}
            self._history = [*filter(is_user_turn, self._history), summary]
        else:
            raise TypeError("a history that is no list")
        if self.with_history:
            self._keep(HistoryReplaced(items=tuple(self._history), message=message))

    def _event(self, payload: dict[str, Any]) -> None:
        reader = _EVENTS.get(payload["type"])
        if reader is None:
            self.unknown += 1
        else:
            reader(self, payload)

    def _show(self, item: Item, turn_id: str | None = None) -> None:
        if not self._turn_id:
            self._begin(f"turn-{self._implied}")
        self._reasoning = None
        self.records.append((self._stamp, Shown(turn_id or self._turn_id, checked(item))))

    def _begin(self, turn_id: str) -> None:
        self._turn_id = turn_id
        self._reasoning = None
        self.records.append((self._stamp, Began(turn_id)))

    def _turn_of(self, payload: dict[str, Any]) -> str:
        return _id(payload, "turn_id") or self._turn_id

    def _task_started(self, payload: dict[str, Any]) -> None:
        self._implied += 1
        self._begin(_id(payload, "turn_id") or f"turn-{self._implied}")

    def _task_complete(self, payload: dict[str, Any]) -> None:
        turn_id = self._turn_of(payload)
        error = _error(payload["error"]) if payload.get("error") is not None else self._errors.pop(turn_id, None)
        self._keep(
            TurnEnded(
                turn_id=turn_id,
                status="completed" if error is None else "failed",
                error=error,
                last_agent_message=_optional(payload, "last_agent_message"),
                duration_ms=_milliseconds(payload),
            )
        )

    def _turn_aborted(self, payload: dict[str, Any]) -> None:
        turn_id = self._turn_of(payload)
        self._keep(TurnEnded(turn_id=turn_id, status="interrupted", duration_ms=_milliseconds(payload)))

    def _item_completed(self, payload: dict[str, Any]) -> None:
        item = item_of(payload.get("item"))
        if item is None:
            self.unknown += 1
            return
        turn_id = self._turn_of(payload)
        if not isinstance(item, Plan):
            self.itemized.add(turn_id)
        self._reasoning = None
        self._keep(ItemFinished(turn_id, item))

    def _token_count(self, payload: dict[str, Any]) -> None:
        info = payload.get("info")
        if isinstance(info, dict) and self.with_history:
            usage = ThreadTokenUsage(
                total=_usage(info.get("total_token_usage")),
                last=_usage(info.get("last_token_usage")),
                model_context_window=_whole(info.get("model_context_window")),
            )
            self._keep(UsageCounted(self._turn_id, usage))

    def _user_message(self, payload: dict[str, Any]) -> None:
        content: list[dict[str, Any]] = []
        message = _optional(payload, "message")
        if message:
            content.append({"type": "text", "text": message, "text_elements": _list(payload, "text_elements")})
        content.extend({"type": "image", "url": url} for url in _list(payload, "images", str))
        content.extend({"type": "localImage", "path": path} for path in _list(payload, "local_images", str))
        self._show(UserMessage(id="", content=tuple(content)))

    def _agent_message(self, payload: dict[str, Any]) -> None:
        text, phase = _text(payload, "message"), _optional(payload, "phase")
        self._show(AgentMessage(id="", text=text, phase=phase, memory_citation=payload.get("memory_citation")))

    def _reasoned(self, payload: dict[str, Any]) -> None:
        text = _text(payload, "text")
        if self._reasoning is None:
            if not self._turn_id:
                self._begin(f"turn-{self._implied}")
            self._reasoning = Reasoned(self._turn_id)
            self.records.append((self._stamp, self._reasoning))
        parts = self._reasoning.summary if payload["type"] == "agent_reasoning" else self._reasoning.content
        parts.append(text)

    def _failed(self, payload: dict[str, Any]) -> None:
        self._errors[self._turn_id] = _error(payload)

    def _command(self, payload: dict[str, Any]) -> None:
        self._show(command_of(payload, _text(payload, "call_id")), _id(payload, "turn_id"))

    def _patch(self, payload: dict[str, Any]) -> None:
        self._show(patch_of(payload, _text(payload, "call_id")), _id(payload, "turn_id"))

    def _view(self, payload: dict[str, Any]) -> None:
        self._show(ImageView(id=_text(payload, "call_id"), path=_text(payload, "path")))

    def _search(self, payload: dict[str, Any]) -> None:
        self._show(search_of(payload, _text(payload, "call_id")))

    def _rolled_back(self, payload: dict[str, Any]) -> None:
        count = _whole(payload["num_turns"])
        if count is None:
            raise TypeError("a number of turns that is none")
        self._keep(TurnsDropped(count))


MALFORMED = (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)
"""What reading a line raises that does not have the shape it should have."""

_IGNORED = ("session_meta", "world_state", "token_usage_record", "session_state", "ghost_snapshot")
_EVENTS: dict[str, Callable[[Entries, dict[str, Any]], None]] = {
    "task_started": Entries._task_started,
    "turn_started": Entries._task_started,
    "task_complete": Entries._task_complete,
    "turn_complete": Entries._task_complete,
    "turn_aborted": Entries._turn_aborted,
    "item_completed": Entries._item_completed,
    "token_count": Entries._token_count,
    "user_message": Entries._user_message,
    "agent_message": Entries._agent_message,
    "agent_reasoning": Entries._reasoned,
    "agent_reasoning_raw_content": Entries._reasoned,
    "context_compacted": lambda entries, _: entries._show(ContextCompaction(id="")),
    "thread_rolled_back": Entries._rolled_back,
    "error": Entries._failed,
    "exec_command_end": Entries._command,
    "patch_apply_end": Entries._patch,
    "view_image_tool_call": Entries._view,
    "web_search_end": Entries._search,
}


def _error(form: Any) -> TurnError:
    if not isinstance(form, dict):
        return TurnError(str(form))
    return TurnError(
        str(form.get("message", "")),
        camel_words(form.get("codex_error_info")),
        additional_details=form.get("additional_details"),
    )


def _usage(form: Any) -> TokenUsage:
    counts = form if isinstance(form, dict) else {}
    return TokenUsage(**{name: int(counts.get(name) or 0) for name in _COUNTS})


def _text(form: dict[str, Any], name: str) -> str:
    value = form[name]
    if not isinstance(value, str):
        raise TypeError(f"{name} is no text")
    return value


def _optional(form: dict[str, Any], name: str) -> str | None:
    return None if form.get(name) is None else _text(form, name)


def _id(form: dict[str, Any], name: str) -> str | None:
    return _optional(form, name) or None


def _list(form: dict[str, Any], name: str, kind: type = object) -> list[Any]:
    values = form.get(name) or []
    if not isinstance(values, list) or not all(isinstance(value, kind) for value in values):
        raise TypeError(f"{name} is no list of what it should hold")
    return values


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 62 else None


def _milliseconds(form: dict[str, Any]) -> int | None:
    return _whole(form.get("duration_ms"))
