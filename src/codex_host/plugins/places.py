"""Find the code locations in plugins where something failed or waits."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import asyncio

    from codex_host.plugins.registry import Registry

Places: TypeAlias = list[tuple[str, int]]
"""Files and lines, outermost call first."""


def raised_places(error: BaseException) -> Places:
    """Return the locations of a traceback."""
    if isinstance(error, SyntaxError) and error.filename:
        return [(error.filename, error.lineno or 0)]
    places: Places = []
    traceback = error.__traceback__
    while traceback is not None:
        places.append((traceback.tb_frame.f_code.co_filename, traceback.tb_lineno))
        traceback = traceback.tb_next
    return places


def waiting_places(task: asyncio.Task[Any]) -> Places:
    """Return the locations where a task waits."""
    places: Places = []
    waiting: Any = task.get_coro()
    while waiting is not None:
        frame = getattr(waiting, "cr_frame", None) or getattr(waiting, "gi_frame", None)
        if frame is None:
            break
        places.append((frame.f_code.co_filename, frame.f_lineno or 0))
        waiting = getattr(waiting, "cr_await", None) or getattr(waiting, "gi_yieldfrom", None)
    return places


def place_of(function: Callable[..., Any]) -> tuple[str, int] | None:
    """Return the file and line of a function, or of the one that it wraps."""
    function = getattr(function, "__wrapped__", function)
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    return None if code is None else (code.co_filename, code.co_firstlineno)


def find_failing_plugin(
    registry: Registry, called: str, places: Places, function: Callable[..., Any] | None = None
) -> tuple[str, tuple[str, int] | None]:
    """Return the plugin with the innermost code location, and that location.

    :param called: the plugin that was called; it may have called code of another one.
    :param function: the function that was called, if known.
    """
    own = _roots(registry, called)
    if function is not None and (root := _root(getattr(function, "__module__", None) or "")):
        own.add(root)
    others: dict[str, set[str]] | None = None
    for place in reversed(places):
        if _within(place[0], own):
            return called, place
        if others is None:
            names = (name for name, _ in registry.manager.list_name_plugin() if name != called)
            others = {name: _roots(registry, name) for name in names}
        for name, roots in others.items():
            if _within(place[0], roots):
                return name, place
    return called, None


def _within(file: str, roots: Iterable[str]) -> bool:
    return any(file == root or (root.endswith(os.sep) and file.startswith(root)) for root in roots)


def _roots(registry: Registry, name: str) -> set[str]:
    """Return the packages (or single files) that contain the hooks of a plugin."""
    from codex_host.plugins.signatures import implementations

    plugin = registry.manager.get_plugin(name)
    modules = {getattr(function, "__module__", None) for _, function in implementations(plugin)}
    return {root for module in modules if module and (root := _root(module))}


def _root(module: str) -> str | None:
    """Return the folder of the outermost regular package of a module, else the module's file."""
    parts = module.split(".")
    for count in range(1, len(parts) + 1):
        found = sys.modules.get(".".join(parts[:count]))
        file: str | None = getattr(found, "__file__", None)
        if file is not None:
            return os.path.dirname(file) + os.sep if hasattr(found, "__path__") else file
    return None
