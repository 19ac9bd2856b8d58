"""Find a refusal in invalid output of a handler, so that a mistake in a script does not let a tool call through."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from codex_hooks_command.events import Event

GATES = frozenset({Event.PRE_TOOL_USE, Event.PERMISSION_REQUEST})
"""Events whose handlers decide whether a tool call may run."""

_REFUSING = GATES | {Event.USER_PROMPT_SUBMIT, Event.POST_TOOL_USE, Event.STOP, Event.SUBAGENT_STOP}
_NEED_REASON = frozenset({Event.POST_TOOL_USE, Event.STOP, Event.SUBAGENT_STOP})
_STOPPABLE = GATES | {Event.USER_PROMPT_SUBMIT}
_REASONS = ("permissionDecisionReason", "reason", "message", "stopReason")
_DECISIONS = ("permissionDecision", "decision", "behavior")
_INNER = ("hookSpecificOutput", "decision")
_DENYING = frozenset({"deny", "block"})
_DENYING_WORDS = _DENYING | {
    "denied", "blocked", "reject", "rejected", "refuse", "refused", "decline", "declined",
    "disallow", "disallowed", "forbid", "forbidden", "no",
}  # fmt: skip
"""Words that are understood as ``deny``, for events where they can't mean "no objection"."""

_MAX_WORK = 256 * 1024 * 1024
_MAX_PYTHON_WORK = 256 * 1024
_PYTHON_ANSWER = re.compile(r"""["'](?:permissionDecision|decision|behavior|continue)["']\s*:""")


class Refusal(NamedTuple):
    """A refusal that was found in an output.

    :param reason: the stripped reason of the script, or the empty string.
    :param is_python: the script printed a Python literal instead of JSON.
    """

    kind: Literal["deny", "ask"]
    reason: str
    is_python: bool = False


class TooComplex(Exception):
    """Raised when a text would take too long to search."""


def find_refusal(event: Event, text: str) -> Refusal | None:
    """Return the refusal in a text; a denial takes precedence over a request to ask.

    :param text: output of a handler: JSON objects or Python literals, possibly between log lines.
    :raises TooComplex: when the text would take too long to search.
    """
    if event not in _REFUSING or "{" not in text:
        return None
    objects = _objects(text, anywhere=event in GATES)
    found = [refusal for each, is_python in objects if (refusal := _refusal(event, each, is_python))]
    return next((one for one in found if one.kind == "deny"), next(iter(found), None))


def _objects(text: str, *, anywhere: bool) -> Iterator[tuple[dict[str, Any], bool]]:
    """Yield the objects of a text that begin a line, or all of them, and whether they are Python literals.

    :param anywhere: yield all objects. This is for gates only: other handlers may print prose that quotes an answer.
    """
    work, python_work, start = 0, 0, text.find("{")
    while start >= 0:
        end = start + 1
        if anywhere or not text[text.rfind("\n", 0, start) + 1 : start].strip():
            # Most objects end with their line; the rest of the text is parsed only for the others.
            pieces = (text[start : text.find("\n", start) + 1], text[start:])
            for piece in pieces:
                work += len(piece)
                if work > _MAX_WORK:
                    raise TooComplex
                try:
                    value, length = _DECODER.raw_decode(piece)
                except (ValueError, RecursionError):
                    continue
                end = start + length
                yield value, False
                break
            else:
                for piece in filter(_PYTHON_ANSWER.search, pieces):
                    literal = piece[: piece.rfind("}") + 1]
                    python_work += len(literal)
                    if python_work > _MAX_PYTHON_WORK:
                        raise TooComplex
                    if isinstance(value := _python_value(literal), dict):
                        end = start + len(literal)
                        yield value, True
                        break
        start = text.find("{", end)


def _python_value(text: str) -> Any:
    """Return the value of a Python literal, or ``None``; the parser itself limits the nesting depth."""
    import ast
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Invalid escapes in the output are not our concern.
        try:
            return ast.literal_eval(text)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            return None


def _strictest(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object; of several members with one name the strictest value is used, else the last."""
    made = dict(pairs)
    if len(made) < len(pairs):
        made = {name: max((value for key, value in reversed(pairs) if key == name), key=_strictness) for name in made}
    return made


def _strictness(value: Any) -> int:
    if isinstance(value, dict):
        return max(_strictness(value.get(key)) for key in (*_INNER, *_DECISIONS, "continue"))
    if isinstance(value, str):
        word = value.strip().lower()
        return 2 if word in _DENYING_WORDS else int(word == "ask")
    return 2 if value is False else 0


# Scripts often put unescaped line breaks into JSON strings.
_DECODER = json.JSONDecoder(strict=False, object_pairs_hook=_strictest)


def _refusal(event: Event, document: dict[str, Any], is_python: bool) -> Refusal | None:
    parts = [document]
    for key in _INNER:
        parts += [part[key] for part in tuple(parts) if isinstance(part.get(key), dict)]
    words = {word for part in parts for word in _words(part)}
    texts = (part[key].strip() for key in _REASONS for part in parts if isinstance(part.get(key), str))
    reason = next(filter(None, texts), "")
    denying = _DENYING_WORDS if event in _STOPPABLE else _DENYING
    if words & denying or (event in _STOPPABLE and document.get("continue") is False):
        return Refusal("deny", reason, is_python) if reason or event not in _NEED_REASON else None
    return Refusal("ask", reason, is_python) if "ask" in words and event in GATES else None


def _words(part: dict[str, Any]) -> Iterator[str]:
    for key in _DECISIONS:
        if isinstance(value := part.get(key), str):
            yield value.strip().lower()
