"""Order the plugins of a hook: by the user's setting, by their manifests, else by default rank."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from attrs import define

if TYPE_CHECKING:
    from codex_hookspecs.markers import Kind

KEY = "plugin_order"
"""Configuration table with the plugins to call first, by hook."""

_MARKS = {"tryfirst": 0, "": 1, "trylast": 2}
_ASKED: ContextVar[Mapping[str, str]] = ContextVar("asked", default=MappingProxyType({}))
"""Plugin whose code is running, by the choose hook that it was called for."""


@define(frozen=True)
class Candidate:
    """A plugin that implements a hook, with what decides its position.

    :param mark: ``tryfirst``, ``trylast`` or the empty string, as its implementation is marked.
    :param before: plugins that its manifest puts it before.
    :param after: plugins that its manifest puts it after.
    """

    name: str
    first_party: bool = False
    mark: str = ""
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


def preferred(table: object) -> dict[str, tuple[str, ...]]:
    """Return the plugins to call first by the user's setting, by hook.

    :param table: ``[plugin_order]``, whose values are a name or a list of names.
    """
    if not isinstance(table, Mapping):
        return {}
    return {hook: (names,) if isinstance(names, str) else tuple(names) for hook, names in table.items()}


def in_order(kind: Kind, plugins: Iterable[Candidate], wanted: Sequence[str] = ()) -> list[Candidate]:
    """Return plugins in call order.

    :param wanted: plugins to call first by the user's setting.
    """
    ordered = sorted(plugins, key=lambda plugin: rule(kind, plugin))
    if any(plugin.before or plugin.after for plugin in ordered):
        ordered = _apply_constraints(ordered)
    if wanted:
        ordered.sort(key=lambda plugin: wanted.index(plugin.name) if plugin.name in wanted else len(wanted))
    return ordered


def rule(kind: Kind, plugin: Candidate) -> tuple[Any, ...]:
    """Return the sort key used where neither the user nor a manifest decides.

    For a choice, third-party plugins come first, since they are installed to replace the default. For an offer,
    first-party plugins come first whatever the marks, so that their names are not taken by accident.
    """
    mark = _MARKS[plugin.mark]
    if kind == "offer":
        return (not plugin.first_party, mark, plugin.name)
    if kind == "choose":
        return (mark, plugin.first_party, plugin.name)
    return (mark, plugin.name)


def _apply_constraints(plugins: list[Candidate]) -> list[Candidate]:
    """Reorder plugins by ``before`` and ``after`` of their manifests; a cycle is cut at its first plugin.

    A plugin with ``before`` moves up to directly before the other, one with ``after`` down to directly after it.
    """
    places = {plugin.name: place for place, plugin in enumerate(plugins)}
    earlier: dict[str, set[str]] = {name: set() for name in places}
    for plugin in plugins:
        earlier[plugin.name].update(places.keys() & plugin.after)
        for name in places.keys() & plugin.before:
            earlier[name].add(plugin.name)
    moving = [plugin for plugin in plugins if plugin.before]
    found: dict[str, int] = {}
    while found != places:  # one may depend on the next
        found = dict(places)
        for plugin in moving:
            places[plugin.name] = min(places[name] for name in (plugin.name, *plugin.before) if name in places)
    ordered: list[Candidate] = []
    waiting = {plugin.name: plugin for plugin in plugins}
    while waiting:
        free = [plugin for plugin in waiting.values() if waiting.keys().isdisjoint(earlier[plugin.name])]
        chosen = min(free or waiting.values(), key=lambda plugin: places[plugin.name])
        ordered.append(waiting.pop(chosen.name))
    return ordered


def mark_of(options: Mapping[str, Any]) -> str:
    """Return the mark of an implementation: ``tryfirst``, ``trylast`` or the empty string."""
    return next((mark for mark in ("tryfirst", "trylast") if options.get(mark)), "")


@contextmanager
def asked(hook: str, plugin: str) -> Iterator[None]:
    """Mark that code of a plugin runs that was called for a choose hook."""
    token = _ASKED.set({**_ASKED.get(), hook: plugin})
    try:
        yield
    finally:
        _ASKED.reset(token)


def after_caller(hook: str, plugins: Sequence[str]) -> Sequence[str]:
    """Return the plugins to ask: all, or where one of them asks, those after it."""
    caller = _ASKED.get().get(hook)
    return plugins[plugins.index(caller) + 1 :] if caller in plugins else plugins
