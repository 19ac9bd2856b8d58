"""Build and repair items of the Responses API, the input of model requests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from codex_hookspecs.ids import uuid4
from codex_hookspecs.storage.fragments import hook_prompt, texts_of
from codex_hookspecs.truncation import truncate_bytes, truncate_tokens
from codex_hookspecs.types.json import JsonObject
from codex_hookspecs.types.tools import ToolCall, ToolOutput

if TYPE_CHECKING:
    from codex_hookspecs.types.context import Fragment
    from codex_hookspecs.types.lifecycle import ContinuationPrompt
    from codex_hookspecs.types.models import ModelInfo

ABORTED = "aborted"
_OUTPUT_OF = {"function_call": "function_call_output", "custom_tool_call": "custom_tool_call_output"}
_OUTPUTS = tuple(_OUTPUT_OF.values())
_HEADROOM = 1.2
"""Factor by which a tool's output may exceed its budget, for its header lines (0.118)."""


def message(role: str, *texts: str) -> JsonObject:
    """Return a message item with one part per text."""
    return {"type": "message", "role": role, "content": [{"type": "input_text", "text": text} for text in texts]}


def user_message(content: Sequence[JsonObject]) -> JsonObject:
    """Return the message item of user inputs in wire form; images must already carry a URL.

    Each image is enclosed in tags, which number those that were files (form of Codex 0.118).
    """
    parts: list[JsonObject] = []
    images = 0
    for part in content:
        if part["type"] == "text":
            parts.append({"type": "input_text", "text": part["text"]})
        elif part["type"] == "image":
            images += 1
            mark = f"<image name=[Image #{images}]>" if "path" in part else "<image>"
            parts.append({"type": "input_text", "text": mark})
            parts.append({"type": "input_image", "image_url": part["url"]})
            parts.append({"type": "input_text", "text": "</image>"})
    return {"type": "message", "role": "user", "content": parts}


def text_of(content: Iterable[JsonObject]) -> str:
    """Return the text of user inputs for hooks and lists."""
    return "\n".join(part["text"] for part in content if part["type"] == "text")


def tool_call(item: JsonObject) -> ToolCall | None:
    """Return the tool call of an item, or ``None`` if it is not a call."""
    kind = item.get("type")
    if kind == "function_call":
        arguments = item.get("arguments", "")
    elif kind == "custom_tool_call":
        arguments = item.get("input", "")
    else:
        return None
    return ToolCall(
        call_id=str(item.get("call_id", "")),
        name=str(item.get("name", "")),
        kind="custom" if kind == "custom_tool_call" else "function",
        arguments=arguments if isinstance(arguments, str) else "",
        namespace=item.get("namespace"),
    )


def call_output(call: ToolCall, output: ToolOutput, budget: OutputBudget) -> JsonObject:
    """Return the output item of a call."""
    body: Any = list(output.content) if output.content is not None else budget.cut(output.text)
    kind = "custom_tool_call_output" if call.kind == "custom" else "function_call_output"
    return {"type": kind, "call_id": call.call_id, "output": body}


def repair_history(items: Sequence[JsonObject]) -> tuple[JsonObject, ...]:
    """Return a valid history: every call has an output, and every output its call."""
    answered = {_call_id(item) for item in items if item.get("type") in _OUTPUTS}
    called = {_call_id(item) for item in items if item.get("type") in _OUTPUT_OF}
    if answered == called:
        return tuple(items)
    result: list[JsonObject] = []
    for item in items:
        kind = item.get("type", "")
        if kind in _OUTPUTS and _call_id(item) not in called:
            continue
        result.append(item)
        if kind in _OUTPUT_OF and _call_id(item) not in answered:
            result.append({"type": _OUTPUT_OF[kind], "call_id": item.get("call_id"), "output": ABORTED})
    return tuple(result)


def with_call_id(item: JsonObject) -> JsonObject:
    """Return a call item with a call id, which is generated if the model gave none."""
    return item if _call_id(item) else {**item, "call_id": f"call_{uuid4()}"}


def _call_id(item: JsonObject) -> str:
    found = item.get("call_id")
    return found if isinstance(found, str) else ""


def fragment_messages(
    fragments: Sequence[Fragment], sent: dict[str, str], history: Sequence[JsonObject]
) -> list[JsonObject]:
    """Return messages for fragments whose text changed since it was sent, and record them as sent.

    All developer fragments become parts of one message, all user fragments of another (as in Codex 0.118).

    :param sent: text of each fragment sent so far, by key; changed in place.
    :param history: the model's history; a text that it contains is not sent again.
    """
    fresh = [part for part in fragments if part.place != "base" and part.text and sent.get(part.key) != part.text]
    if fresh and history:
        known = {text for item in history for text in texts_of(item, "developer", "user")}
        unknown = [part.key for part in fresh if part.key not in sent and part.text in known]
        fresh = [part for part in fresh if part.key not in unknown]
    sent.update((part.key, part.text) for part in fresh)
    texts = {role: [part.text for part in fresh if part.place == role] for role in ("developer", "user")}
    return [message(role, *parts) for role, parts in texts.items() if parts]


def continuation_message(prompts: Sequence[ContinuationPrompt]) -> JsonObject:
    """Return one user message with one ``<hook_prompt>`` part per prompt, in order (format of Codex 0.118)."""
    return message("user", *(hook_prompt(prompt.text, prompt.run_id) for prompt in prompts))


class OutputBudget:
    """The size limit of tool outputs for a model.

    :param model: facts about the model; the limit is in tokens for some models, in bytes for others (0.118).
    :param limit: configured limit in tokens, or ``None``.
    """

    def __init__(self, model: ModelInfo, limit: int | None = None) -> None:
        self.in_tokens = limit is not None or model.counts_tokens
        self.size = limit if limit is not None else 10_000

    def cut(self, text: str) -> str:
        """Return the text, truncated in the middle if it exceeds the budget."""
        allowed = int(self.size * _HEADROOM)
        return truncate_tokens(text, allowed)[0] if self.in_tokens else truncate_bytes(text, allowed)
