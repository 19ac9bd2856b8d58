"""Turn the lines of a rollout into records (formats of Codex 0.118 and 0.169)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from codex_hookspecs.fragments import hook_prompts, is_user_turn
from codex_hookspecs.types.items import (
    AgentMessage,
    ContextCompaction,
    HookPrompt,
    HookPromptFragment,
    ImageView,
    Item,
    Plan,
    Reasoning,
    UserMessage,
)
from codex_hookspecs.types.storage import (
    HistoryAppended,
    HistoryReplaced,
    ItemFinished,
    Record,
    TurnEnded,
    TurnsDropped,
    UsageCounted,
)
from codex_hookspecs.types.threads import ThreadTokenUsage, TokenUsage, TurnError
from codex_thread_store.item_forms import command_of, item_of, patch_of, search_of
from codex_thread_store.settings_forms import camel_words, context_settings

_PRIVATE = "internal_chat_message_metadata_passthrough"
"""What 0.169 keeps on items for its own service; no other provider knows it."""


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


class Entries:
    """Collects the records that lines stand for."""

    def __init__(self) -> None:
        self.records: list[tuple[int | None, Record | Began | Shown]] = []
        self.settings: list[dict[str, Any]] = []
        self.itemized: set[str] = set()
        self.broken = 0
        self.unknown = 0
        self._turn_id = ""
        self._errors: dict[str, TurnError] = {}
        self._implied = 0
        self._history: list[dict[str, Any]] = []
        self._at_ms: int | None = None

    def take(self, kind: str, payload: dict[str, Any], at_ms: int | None) -> None:
        """Take the next line."""
        self._at_ms = at_ms
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
        except (KeyError, TypeError, ValueError, AttributeError):
            self.broken += 1

    def _keep(self, record: Record) -> None:
        self.records.append((self._at_ms, record))

    def _respond(self, payload: dict[str, Any]) -> None:
        item = {key: value for key, value in payload.items() if key != _PRIVATE}
        self._history.append(item)
        self._keep(HistoryAppended(item, self._turn_id))
        prompts = hook_prompts(item)
        if prompts:
            self._show(HookPrompt(id="", fragments=tuple(HookPromptFragment(*prompt) for prompt in prompts)))

    def _compact(self, payload: dict[str, Any]) -> None:
        message = str(payload.get("message", ""))
        items = payload.get("replacement_history")
        if not isinstance(items, list):
            summary = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": message}]}
            items = [*(item for item in self._history if is_user_turn(item)), summary]
        self._history = [{k: v for k, v in item.items() if k != _PRIVATE} for item in items]
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
        self.records.append((self._at_ms, Shown(turn_id or self._turn_id, item)))

    def _begin(self, turn_id: str) -> None:
        self._turn_id = turn_id
        self.records.append((self._at_ms, Began(turn_id)))

    def _task_started(self, payload: dict[str, Any]) -> None:
        self._implied += 1
        self._begin(payload.get("turn_id") or f"turn-{self._implied}")

    def _task_complete(self, payload: dict[str, Any]) -> None:
        turn_id = payload.get("turn_id") or self._turn_id
        error = _error(payload["error"]) if payload.get("error") is not None else self._errors.pop(turn_id, None)
        self._keep(
            TurnEnded(
                turn_id=turn_id,
                status="completed" if error is None else "failed",
                error=error,
                last_agent_message=payload.get("last_agent_message"),
                duration_ms=payload.get("duration_ms"),
            )
        )

    def _turn_aborted(self, payload: dict[str, Any]) -> None:
        turn_id = payload.get("turn_id") or self._turn_id
        self._keep(TurnEnded(turn_id=turn_id, status="interrupted", duration_ms=payload.get("duration_ms")))

    def _item_completed(self, payload: dict[str, Any]) -> None:
        item = item_of(payload.get("item"))
        if item is None:
            self.unknown += 1
            return
        turn_id = payload.get("turn_id") or self._turn_id
        if not isinstance(item, Plan):
            self.itemized.add(turn_id)
        self._keep(ItemFinished(turn_id, item))

    def _token_count(self, payload: dict[str, Any]) -> None:
        info = payload.get("info")
        if isinstance(info, dict):
            usage = ThreadTokenUsage(
                total=_usage(info.get("total_token_usage")),
                last=_usage(info.get("last_token_usage")),
                model_context_window=info.get("model_context_window"),
            )
            self._keep(UsageCounted(self._turn_id, usage))

    def _user_message(self, payload: dict[str, Any]) -> None:
        content: list[dict[str, Any]] = []
        if payload.get("message"):
            elements = payload.get("text_elements") or []
            content.append({"type": "text", "text": payload["message"], "text_elements": elements})
        content.extend({"type": "image", "url": url} for url in payload.get("images") or ())
        content.extend({"type": "localImage", "path": path} for path in payload.get("local_images") or ())
        self._show(UserMessage(id="", content=tuple(content)))

    def _agent_message(self, payload: dict[str, Any]) -> None:
        self._show(
            AgentMessage(
                id="",
                text=payload["message"],
                phase=payload.get("phase"),
                memory_citation=payload.get("memory_citation"),
            )
        )

    def _reason(self, summary: tuple[str, ...], content: tuple[str, ...]) -> None:
        last = self.records[-1][1] if self.records else None
        if isinstance(last, Shown) and isinstance(last.item, Reasoning):
            summary, content = last.item.summary + summary, last.item.content + content
            self.records.pop()
        self._show(Reasoning(id="", summary=summary, content=content))

    def _failed(self, payload: dict[str, Any]) -> None:
        self._errors[self._turn_id] = _error(payload)

    def _command(self, payload: dict[str, Any]) -> None:
        self._show(command_of(payload, payload["call_id"]), payload.get("turn_id"))

    def _patch(self, payload: dict[str, Any]) -> None:
        self._show(patch_of(payload, payload["call_id"]), payload.get("turn_id"))

    def _view(self, payload: dict[str, Any]) -> None:
        self._show(ImageView(id=payload["call_id"], path=payload["path"]))

    def _search(self, payload: dict[str, Any]) -> None:
        self._show(search_of(payload, payload["call_id"]))

    def _rolled_back(self, payload: dict[str, Any]) -> None:
        self._keep(TurnsDropped(int(payload["num_turns"])))


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
    "agent_reasoning": lambda entries, payload: entries._reason((payload["text"],), ()),
    "agent_reasoning_raw_content": lambda entries, payload: entries._reason((), (payload["text"],)),
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
    return TokenUsage(**{part.name: int(counts.get(part.name) or 0) for part in attrs.fields(TokenUsage)})
