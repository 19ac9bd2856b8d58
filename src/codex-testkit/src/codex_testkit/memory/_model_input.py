"""Extract texts and outputs from the ``input`` of a recorded model request."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from codex_responses.script.steps import Script, script_from

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MARK: Final = "MOCK:"
"""Prefix of a user message that contains a script."""


def texts(items: Iterable[Mapping[str, Any]], role: str) -> list[str]:
    """Return the texts of all messages of a role, one per content part.

    :param items: the request's ``input``.
    :param role: ``user``, ``developer`` or ``assistant``.
    """
    messages = (item for item in items if item.get("type", "message") == "message" and item.get("role") == role)
    return [text for message in messages for text in _parts(message.get("content"))]


def tool_output(items: Iterable[Mapping[str, Any]], call_id: str) -> str:
    """Return the output of a call; texts of a content list are joined.

    :raises LookupError: when there is no output of that call.
    """
    for item in items:
        if item.get("call_id") == call_id and str(item.get("type", "")).endswith("_output"):
            return "".join(_parts(item.get("output")))
    raise LookupError(f"no output for call {call_id!r}")


def mock_script(items: Iterable[Mapping[str, Any]]) -> tuple[int, Script] | None:
    """Find the newest user message with a script.

    :return: its number among those messages, from 1, and the script.
    :raises ConfigError: when the text after the prefix is not a script.
    """
    marked = [text for text in texts(items, "user") if text.startswith(MARK)]
    if not marked:
        return None
    rounds, _rest = json.JSONDecoder().raw_decode(marked[-1][len(MARK) :].lstrip())
    return len(marked), script_from(rounds)


def _parts(content: object) -> list[str]:
    if isinstance(content, str):
        return [content]
    parts = content if isinstance(content, list) else []
    return [part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str)]
