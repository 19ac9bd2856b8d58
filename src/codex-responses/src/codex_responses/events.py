"""Translate stream events of the Responses API into model events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from codex_hookspecs.types.models import (
    Completed,
    ItemAdded,
    ItemDone,
    ReasoningDelta,
    SummaryDelta,
    SummaryPartAdded,
    TextDelta,
)
from codex_hookspecs.types.threads import TokenUsage
from codex_responses.failures import disconnected, from_error

if TYPE_CHECKING:
    from codex_hookspecs.types.models import ModelEvent


class Translator:
    """Translates the events of one response; keeps the open item for deltas without an item id."""

    def __init__(self) -> None:
        self._item = ""

    def translate(self, event: Mapping[str, Any]) -> ModelEvent | None:
        """Translate one event.

        :return: ``None`` for irrelevant and incomplete events.
        :raises RequestFailed: for an event that ends the response without completing it.
        """
        rule = _RULES.get(str(event.get("type")))
        return rule(self, event) if rule else None

    def events(self, found: Iterable[Mapping[str, Any]]) -> Iterator[ModelEvent]:
        """Translate events, leaving out irrelevant ones; raises as :meth:`translate`."""
        for event in found:
            translated = self.translate(event)
            if translated is not None:
                yield translated

    def _added(self, event: Mapping[str, Any]) -> ModelEvent | None:
        item = event.get("item")
        if not isinstance(item, dict):
            return None
        self._item = str(item.get("id") or "")
        return ItemAdded(item)

    def _done(self, event: Mapping[str, Any]) -> ModelEvent | None:
        item = event.get("item")
        return ItemDone(item) if isinstance(item, dict) and isinstance(item.get("type"), str) else None

    def _text(self, event: Mapping[str, Any]) -> ModelEvent | None:
        delta = event.get("delta")
        return TextDelta(self._id(event), delta) if isinstance(delta, str) else None

    def _summary_part(self, event: Mapping[str, Any]) -> ModelEvent | None:
        return SummaryPartAdded(self._id(event), _index(event, "summary_index"))

    def _summary(self, event: Mapping[str, Any]) -> ModelEvent | None:
        delta = event.get("delta")
        if not isinstance(delta, str):
            return None
        return SummaryDelta(self._id(event), delta, summary_index=_index(event, "summary_index"))

    def _reasoning(self, event: Mapping[str, Any]) -> ModelEvent | None:
        delta = event.get("delta")
        if not isinstance(delta, str):
            return None
        return ReasoningDelta(self._id(event), delta, content_index=_index(event, "content_index"))

    def _completed(self, event: Mapping[str, Any]) -> ModelEvent | None:
        response = event.get("response")
        if not isinstance(response, dict):
            return None
        return Completed(str(response.get("id") or ""), _usage(response.get("usage")))

    def _failed(self, event: Mapping[str, Any]) -> ModelEvent | None:
        response = event.get("response")
        error = response.get("error") if isinstance(response, dict) else None
        raise from_error(error if isinstance(error, dict) else {})

    def _error(self, event: Mapping[str, Any]) -> ModelEvent | None:
        error = event.get("error")
        raise from_error(error if isinstance(error, dict) else event)

    def _incomplete(self, event: Mapping[str, Any]) -> ModelEvent | None:
        response = event.get("response")
        details = response.get("incomplete_details") if isinstance(response, dict) else None
        reason = details.get("reason") if isinstance(details, dict) else None
        raise disconnected(f"Incomplete response returned, reason: {reason or 'unknown'}")

    def _id(self, event: Mapping[str, Any]) -> str:
        return str(event.get("item_id") or self._item)


def _index(event: Mapping[str, Any], key: str) -> int:
    index = event.get(key)
    return index if isinstance(index, int) else 0


def _usage(found: Any) -> TokenUsage | None:
    if not isinstance(found, dict):
        return None

    def count(value: Any, *path: str) -> int:
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        return value if isinstance(value, int) else 0

    return TokenUsage(
        total_tokens=count(found, "total_tokens"),
        input_tokens=count(found, "input_tokens"),
        cached_input_tokens=count(found, "input_tokens_details", "cached_tokens"),
        output_tokens=count(found, "output_tokens"),
        reasoning_output_tokens=count(found, "output_tokens_details", "reasoning_tokens"),
    )


_RULES: Final[Mapping[str, Callable[[Translator, Mapping[str, Any]], ModelEvent | None]]] = {
    "response.output_item.added": Translator._added,
    "response.output_item.done": Translator._done,
    "response.output_text.delta": Translator._text,
    "response.reasoning_summary_part.added": Translator._summary_part,
    "response.reasoning_summary_text.delta": Translator._summary,
    "response.reasoning_text.delta": Translator._reasoning,
    "response.completed": Translator._completed,
    "response.failed": Translator._failed,
    "response.incomplete": Translator._incomplete,
    "error": Translator._error,
}
