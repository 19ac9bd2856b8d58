"""Tools for the model."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from attrs import field

from codex_hookspecs.types._checking import Checked
from codex_hookspecs.types.calls import CallKind, HookPayload, ToolCall, ToolOutput
from codex_hookspecs.types.json import JsonObject
from codex_hookspecs.values import frozen

__all__ = ["CallKind", "HookPayload", "Tool", "ToolCall", "ToolOutput"]


_IN_NAMES = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")


@frozen(kw_only=True)
class Tool(Checked):
    """One tool.

    :param name: name of the tool: ASCII letters, digits, ``_`` and ``-``, as services of models take.
    :param spec: tool object of the Responses API request, e.g. ``{"type":"function","name":…,"parameters":…}``.
    :param spec_for: returns the tool object for a model by its name, if it is not ``spec`` for all models.
    :param run: called with the call and its :class:`~codex_hookspecs.ports.tools.ToolContext`; raises
        :class:`~codex_hookspecs.errors.ToolError` for a failure that is reported to the model.
    :param parallel: whether calls may run concurrently with calls of other parallel tools in the same response.
    :param hook_view: converts a call to the form for hooks; by default the tool's name and parsed arguments.
    :param from_hook_input: returns the call with an input that a hook has replaced; raises ``ToolError`` if it
        does not fit. By default the input becomes the new arguments.
    :param emits_own_items: whether the tool reports its items itself; for all others the host reports a
        ``dynamicToolCall``.
    :param programs: argv by name of programs added to the end of the ``PATH`` of local commands. They run in
        the command's sandbox.
    :param of_client: whether the tool comes from a client: it is left out where a plugin offers one of its name.
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
    of_client: bool = False

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if not self.name or not _IN_NAMES.issuperset(self.name):
            raise TypeError(f"Tool: name is {self.name!r}, allowed are letters, digits, `_` and `-`")

    @classmethod
    def from_function(cls, function: Callable[..., Any], *, name: str | None = None) -> Tool:
        """Make a tool from a typed function; its docstring's first paragraph is the description.

        :param function: sync or async; parameters annotated with JSON types (``str``, ``int``, ``float``, ``bool``,
            ``list[…]``, ``dict``, ``Literal``, optional ones). A parameter named ``context`` gets the tool context.
        :raises TypeError: when a parameter has no annotation or one that can't be represented in JSON.
        """
        from codex_hookspecs.types._function_tool import tool_from_function

        chosen, spec, run = tool_from_function(function, name=name)
        return cls(name=chosen, spec=spec, run=run)
