"""Calls of tools: how the model makes one, what it gets back, how hooks see it."""

from __future__ import annotations

from typing import Any, Literal

from attrs import field

from codex_hookspecs.types._checking import Checked
from codex_hookspecs.types.json import JsonObject
from codex_hookspecs.values import frozen

CallKind = Literal["function", "custom"]


@frozen(kw_only=True)
class ToolCall:
    """One call that the model made.

    :param call_id: id that the output must carry.
    :param name: name that the model called.
    :param kind: ``custom`` tools take free text, ``function`` tools a JSON object as text.
    :param arguments: the text as the model wrote it.
    :param namespace: namespace the model addressed, or ``None``.
    """

    call_id: str
    name: str
    kind: CallKind = "function"
    arguments: str = ""
    namespace: str | None = None


@frozen
class ToolOutput(Checked):
    """What a tool gives back.

    :param text: what the model reads, when ``content`` is ``None``.
    :param success: a failure is still an answer; the model is told the text either way.
    :param content: content parts of the Responses API (``input_text``, ``input_image``) in place of the text.
    :param hook_response: what ``post_tool_use`` hooks see; the text when ``None``.
    :param unfinished: what the call began goes on, ``post_tool_use`` hooks are told when it is over.
    :param finishes: an earlier call whose output was unfinished until now: hooks are told of that one's end.
    """

    text: str = ""
    success: bool = True
    content: tuple[JsonObject, ...] | None = field(default=None, kw_only=True)
    hook_response: Any = field(default=None, kw_only=True)
    unfinished: bool = field(default=False, kw_only=True)
    finishes: ToolCall | None = field(default=None, kw_only=True)


@frozen(kw_only=True)
class HookPayload(Checked):
    """How tool hooks see one call.

    :param tool_name: e.g. ``Bash``, ``apply_patch``.
    :param tool_input: JSON value that hooks read, and may replace by one of the same shape.
    :param aliases: further names for matchers.
    :param workdir: where the call works, relative to the directory of the turn; there when ``None``.
    """

    tool_name: str
    tool_input: Any
    aliases: tuple[str, ...] = ()
    workdir: str | None = None
