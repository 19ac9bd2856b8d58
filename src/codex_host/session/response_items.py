"""Build and mend items of the Responses API: the list that a model request begins with."""

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
"""What a tool's output may exceed its budget by, for its header lines (0.118)."""


def message(role: str, *texts: str) -> JsonObject:
    """Return a message item with one text part for each text."""
    return {"type": "message", "role": role, "content": [{"type": "input_text", "text": text} for text in texts]}


def user_message(content: Sequence[JsonObject]) -> JsonObject:
    """Return the message item of user inputs in wire form; images must already carry a URL.

    Each image stands between marks, which number those that were files (form of Codex 0.118).
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
    """Return the text of user inputs, as hooks and listings see it."""
    return "\n".join(part["text"] for part in content if part["type"] == "text")


def tool_call(item: JsonObject) -> ToolCall | None:
    """Return the call that an item of the model makes, or ``None`` when it makes none."""
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
    """Return the item that answers a call."""
    body: Any = list(output.content) if output.content is not None else budget.cut(output.text)
    kind = "custom_tool_call_output" if call.kind == "custom" else "function_call_output"
    return {"type": kind, "call_id": call.call_id, "output": body}


def mended(items: Sequence[JsonObject]) -> tuple[JsonObject, ...]:
    """Return items that a provider accepts: every call is answered, no answer lacks its call."""
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
    """Return a call with an id, by which its output can be told; one that the model gave none gets one."""
    return item if _call_id(item) else {**item, "call_id": f"call_{uuid4()}"}


def _call_id(item: JsonObject) -> str:
    found = item.get("call_id")
    return found if isinstance(found, str) else ""


def fragment_messages(
    fragments: Sequence[Fragment], sent: dict[str, str], history: Sequence[JsonObject]
) -> list[JsonObject]:
    """Return messages for the fragments whose text differs from what was sent, and note them as sent.

    Developer fragments are the parts of one message, user fragments those of another (as Codex 0.118 sends them).

    :param sent: text of each fragment sent so far, by key; changed in place.
    :param history: what the model was told so far; a text that stands in it is not sent again.
    """
    fresh = [part for part in fragments if part.place != "base" and part.text and sent.get(part.key) != part.text]
    if fresh and history:
        told = {text for item in history for text in texts_of(item, "developer", "user")}
        unknown = [part.key for part in fresh if part.key not in sent and part.text in told]
        fresh = [part for part in fresh if part.key not in unknown]
    sent.update((part.key, part.text) for part in fresh)
    texts = {role: [part.text for part in fresh if part.place == role] for role in ("developer", "user")}
    return [message(role, *parts) for role, parts in texts.items() if parts]


def continuation_message(prompts: Sequence[ContinuationPrompt]) -> JsonObject:
    """Return one user message with one ``<hook_prompt>`` part for each prompt, in order (format of Codex 0.118)."""
    return message("user", *(hook_prompt(prompt.text, prompt.run_id) for prompt in prompts))


class OutputBudget:
    """How much of a tool's output a model gets.

    :param model: what is known of the model; some are budgeted in tokens, others in bytes (0.118).
    :param limit: tokens the configuration allows, or ``None``.
    """

    def __init__(self, model: ModelInfo, limit: int | None = None) -> None:
        self.in_tokens = limit is not None or model.counts_tokens
        self.size = limit if limit is not None else 10_000

    def cut(self, text: str) -> str:
        """Return the text, cut in the middle when it exceeds the budget."""
        allowed = int(self.size * _HEADROOM)
        return truncate_tokens(text, allowed)[0] if self.in_tokens else truncate_bytes(text, allowed)
