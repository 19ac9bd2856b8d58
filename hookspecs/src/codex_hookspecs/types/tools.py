"""Tools: what the model is offered, how it calls them and what it gets back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Literal

from attrs import field

from codex_hookspecs.types.json import JsonObject
from codex_hookspecs.values import frozen

CallKind = Literal["function", "custom"]


@frozen(kw_only=True)
class ToolCall:
    """One call that the model made.

    :param call_id: id that the output must carry.
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
class ToolOutput:
    """What a tool gives back.

    :param text: what the model reads, when ``content`` is ``None``.
    :param success: a failure is still an answer; the model is told the text either way.
    :param content: content parts of the Responses API (``input_text``, ``input_image``) in place of the text.
    :param hook_response: what ``post_tool_use`` hooks see; the text when ``None``.
    """

    text: str = ""
    success: bool = True
    content: tuple[JsonObject, ...] | None = field(default=None, kw_only=True)
    hook_response: Any = field(default=None, kw_only=True)


@frozen(kw_only=True)
class HookPayload:
    """How tool hooks see one call.

    :param tool_name: e.g. ``Bash``, ``apply_patch``.
    :param tool_input: JSON value that hooks read, and may replace by one of the same shape.
    :param aliases: further names for matchers.
    """

    tool_name: str
    tool_input: Any
    aliases: tuple[str, ...] = ()


@frozen(kw_only=True)
class Tool:
    """One tool.

    :param name: name the model calls it by.
    :param spec: tool object of the Responses API request, e.g. ``{"type":"function","name":…,"parameters":…}``.
    :param run: called with the call and its :class:`~codex_hookspecs.ports.tools.ToolContext`; raises
        :class:`~codex_hookspecs.errors.ToolError` for a failure that the model shall read.
    :param parallel: calls of one response may run side by side with other parallel tools.
    :param payload: how hooks see a call; ``None`` shows the tool's name and parsed arguments.
    :param with_input: the call with the input that a hook put in place of the original; raises ``ToolError``
        when the input does not fit. ``None`` puts the input in as the new arguments.
    :param announces: the tool reports its own items; the host reports a ``dynamicToolCall`` for all others.
    """

    name: str
    spec: JsonObject
    run: Callable[..., Awaitable[ToolOutput]]
    parallel: bool = False
    payload: Callable[[ToolCall], HookPayload | None] | None = None
    with_input: Callable[[ToolCall, Any], ToolCall] | None = None
    announces: bool = False

    @classmethod
    def from_function(cls, function: Callable[..., Any], *, name: str | None = None) -> Tool:
        """Make a tool from a typed function; its docstring's first paragraph is the description.

        :param function: sync or async; parameters annotated with JSON types (``str``, ``int``, ``float``, ``bool``,
            ``list[…]``, ``dict``, ``Literal``, optional ones). A parameter named ``context`` gets the tool context.
        :raises TypeError: when a parameter has no annotation or one that JSON can't carry.
        """
        from codex_hookspecs.function_tool import tool_from_function

        return tool_from_function(function, name=name)
