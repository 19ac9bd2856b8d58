"""Recognise a refusal in output that does not fit its event, so that a slip of the script's author opens no gate."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from .events import Event

GATES = frozenset({Event.PRE_TOOL_USE, Event.PERMISSION_REQUEST})
"""Events whose handlers stand between the model and what it wants to do."""

_REFUSING = GATES | {Event.USER_PROMPT_SUBMIT, Event.POST_TOOL_USE, Event.STOP, Event.SUBAGENT_STOP}
_NEED_REASON = frozenset({Event.POST_TOOL_USE, Event.STOP, Event.SUBAGENT_STOP})
_STOPPABLE = GATES | {Event.USER_PROMPT_SUBMIT}
_REASONS = ("permissionDecisionReason", "reason", "message", "stopReason")
_DECISIONS = ("permissionDecision", "decision", "behavior")
_INNER = ("hookSpecificOutput", "decision")
_MOST_WORK = 256 * 1024 * 1024


class Refusal(NamedTuple):
    """What was recognised.

    :param reason: what the script said about it, without blanks around it; empty when it said nothing.
    """

    kind: Literal["deny", "ask"]
    reason: str


class Tangled(Exception):
    """Raised when a text takes too long to look through."""


def refusal_in(event: Event, text: str) -> Refusal | None:
    """Return the refusal that a text holds, a denial before a wish to ask.

    :param text: what a handler printed: one or several JSON objects, log lines around them.
    :raises Tangled: when the text can't be looked through.
    """
    if event not in _REFUSING or "{" not in text:
        return None
    found = [refusal for each in _objects(text, anywhere=event in GATES) if (refusal := _refusal(event, each))]
    return next((one for one in found if one.kind == "deny"), next(iter(found), None))


def _objects(text: str, *, anywhere: bool) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects of a text that begin a line, or all of them.

    Only gates are searched throughout: what other handlers print may be prose that quotes an answer.
    """
    work, start = 0, text.find("{")
    while start >= 0:
        end = start + 1
        if anywhere or not text[text.rfind("\n", 0, start) + 1 : start].strip():
            # Most objects end with their line; a look at all that follows is made only for the others.
            for piece in (text[start : text.find("\n", start) + 1], text[start:]):
                work += len(piece)
                if work > _MOST_WORK:
                    raise Tangled
                try:
                    value, length = _DECODER.raw_decode(piece)
                except (ValueError, RecursionError):
                    continue
                end = start + length
                yield value
                break
        start = text.find("{", end)


def _strictest(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of its members: of several with one name the one that refuses counts, else the last."""
    made = dict(pairs)
    if len(made) < len(pairs):
        made = {name: max((value for key, value in reversed(pairs) if key == name), key=_strictness) for name in made}
    return made


def _strictness(value: Any) -> int:
    if isinstance(value, dict):
        return max(_strictness(value.get(key)) for key in (*_INNER, *_DECISIONS, "continue"))
    if isinstance(value, str):
        return {"deny": 2, "block": 2, "ask": 1}.get(value.strip().lower(), 0)
    return 2 if value is False else 0


# Scripts put several lines of text into JSON as they are.
_DECODER = json.JSONDecoder(strict=False, object_pairs_hook=_strictest)


def _refusal(event: Event, document: dict[str, Any]) -> Refusal | None:
    parts = [document]
    for key in _INNER:
        parts += [part[key] for part in tuple(parts) if isinstance(part.get(key), dict)]
    words = {word for part in parts for word in _words(part)}
    texts = (part[key].strip() for key in _REASONS for part in parts if isinstance(part.get(key), str))
    reason = next(filter(None, texts), "")
    if words & {"deny", "block"} or (event in _STOPPABLE and document.get("continue") is False):
        return Refusal("deny", reason) if reason or event not in _NEED_REASON else None
    return Refusal("ask", reason) if "ask" in words and event in GATES else None


def _words(part: dict[str, Any]) -> Iterator[str]:
    for key in _DECISIONS:
        if isinstance(value := part.get(key), str):
            yield value.strip().lower()
