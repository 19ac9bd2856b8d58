"""Order the plugins that share a hook: as the user says, as they say of themselves, else by rule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import define

if TYPE_CHECKING:
    from codex_hookspecs.markers import Kind

KEY = "plugin_order"
"""Table of the configuration: for each hook, the plugins that come first."""

_MARKS = {"tryfirst": 0, "": 1, "trylast": 2}


@define(frozen=True)
class Contender:
    """A plugin among those that share a hook.

    :param mark: ``tryfirst`` or ``trylast``, as its implementation is marked, or the empty string.
    :param before: plugins that it has to come before, by its manifest.
    :param after: plugins that it has to come after, by its manifest.
    """

    name: str
    first_party: bool = False
    mark: str = ""
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


def preferred(table: object) -> dict[str, tuple[str, ...]]:
    """Return the plugins that the user wants first, by hook.

    :param table: ``[plugin_order]``, each value a name or a list of names.
    """
    if not isinstance(table, Mapping):
        return {}
    return {hook: (names,) if isinstance(names, str) else tuple(names) for hook, names in table.items()}


def in_order(kind: Kind, plugins: Iterable[Contender], wanted: Sequence[str] = ()) -> list[Contender]:
    """Return who comes first, second and so on.

    :param wanted: plugins that the user wants first.
    """
    ordered = sorted(plugins, key=lambda plugin: rule(kind, plugin))
    if any(plugin.before or plugin.after for plugin in ordered):
        ordered = _as_declared(ordered)
    if wanted:
        ordered.sort(key=lambda plugin: wanted.index(plugin.name) if plugin.name in wanted else len(wanted))
    return ordered


def rule(kind: Kind, plugin: Contender) -> tuple[Any, ...]:
    """Return what decides where nobody says anything.

    Of a choice, plugins of third parties come first, as they were installed to replace what is there. Of an offer, ours
    come first, whatever the marks: a name that one of ours has is not taken by chance.
    """
    mark = _MARKS[plugin.mark]
    if kind == "offer":
        return (not plugin.first_party, mark, plugin.name)
    if kind == "choose":
        return (mark, plugin.first_party, plugin.name)
    return (mark, plugin.name)


def _as_declared(plugins: list[Contender]) -> list[Contender]:
    """Move plugins before and after others as their manifests say; of a circle, the first comes first.

    One that has to come before another moves up to it, one that has to come after another waits for it.
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
    ordered: list[Contender] = []
    waiting = {plugin.name: plugin for plugin in plugins}
    while waiting:
        free = [plugin for plugin in waiting.values() if waiting.keys().isdisjoint(earlier[plugin.name])]
        chosen = min(free or waiting.values(), key=lambda plugin: places[plugin.name])
        ordered.append(waiting.pop(chosen.name))
    return ordered


def mark_of(options: Mapping[str, Any]) -> str:
    """Return how an implementation is marked: ``tryfirst``, ``trylast`` or not at all."""
    return next((mark for mark in ("tryfirst", "trylast") if options.get(mark)), "")
