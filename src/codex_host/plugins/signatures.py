"""Validate implementations against their specification, and results against their hook."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from inspect import CO_VARARGS, CO_VARKEYWORDS, isasyncgenfunction, iscoroutinefunction
from itertools import islice
from operator import itemgetter
from typing import Any, get_args

import codex_hookspecs
from codex_hookspecs.errors import HookSpecError
from codex_hookspecs.markers import PROJECT, HookPolicy

_MAX_PARTS = 10_000
_MARK = f"{PROJECT}_impl"


class InvalidResult(Exception):
    """Raised when an implementation returns a value of the wrong type; the text continues after the hook's name."""


def implementations(plugin: object) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yield hook name and function of each marked implementation of a plugin."""
    for attribute in dir(plugin):
        if attribute.startswith("__"):
            continue
        value: Any = getattr(plugin, attribute, None)
        options = options_of(value)
        if options is not None:
            yield options.get("specname") or attribute, value


def options_of(function: object) -> dict[str, Any] | None:
    """Return the options of a function's ``@hookimpl`` marker, ``None`` if it has none."""
    options = getattr(function, _MARK, None)
    return options if isinstance(options, dict) else None


def is_marked(function: object) -> bool:
    """Return whether a function is marked as an implementation of any hook."""
    return isinstance(getattr(function, _MARK, None), dict)


def unknown_hook(hook: str, known: list[str]) -> str:
    """Return the message for an unknown hook, with a suggestion."""
    from difflib import get_close_matches

    close = get_close_matches(hook, known, 1)
    hint = f"did you mean {close[0]!r}?" if close else f"hooks are: {', '.join(known)}"
    return f"there is no hook {hook!r}; {hint}"


def check_implementation(
    spec: Callable[..., Any], implementation: Callable[..., Any], *, policy: HookPolicy, plugin: str, hook: str
) -> None:
    """Reject an implementation of the wrong kind, with unknown arguments or contradicting annotations.

    :raises HookSpecError: names plugin, hook, what was found and the fix.
    """
    objection = _objection(spec, implementation, is_event=policy.kind == "event", hook=hook)
    if objection:
        text = f"plugin {plugin!r}, hook {hook!r}: {objection}{place_of(implementation)}"
        raise HookSpecError(text, plugin=plugin, hook=hook)


def place_of(function: object) -> str:
    """Return the file and line of a function as the end of a message, or the empty string if unknown."""
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    return f" ({code.co_filename}:{code.co_firstlineno})" if code is not None else ""


def _objection(
    spec: Callable[..., Any], implementation: Callable[..., Any], *, is_event: bool, hook: str
) -> str | None:
    options = getattr(implementation, _MARK)
    code = getattr(getattr(implementation, "__func__", implementation), "__code__", None)
    if code is None:
        return f"found a {type(implementation).__name__}, write a function"
    if options.get("wrapper") or options.get("hookwrapper"):
        return "found a wrapper, write a plain implementation; answers are combined as the specification says"
    if is_event and isasyncgenfunction(implementation):
        return "found a generator, write an async def that returns its answer: without yield"
    if iscoroutinefunction(implementation) is not is_event:
        found, wanted = ("def", "async def") if is_event else ("async def", "def")
        return f"found '{found} {hook}', write '{wanted} {hook}'"
    known = _arguments(spec)
    taken = _arguments(implementation)
    if taken[:1] == ("self",):
        return "found a class, let the entry point name an instance of it"
    unknown = next((argument for argument in taken if argument not in known), None)
    if unknown is not None:
        return f"unknown argument {unknown!r}, a {hook} implementation can take: {', '.join(known)}"
    if code.co_flags & (CO_VARARGS | CO_VARKEYWORDS):
        return f"found *args or **kwargs, which are never filled; take by name what you need of: {', '.join(known)}"
    if code.co_kwonlyargcount or getattr(implementation, "__defaults__", None):
        return "found a default or keyword-only argument, which is never filled; take it plainly or leave it out"
    return _contradiction(spec, implementation)


def _contradiction(spec: Callable[..., Any], implementation: Callable[..., Any]) -> str | None:
    for argument, found in getattr(implementation, "__annotations__", {}).items():
        wanted = str(spec.__annotations__.get(argument, ""))
        if not wanted or found == "Any" or _same(found, wanted) or (argument == "return" and "Verdict" not in wanted):
            continue
        expected = getattr(codex_hookspecs, wanted.removesuffix(" | None"), Any)
        resolved = _resolved(implementation, argument)
        if argument == "return":
            given = next((each for each in get_args(resolved) or (resolved,) if each is not type(None)), Any)
            if not _fits(given, expected):
                return f"it is annotated to return {given.__name__}, it is to return {wanted}"
        elif not _fits(expected, resolved):
            return f"{argument} is annotated {resolved.__name__}, it is a {expected.__name__}"
    return None


def _fits(narrow: Any, wide: Any) -> bool:
    """Return whether one annotation is compatible with another; anything but plain classes is accepted."""
    plain = all(
        isinstance(each, type) and each is not Any and not hasattr(each, "_is_protocol") for each in (narrow, wide)
    )
    return not plain or issubclass(narrow, wide)


def _same(found: object, wanted: str) -> bool:
    name = found if isinstance(found, str) else getattr(found, "__name__", "")
    return name == wanted or name.rpartition(".")[2] in wanted.split(" | ")


def _resolved(function: Callable[..., Any], argument: str) -> Any:
    from typing import get_type_hints

    try:
        return get_type_hints(function).get(argument, Any)
    except Exception:
        return Any


def _arguments(function: Callable[..., Any]) -> tuple[str, ...]:
    code = getattr(function, "__func__", function).__code__
    count: int = code.co_argcount + code.co_kwonlyargcount
    names: tuple[str, ...] = code.co_varnames[:count]
    return names[1:] if hasattr(function, "__self__") else names


def validate_result(policy: HookPolicy, result: Any) -> Any:
    """Validate what an implementation returned; a sequence is returned as a list.

    :raises InvalidResult: when the result or one of its elements has the wrong type.
    """
    if result is None:
        return None
    word = policy.result
    parts = result if policy.many else [result]
    if not isinstance(parts, Iterable):
        raise InvalidResult(f"returned {type(result).__name__}, not a list of {word}")
    parts = list(islice(parts, _MAX_PARTS + 1))
    if len(parts) > _MAX_PARTS:
        raise InvalidResult(f"returned more than {_MAX_PARTS} parts, each a {word}")
    for part in parts:
        if isinstance(part, type):
            raise InvalidResult(f"returned the class {part.__name__} where a {word} belongs, write {part.__name__}()")
        if not all(hasattr(part, name) for name in policy.requires):
            raise InvalidResult(f"returned {type(part).__name__} where a {word} belongs")
        if policy.key and not isinstance(getattr(part, policy.key), str):
            raise InvalidResult(f"returned a {word} whose {policy.key} is {getattr(part, policy.key)!r}, not text")
    return parts if policy.many else result


def validate_verdict(answer: object, verdict: type[Any]) -> None:
    """Validate what an implementation answered to an event or as a gate.

    :raises InvalidResult: when it is no verdict of the hook, or one of its members is too long.
    """
    if not issubclass(type(answer), verdict):
        raise InvalidResult(f"returned {type(answer).__name__}, not {verdict.__name__} or None")
    for name, value in vars(answer).items():
        if isinstance(value, tuple) and len(value) > _MAX_PARTS:
            raise InvalidResult(f"returned more than {_MAX_PARTS} {name}")


def starter_of(function: Callable[..., Any], names: Sequence[str]) -> Callable[[dict[str, Any]], Any]:
    """Return a call of a function with those of some named values that it takes."""
    if not names:
        return lambda _: function()
    if len(names) == 1:
        (name,) = names
        return lambda values: function(values[name])
    pick = itemgetter(*names)
    return lambda values: function(*pick(values))
