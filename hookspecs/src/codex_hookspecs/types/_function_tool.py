"""Make a tool from a typed Python function: schema, validation of arguments, text of the result."""

from __future__ import annotations

import inspect
import json
import re
import types
import typing
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from codex_hookspecs.errors import ToolError
from codex_hookspecs.json_text import parse_json
from codex_hookspecs.types._json_schema import Kind, Misfit, kind_of
from codex_hookspecs.types.calls import ToolCall, ToolOutput
from codex_hookspecs.types.json import JsonObject
from codex_hookspecs.wire import encode

_CONTEXT: Final = "context"
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_FIELD: Final = re.compile(r"^\s*:param\s+(?:[^:\s]+\s+)?(\w+):[ \t]*(.*(?:\n(?!\s*:|\s*$).*)*)", re.MULTILINE)


Run = Callable[[ToolCall, Any], Awaitable[ToolOutput]]


def tool_from_function(function: Callable[..., Any], *, name: str | None = None) -> tuple[str, JsonObject, Run]:
    """Return name, specification and run function of the tool for a function.

    See :meth:`codex_hookspecs.types.tools.Tool.from_function`.

    A sync function runs in a worker thread, so that it does not block the event loop. Text and
    :class:`~codex_hookspecs.types.tools.ToolOutput` are returned as they are, anything else as JSON.

    :raises TypeError: when the function can't be called with JSON arguments by name.
    """
    chosen: str = name or _name(function)
    if not _NAME.fullmatch(chosen):
        raise TypeError(f"a tool can't be named {chosen!r}; give a name of letters, digits, '_' and '-' (at most 64)")
    signature = inspect.signature(function)
    kinds = _kinds(function, signature, chosen)
    required = [key for key in kinds if signature.parameters[key].default is inspect.Parameter.empty]
    wants_context = _CONTEXT in signature.parameters

    async def run(call: ToolCall, context: Any) -> ToolOutput:
        arguments = _arguments(call.arguments, kinds, required)
        if wants_context:
            arguments[_CONTEXT] = context
        return _output(await _called(function, arguments), chosen)

    run.__module__ = _plain(function).__module__  # Failures are located in the function.
    run.__wrapped__ = _plain(function)  # type: ignore[attr-defined]
    return chosen, _spec(function, chosen, kinds, required), run


def _kinds(function: Callable[..., Any], signature: inspect.Signature, name: str) -> dict[str, Kind]:
    wanted: dict[str, Any] = {}
    for key, parameter in signature.parameters.items():
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise TypeError(f"tool {name}: parameter {key!r} can't be given by name")
        if key == _CONTEXT:
            continue
        if parameter.annotation is parameter.empty:
            raise TypeError(f"tool {name}: parameter {key!r} has no annotation")
        wanted[key] = parameter.annotation
    # the annotation of the context may be imported only for type checkers, so it is not resolved
    holder = types.SimpleNamespace(__annotations__=wanted)
    try:
        hints = typing.get_type_hints(holder, getattr(_plain(function), "__globals__", {}), include_extras=True)
    except NameError as error:
        raise TypeError(f"tool {name}: the annotation {error.name!r} is not known when the program runs") from error
    return {key: kind_of(hints[key], f"tool {name}: parameter {key!r}") for key in wanted}


def _spec(function: Callable[..., Any], name: str, kinds: Mapping[str, Kind], required: list[str]) -> dict[str, Any]:
    text = inspect.getdoc(function) or ""
    told = {key: " ".join(words.split()) for key, words in _FIELD.findall(text)}
    properties = {
        key: {**kind.schema, "description": told[key]}
        if told.get(key) and "description" not in kind.schema
        else kind.schema
        for key, kind in kinds.items()
    }
    return {
        "type": "function",
        "name": name,
        "description": " ".join(re.split(r"\n\s*\n|\n\s*:\w", text.strip(), maxsplit=1)[0].split()),
        "strict": False,
        "parameters": {
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": False,
        },
    }


def _arguments(text: str, kinds: Mapping[str, Kind], required: list[str]) -> dict[str, Any]:
    try:
        given = parse_json(text) if text.strip() else {}
        if not isinstance(given, dict):
            raise Misfit("expected an object")
        for key in given:
            if key not in kinds:
                names = ", ".join(f"`{known}`" for known in kinds) or "none"
                raise Misfit(f"unknown field `{key}`, expected {names}")
        for key in required:
            if key not in given:
                raise Misfit(f"missing field `{key}`")
        return {key: kinds[key].convert(value, f"`{key}`") for key, value in given.items()}
    except (ValueError, RecursionError) as error:
        raise ToolError(f"failed to parse function arguments: {error}") from error


async def _called(function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    if inspect.iscoroutinefunction(_plain(function)):
        return await function(**arguments)
    result = await _in_thread(function, arguments)
    return await result if inspect.isawaitable(result) else result


async def _in_thread(function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    """Call a function in a daemon thread, which blocks neither the event loop nor, if it hangs, the exit."""
    import asyncio
    import contextvars
    import threading

    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[Any] = loop.create_future()

    def settle(result: Any, error: BaseException | None) -> None:
        if outcome.done():
            return
        if error is None:
            outcome.set_result(result)
        elif isinstance(error, StopIteration):
            outcome.set_exception(RuntimeError("the function raised StopIteration"))
        else:
            outcome.set_exception(error)

    def work() -> None:
        result, failure = None, None
        try:
            result = function(**arguments)
        except BaseException as error:
            failure = error
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=contextvars.copy_context().run, args=(work,), daemon=True).start()
    return await outcome


def _output(result: Any, name: str) -> ToolOutput:
    if isinstance(result, ToolOutput):
        return result
    if isinstance(result, str):
        return ToolOutput(result)
    try:
        return ToolOutput(json.dumps(encode(result), ensure_ascii=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise TypeError(f"{name} ran, but its result can't be shown: {error}") from error


def _plain(function: Callable[..., Any]) -> Any:
    """Unwrap partial objects, decorators and callable objects."""
    while hasattr(function, "func") or hasattr(function, "__wrapped__"):
        function = getattr(function, "func", None) or function.__wrapped__  # type: ignore[attr-defined]
    return function if inspect.isroutine(function) else type(function).__call__


def _name(function: Callable[..., Any]) -> str:
    name: str = _plain(function).__name__
    return type(function).__name__ if name == "__call__" else name
