"""Decode the lines of a rollout into records (formats of Codex 0.118 and 0.169)."""

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
from codex_thread_store.history_items import check_history_item
from codex_thread_store.item_checks import check_types
from codex_thread_store.item_formats import decode_command, decode_item, decode_patch, decode_search
from codex_thread_store.settings_formats import decode_turn_context, to_camel_case

_COUNTS = tuple(part.name for part in attrs.fields(TokenUsage))


class TurnStarted:
    """The start of a turn; unlike :class:`~codex_hookspecs.storage.TurnBegan` it carries no settings.

    :param implied: whether the file has no event for it, as in files of older versions; then it has none for the end.
    """

    __slots__ = ("implied", "turn_id")

    def __init__(self, turn_id: str, *, implied: bool) -> None:
        self.turn_id = turn_id
        self.implied = implied


class EventItem:
    """An item that an event of 0.118 describes; ignored in turns that have ``item_completed`` events.

    :param item: the item; its id is empty when the event has none, and is then numbered later.
    """

    __slots__ = ("item", "turn_id")

    def __init__(self, turn_id: str, item: Item) -> None:
        self.turn_id = turn_id
        self.item = item


class EventReasoning:
    """Reasoning whose parts are spread over events of 0.118; ignored where an :class:`EventItem` is."""

    __slots__ = ("content", "summary", "turn_id")

    def __init__(self, turn_id: str) -> None:
        self.turn_id = turn_id
        self.summary: list[str] = []
        self.content: list[str] = []


class RolloutDecoder:
    """Decodes lines one by one and collects their records, each with the time stamp of its line.

    :param history: whether the model's input and the token usage are decoded as well.
    :ivar settings: settings of the last turn, by attribute of ``ThreadSettings``.
    :ivar turns_with_items: ids of turns that have ``item_completed`` events.
    :ivar malformed_lines: number of malformed lines in all files.
    :ivar malformed_by_file: number of malformed lines by file, filled in by the reader.
    :ivar unknown_lines: number of lines of an unknown type.
    """

    def __init__(self, *, history: bool = True) -> None:
        self.with_history = history
        self.records: list[tuple[Any, Record | TurnStarted | EventItem | EventReasoning]] = []
        self.settings: dict[str, Any] = {}
        self.turns_with_items: set[str] = set()
        self.malformed_lines = 0
        self.malformed_by_file: dict[str, int] = {}
        self.unknown_lines = 0
        self._turn_id = ""
        self._marked = False
        """Whether the file has an event for the start of the turn, and none for its end so far."""
        self._implied_turn: str | None = None
        """Id of the last turn that has no event of its own."""
        self._prompt: int | None = None
        """Index in the records of a message of the user that belongs to no turn yet."""
        self._without_prompt = False
        """Whether the turn is an implied one whose first message is not in the history yet."""
        self._errors: dict[str, TurnError] = {}
        self._implied = 0
        self._history: list[dict[str, Any]] = []
        self._reasoning: EventReasoning | None = None
        self._stamp: Any = None

    def decode(self, kind: str, payload: dict[str, Any], stamp: Any) -> None:
        """Decode the next line."""
        self._stamp = stamp
        try:
            if kind == "response_item":
                self._response_item(payload)
            elif kind == "event_msg":
                self._event(payload)
            elif kind == "turn_context":
                self.settings.update(decode_turn_context(payload))
            elif kind == "compacted":
                self._compacted(payload)
            elif kind not in _IGNORED:
                self.unknown_lines += 1
        except MALFORMED:
            self.malformed_lines += 1

    def _add(self, record: Record) -> None:
        self.records.append((self._stamp, record))

    def _response_item(self, payload: dict[str, Any]) -> None:
        item = check_history_item(payload)
        if self.with_history:
            self._history.append(item)
            if not self._marked and is_user_turn(item):
                self._prompt = None if self._without_prompt else len(self.records)
                self._without_prompt = False
            self._add(HistoryAppended(item, self._turn_id))
        prompts = hook_prompts(item)
        if prompts:
            self._add_item(HookPrompt(id="", fragments=tuple(HookPromptFragment(*prompt) for prompt in prompts)))

    def _compacted(self, payload: dict[str, Any]) -> None:
        message, items = _text(payload, "message"), payload.get("replacement_history")
        if isinstance(items, list):
            self._history = list(map(check_history_item, items))
        elif items is None:
            summary = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": message}]}
            self._history = [*filter(is_user_turn, self._history), summary]
        else:
            raise TypeError("the history is not a list")
        self._prompt, self._without_prompt = None, False
        if self.with_history:
            self._add(HistoryReplaced(items=tuple(self._history), message=message))

    def _event(self, payload: dict[str, Any]) -> None:
        reader = _EVENTS.get(payload["type"])
        if reader is None:
            self.unknown_lines += 1
        else:
            reader(self, payload)

    def _add_item(self, item: Item, turn_id: str | None = None) -> None:
        if not self._turn_id:
            self._imply_turn()
        self._reasoning = None
        self.records.append((self._stamp, EventItem(turn_id or self._turn_id, check_types(item))))

    def _imply_turn(self) -> None:
        """Start a turn that has no event of its own, before the message in the history that it answers."""
        self._implied += 1
        self._turn_id = self._implied_turn = f"turn-{self._implied}"
        self._reasoning = None
        position = len(self.records) if self._prompt is None else self._prompt
        self._without_prompt = self._prompt is None
        self._prompt = None
        self.records.insert(position, (self._stamp, TurnStarted(self._turn_id, implied=True)))

    def _turn_of(self, payload: dict[str, Any]) -> str:
        return _id(payload, "turn_id") or self._turn_id

    def _task_started(self, payload: dict[str, Any]) -> None:
        self._implied += 1
        self._turn_id = _id(payload, "turn_id") or f"turn-{self._implied}"
        self._marked, self._prompt, self._without_prompt = True, None, False
        self._reasoning = None
        self.records.append((self._stamp, TurnStarted(self._turn_id, implied=False)))

    def _end_turn(self, turn_id: str) -> None:
        if turn_id == self._turn_id:
            self._marked = self._without_prompt = False

    def _task_complete(self, payload: dict[str, Any]) -> None:
        turn_id = self._turn_of(payload)
        self._end_turn(turn_id)
        error = _error(payload["error"]) if payload.get("error") is not None else self._errors.pop(turn_id, None)
        self._add(
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
        self._end_turn(turn_id)
        self._add(TurnEnded(turn_id=turn_id, status="interrupted", duration_ms=_milliseconds(payload)))

    def _item_completed(self, payload: dict[str, Any]) -> None:
        item = decode_item(payload.get("item"))
        if item is None:
            self.unknown_lines += 1
            return
        turn_id = self._turn_of(payload)
        if not isinstance(item, Plan):
            self.turns_with_items.add(turn_id)
        self._reasoning = None
        self._add(ItemFinished(turn_id, item))

    def _token_count(self, payload: dict[str, Any]) -> None:
        info = payload.get("info")
        if isinstance(info, dict) and self.with_history:
            usage = ThreadTokenUsage(
                total=_usage(info.get("total_token_usage")),
                last=_usage(info.get("last_token_usage")),
                model_context_window=_to_int(info.get("model_context_window")),
            )
            self._add(UsageCounted(self._turn_id, usage))

    def _user_message(self, payload: dict[str, Any]) -> None:
        content: list[dict[str, Any]] = []
        message = _optional(payload, "message")
        if message:
            content.append({"type": "text", "text": message, "text_elements": _list(payload, "text_elements")})
        content.extend({"type": "image", "url": url} for url in _list(payload, "images", str))
        content.extend({"type": "localImage", "path": path} for path in _list(payload, "local_images", str))
        if not self._marked:
            if self.turns_with_items:
                return  # Such files have the item as well, with its turn, which may have ended.
            self._imply_turn()
        self._add_item(UserMessage(id="", content=tuple(content)))

    def _agent_message(self, payload: dict[str, Any]) -> None:
        text, phase = _text(payload, "message"), _optional(payload, "phase")
        self._add_item(AgentMessage(id="", text=text, phase=phase, memory_citation=payload.get("memory_citation")))

    def _agent_reasoning(self, payload: dict[str, Any]) -> None:
        text = _text(payload, "text")
        if self._reasoning is None:
            if not self._turn_id:
                self._imply_turn()
            self._reasoning = EventReasoning(self._turn_id)
            self.records.append((self._stamp, self._reasoning))
        parts = self._reasoning.summary if payload["type"] == "agent_reasoning" else self._reasoning.content
        parts.append(text)

    def _error(self, payload: dict[str, Any]) -> None:
        error = self._errors[self._turn_id] = _error(payload)
        if self._turn_id == self._implied_turn:
            self._add(TurnEnded(turn_id=self._turn_id, status="failed", error=error))

    def _command(self, payload: dict[str, Any]) -> None:
        self._add_item(decode_command(payload, _text(payload, "call_id")), _id(payload, "turn_id"))

    def _patch(self, payload: dict[str, Any]) -> None:
        self._add_item(decode_patch(payload, _text(payload, "call_id")), _id(payload, "turn_id"))

    def _view(self, payload: dict[str, Any]) -> None:
        self._add_item(ImageView(id=_text(payload, "call_id"), path=_text(payload, "path")))

    def _search(self, payload: dict[str, Any]) -> None:
        self._add_item(decode_search(payload, _text(payload, "call_id")))

    def _thread_settings_applied(self, payload: dict[str, Any]) -> None:
        settings = payload["thread_settings"]
        if isinstance(settings, dict):
            self.settings.update(decode_turn_context(settings))

    def _thread_rolled_back(self, payload: dict[str, Any]) -> None:
        count = _to_int(payload["num_turns"])
        if count is None:
            raise TypeError("the number of turns is not a number")
        self._add(TurnsDropped(count))
        self._turn_id, self._marked = "", False


MALFORMED = (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)
"""Exceptions that decoding a malformed line raises."""

_IGNORED = ("session_meta", "world_state", "token_usage_record", "session_state", "ghost_snapshot")
_EVENTS: dict[str, Callable[[RolloutDecoder, dict[str, Any]], None]] = {
    "task_started": RolloutDecoder._task_started,
    "turn_started": RolloutDecoder._task_started,
    "task_complete": RolloutDecoder._task_complete,
    "turn_complete": RolloutDecoder._task_complete,
    "turn_aborted": RolloutDecoder._turn_aborted,
    "item_completed": RolloutDecoder._item_completed,
    "token_count": RolloutDecoder._token_count,
    "user_message": RolloutDecoder._user_message,
    "agent_message": RolloutDecoder._agent_message,
    "agent_reasoning": RolloutDecoder._agent_reasoning,
    "agent_reasoning_raw_content": RolloutDecoder._agent_reasoning,
    "context_compacted": lambda decoder, _: decoder._add_item(ContextCompaction(id="")),
    "thread_rolled_back": RolloutDecoder._thread_rolled_back,
    "thread_settings_applied": RolloutDecoder._thread_settings_applied,
    "error": RolloutDecoder._error,
    "exec_command_end": RolloutDecoder._command,
    "patch_apply_end": RolloutDecoder._patch,
    "view_image_tool_call": RolloutDecoder._view,
    "web_search_end": RolloutDecoder._search,
}


def _error(form: Any) -> TurnError:
    if not isinstance(form, dict):
        return TurnError(str(form))
    return TurnError(
        str(form.get("message", "")),
        to_camel_case(form.get("codex_error_info")),
        additional_details=form.get("additional_details"),
    )


def _usage(form: Any) -> TokenUsage:
    counts = form if isinstance(form, dict) else {}
    return TokenUsage(**{name: int(counts.get(name) or 0) for name in _COUNTS})


def _text(form: dict[str, Any], name: str) -> str:
    value = form[name]
    if not isinstance(value, str):
        raise TypeError(f"{name} is not a string")
    return value


def _optional(form: dict[str, Any], name: str) -> str | None:
    return None if form.get(name) is None else _text(form, name)


def _id(form: dict[str, Any], name: str) -> str | None:
    return _optional(form, name) or None


def _list(form: dict[str, Any], name: str, kind: type = object) -> list[Any]:
    values = form.get(name) or []
    if not isinstance(values, list) or not all(isinstance(value, kind) for value in values):
        raise TypeError(f"{name} is not a list of {kind.__name__}")
    return values


def _to_int(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 62 else None


def _milliseconds(form: dict[str, Any]) -> int | None:
    return _to_int(form.get("duration_ms"))
