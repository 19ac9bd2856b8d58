"""Check the order of plugins: invalid settings, contradicting manifests, implementations that are never called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from codex_hookspecs.errors import PluginError
from codex_host.plugins.manifest import FILE_NAME
from codex_host.plugins.order import KEY
from codex_host.plugins.signatures import unknown_hook

if TYPE_CHECKING:
    from codex_hookspecs.markers import HookPolicy
    from codex_host.plugins.order import Candidate
    from codex_host.plugins.registry import PluginStatus, Registry

    Statuses: TypeAlias = Mapping[str, PluginStatus]
    _Problem: TypeAlias = tuple[str, Sequence[str]]


def order_warnings(registry: Registry) -> list[str]:
    """Return warnings about the setting, about manifests, and about choices that hide a third-party plugin."""
    return [*order_faults(registry.statuses, registry.preferred, registry.policies), *_unasked(registry)]


def order_faults(
    statuses: Statuses,
    preferred: Mapping[str, Sequence[str]],
    policies: Mapping[str, HookPolicy],
    plugin: str | None = None,
) -> list[str]:
    """Return problems of the setting and of manifests.

    :param preferred: plugins to call first by the user's setting, by hook.
    :param plugin: return only the problems of this one.
    """
    found = [*_setting(statuses, preferred, policies), *_manifests(statuses)]
    return [text for text, names in found if plugin is None or plugin in names]


def check_command(registry: Registry, command: str, first: str, *others: str) -> list[str]:
    """Return warnings about plugins whose command is shadowed by another plugin's.

    :param first: the plugin whose command is used.
    :raises PluginError: when nothing decides between two third-party plugins.
    """
    warnings = []
    for other in others:
        if _is_settled(registry, "cli_commands", first, other):
            continue
        remedy = f'({KEY}.cli_commands = "{other}" puts {other} first)'
        if not registry.status(first).first_party:
            text = f"plugins {first} and {other} both offer the command {command!r}; disable one, or say which {remedy}"
            raise PluginError(text, plugin=other)
        warnings.append(f"the command {command} of {other} is left out: plugin {first} offers it {remedy}")
    return warnings


def shadow_warnings(registry: Registry, hook: str, part: Any, first: str, other: str) -> list[str]:
    """Return warnings about a contribution that is shadowed by another plugin's.

    :param part: the contribution that is left out.
    :param first: the plugin whose contribution is used.
    """
    name = getattr(part, registry.policies[hook].key)
    if getattr(part, "of_client", False):
        return [f"the client's tool {name} is left out: plugin {first} offers one of that name"]
    what = f"{registry.policies[hook].result} {name} of plugin {other} is left out"
    if first == other:
        return [f"{what}: the plugin offers two of that name"]
    if _is_settled(registry, hook, first, other):
        return []
    return [f'{what}: plugin {first} offers one of that name ({KEY}.{hook} = "{other}" puts {other} first)']


def rivals(registry: Registry, hook: str, first: str) -> list[str]:
    """Return the third-party plugins that come after another one only by default rank.

    :param first: a third-party plugin that implements the hook.
    """
    marks = {impl.plugin_name: impl.trylast for impl in registry.implementations(hook)}
    names = list(marks)
    return [
        name
        for name in names[names.index(first) + 1 :]
        if not (marks[name] or registry.status(name).first_party or _is_settled(registry, hook, first, name))
    ]


def is_settled(wanted: Sequence[str], first: Candidate | PluginStatus, other: Candidate | PluginStatus) -> bool:
    """Return whether the setting or a manifest decides the order of two plugins.

    :param wanted: plugins to call first by the user's setting.
    """
    return first.name in wanted or first.name in other.after or other.name in first.before


def _is_settled(registry: Registry, hook: str, first: str, other: str) -> bool:
    return is_settled(registry.preferred.get(hook, ()), registry.status(first), registry.status(other))


def _setting(
    statuses: Statuses, preferred: Mapping[str, Sequence[str]], policies: Mapping[str, HookPolicy]
) -> Iterator[_Problem]:
    for hook, names in preferred.items():
        if hook not in policies:
            yield f"{KEY}.{hook}: {unknown_hook(hook, sorted(policies))}", names
            continue
        for name in names:
            status = statuses.get(name)
            if status is None:
                yield f"{KEY}.{hook} names {name}, which is not installed", (name,)
            elif status.state != "loaded":
                remedy = f" (run: {status.remedy})" if status.remedy else ""
                yield f"{KEY}.{hook} names {name}, which is {status.state}: {status.detail}{remedy}", (name,)
            elif hook not in status.hooks:
                yield f"{KEY}.{hook} names {name}, which does not implement it", (name,)


def _manifests(statuses: Statuses) -> Iterator[_Problem]:
    """Yield problems with unknown names, and the first cycle."""
    loaded = {name: status for name, status in statuses.items() if status.state == "loaded"}
    graph: dict[str, set[str]] = {name: {*status.after} & loaded.keys() for name, status in loaded.items()}
    for name, status in loaded.items():
        for key, others in (("before", status.before), ("after", status.after)):
            missing = [other for other in others if other not in statuses]
            if missing and not status.first_party:
                more = f" (nor are {len(missing) - 1} others)" if missing[1:] else ""
                yield f"plugin {name}: {FILE_NAME} has {key} = {missing[0]!r}, which is not installed{more}", (name,)
            if key == "before":
                for other in graph.keys() & set(others):
                    graph[other].add(name)
    if not any(graph.values()):
        return
    from graphlib import CycleError, TopologicalSorter

    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle = " before ".join(error.args[1])
        text = f"plugins ask to come before each other in {FILE_NAME}: {circle}; one of them has to give way"
        yield text, error.args[1]


def _unasked(registry: Registry) -> Iterator[str]:
    """Yield warnings about third-party implementations of a choice that come after another only by default rank."""
    for hook, policy in registry.policies.items():
        if policy.kind != "choose" or policy.by or hook in registry.preferred:
            continue
        offering = (status for status in registry.statuses.values() if hook in status.hooks and not status.first_party)
        if sum(status.state == "loaded" for status in offering) < 2:
            continue
        first = registry.implementations(hook)[0].plugin_name
        for name in rivals(registry, hook, first):
            yield (
                f"plugins {first} and {name} both implement {hook}, where one answer counts: "
                f'{name} is asked only when {first} has none ({KEY}.{hook} = "{name}" puts it first)'
            )
