"""Validate the history items of a rollout, so that they can be sent to the model again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_PRIVATE = "internal_chat_message_metadata_passthrough"
"""Member that 0.169 stores on items for its own service; other providers may reject it."""


def check_history_item(form: Any) -> dict[str, Any]:
    """Return an item of the Responses API; content that is a plain string becomes a list of parts.

    :raises TypeError: when it is not an item, or lacks a required member.
    """
    if not isinstance(form, dict) or not isinstance(form.get("type"), str):
        raise TypeError("not an item of the Responses API")
    check = _CHECKS.get(form["type"])
    if check is not None:
        form = check(form)
    return {key: value for key, value in form.items() if key != _PRIVATE} if _PRIVATE in form else form


def _message(form: dict[str, Any]) -> dict[str, Any]:
    _expect_text(form, "role")
    content = form.get("content")
    if isinstance(content, str):
        content = [content]
    if not isinstance(content, list):
        raise TypeError("a message without content")
    if all(isinstance(part, dict) and isinstance(part.get("type"), str) for part in content):
        return form if content is form["content"] else {**form, "content": content}
    kind = "output_text" if form["role"] == "assistant" else "input_text"
    parts = [{"type": kind, "text": part} if isinstance(part, str) else part for part in content]
    return {**form, "content": [part for part in parts if isinstance(part, dict) and isinstance(part.get("type"), str)]}


def _call(*texts: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def check(form: dict[str, Any]) -> dict[str, Any]:
        for name in ("call_id", *texts):
            _expect_text(form, name)
        return form

    return check


def _output(form: dict[str, Any]) -> dict[str, Any]:
    _expect_text(form, "call_id")
    if not isinstance(form.get("output"), (str, list)):
        raise TypeError("an output that is neither a text nor a list of parts")
    return form


def _reasoning(form: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(form.get("summary", []), list) or not isinstance(form.get("content"), list | None):
        raise TypeError("reasoning whose parts are no list")
    return form


def _expect_text(form: dict[str, Any], name: str) -> None:
    if not isinstance(form.get(name), str):
        raise TypeError(f"{form['type']} without {name}")


_CHECKS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "message": _message,
    "reasoning": _reasoning,
    "function_call": _call("name", "arguments"),
    "custom_tool_call": _call("name", "input"),
    "function_call_output": _output,
    "custom_tool_call_output": _output,
}
