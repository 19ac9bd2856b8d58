"""Recognize what the user said in a conversation, and what the program added (markers of Codex 0.118)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from codex_hookspecs.types.items import UserMessage
from codex_hookspecs.types.json import JsonObject
from codex_hookspecs.types.storage import HistoryAppended, HistoryReplaced, ItemFinished, TurnEnded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from codex_hookspecs.types.storage import Record

FRAGMENTS = {
    "<permissions instructions>": "permissions",
    "<collaboration_mode>": "collaboration_mode",
    "<skills_instructions>": "skills",
    "<plugins_instructions>": "plugins",
    "# AGENTS.md instructions for ": "agents_md",
    "<environment_context>": "environment_context",
}
"""Key of an instruction fragment by the beginning of its text."""

IMAGE_ONLY = "[Image]"
"""Preview of a first message without text (0.118)."""

_OTHERS = (
    "<skill>",
    "<user_shell_command>",
    "<turn_aborted>",
    "<hook_prompt ",
    "<subagent_notification>",
    "<user_instructions>",
)
_HOOK_PROMPT_END = "</hook_prompt>"
_ESCAPES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"))


def fragment_key(text: str) -> str | None:
    """Return the key of the instruction fragment with a text, or ``None``."""
    for start, key in FRAGMENTS.items():
        if text.startswith(start):
            return key
    return None


def is_context(text: str) -> bool:
    """Return whether a text in a user message was added by the program."""
    return fragment_key(text) is not None or text.startswith(_OTHERS)


def is_user_turn(item: JsonObject) -> bool:
    """Return whether an item of the Responses API is a message written by the user."""
    if item.get("type") != "message" or item.get("role") != "user":
        return False
    parts = _parts(item)
    return any(part.get("type") == "input_image" for part in parts) or any(
        not is_context(text) for text in _texts(parts)
    )


def texts_of(item: JsonObject, *roles: str) -> list[str]:
    """Return the texts of a message item, one per part; empty if it has another role."""
    if item.get("type") != "message" or item.get("role") not in roles:
        return []
    return list(_texts(_parts(item)))


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


def sent_fragments(history: Iterable[JsonObject]) -> dict[str, str]:
    """Return the newest text of each instruction fragment in a history, by key."""
    found: dict[str, str] = {}
    for item in history:
        for text in texts_of(item, "developer", "user"):
            key = fragment_key(text)
            if key is not None:
                found[key] = text
    return found


def hook_prompt(text: str, hook_run_id: str) -> str:
    """Return the part of a user message for the continuation prompt of a Stop hook."""
    return f'<hook_prompt hook_run_id="{_escaped(hook_run_id, quotes=True)}">{_escaped(text)}{_HOOK_PROMPT_END}'


def hook_prompts(item: JsonObject) -> list[tuple[str, str]]:
    """Return the continuation prompts in a message item as pairs of text and hook run id."""
    found = []
    for text in texts_of(item, "user"):
        if text.startswith('<hook_prompt hook_run_id="') and text.rstrip().endswith(_HOOK_PROMPT_END):
            run_id, _, rest = text.removeprefix('<hook_prompt hook_run_id="').partition('">')
            found.append((_unescaped(rest.rstrip().removesuffix(_HOOK_PROMPT_END)), _unescaped(run_id)))
    return found


def _parts(item: JsonObject) -> list[dict[str, Any]]:
    content = item.get("content")
    return [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []


def _texts(parts: Iterable[dict[str, Any]]) -> Iterator[str]:
    return (part["text"] for part in parts if isinstance(part.get("text"), str))


def _escaped(text: str, *, quotes: bool = False) -> str:
    for plain, escape in _ESCAPES:
        text = text.replace(plain, escape)
    return text.replace('"', "&quot;") if quotes else text


def _unescaped(text: str) -> str:
    text = text.replace("&quot;", '"')
    for plain, escape in reversed(_ESCAPES):
        text = text.replace(escape, plain)
    return text
