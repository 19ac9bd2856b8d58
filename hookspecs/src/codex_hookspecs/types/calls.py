"""Tool calls, their outputs, and their form for hooks."""

from __future__ import annotations

from typing import Any, Literal

from attrs import field

from codex_hookspecs.types._checking import Checked
from codex_hookspecs.types.json import JsonObject
from codex_hookspecs.values import frozen

CallKind = Literal["function", "custom"]


@frozen(kw_only=True)
class ToolCall:
    """One tool call of the model.

    :param call_id: id for the output.
    :param name: name of the tool.
    :param kind: ``custom`` tools take free text, ``function`` tools a JSON object as text.
    :param arguments: the arguments as written by the model.
    :param namespace: namespace of the tool, or ``None``.
    """

    call_id: str
    name: str
    kind: CallKind = "function"
    arguments: str = ""
    namespace: str | None = None


@frozen
class ToolOutput(Checked):
    """The output of a tool.

    :param text: text for the model, if ``content`` is ``None``.
    :param success: whether the tool succeeded; the model gets the text in either case.
    :param content: content parts of the Responses API (``input_text``, ``input_image``) instead of the text.
    :param hook_response: value for ``post_tool_use`` hooks; the text if ``None``.
    :param unfinished: whether the call's work continues in the background; ``post_tool_use`` hooks are called at its
        end.
    :param finishes: an earlier unfinished call that has now ended, for which ``post_tool_use`` hooks are called.
    """

    text: str = ""
    success: bool = True
    content: tuple[JsonObject, ...] | None = field(default=None, kw_only=True)
    hook_response: Any = field(default=None, kw_only=True)
    unfinished: bool = field(default=False, kw_only=True)
    finishes: ToolCall | None = field(default=None, kw_only=True)


@frozen(kw_only=True)
class HookPayload(Checked):
    """A tool call in the form for hooks.

    :param tool_name: e.g. ``Bash``, ``apply_patch``.
    :param tool_input: JSON value for hooks, which may replace it with one of the same shape.
    :param aliases: further names for matchers.
    :param workdir: working directory of the call, relative to that of the turn; ``None`` for the same.
    """

    tool_name: str
    tool_input: Any
    aliases: tuple[str, ...] = ()
    workdir: str | None = None
