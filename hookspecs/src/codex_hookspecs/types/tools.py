"""Tools: what the model is offered, how it calls them and what it gets back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from attrs import field

from codex_hookspecs.types._checking import Checked
from codex_hookspecs.types.calls import CallKind, HookPayload, ToolCall, ToolOutput
from codex_hookspecs.types.json import JsonObject
from codex_hookspecs.values import frozen

__all__ = ["CallKind", "HookPayload", "Tool", "ToolCall", "ToolOutput"]


@frozen(kw_only=True)
class Tool(Checked):
    """One tool.

    :param name: name the model calls it by.
    :param spec: tool object of the Responses API request, e.g. ``{"type":"function","name":…,"parameters":…}``.
    :param spec_for: the tool object for a model, by its name, where it is not ``spec`` for each.
    :param run: called with the call and its :class:`~codex_hookspecs.ports.tools.ToolContext`; raises
        :class:`~codex_hookspecs.errors.ToolError` for a failure that the model shall read.
    :param parallel: calls of one response may run side by side with other parallel tools.
    :param hook_view: how hooks see a call; ``None`` shows the tool's name and parsed arguments.
    :param from_hook_input: the call with the input that a hook put in place of the original; raises ``ToolError``
        when the input does not fit. ``None`` puts the input in as the new arguments.
    :param emits_own_items: the tool reports its own items; the host reports a ``dynamicToolCall`` for all others.
    :param programs: programs that commands on this machine find at the end of their ``PATH``, by name: what each is
        started with. They run as the command does, under its sandbox.
    """

    name: str
    spec: JsonObject
    run: Callable[..., Awaitable[ToolOutput]]
    parallel: bool = False
    hook_view: Callable[[ToolCall], HookPayload | None] | None = None
    from_hook_input: Callable[[ToolCall, Any], ToolCall] | None = None
    emits_own_items: bool = False
    programs: Mapping[str, Sequence[str]] = field(factory=dict)
    spec_for: Callable[[str], JsonObject] | None = None

    @classmethod
    def from_function(cls, function: Callable[..., Any], *, name: str | None = None) -> Tool:
        """Make a tool from a typed function; its docstring's first paragraph is the description.

        :param function: sync or async; parameters annotated with JSON types (``str``, ``int``, ``float``, ``bool``,
            ``list[…]``, ``dict``, ``Literal``, optional ones). A parameter named ``context`` gets the tool context.
        :raises TypeError: when a parameter has no annotation or one that JSON can't carry.
        """
        from codex_hookspecs.types._function_tool import tool_from_function

        chosen, spec, run = tool_from_function(function, name=name)
        return cls(name=chosen, spec=spec, run=run)
