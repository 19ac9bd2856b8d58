"""Report the order of plugins in each hook, shadowed contributions and reasons, without importing plugins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from codex_host.plugins.manifest import FILE_NAME
from codex_host.plugins.order import KEY, Candidate, in_order, rule
from codex_host.plugins.order_checks import is_settled, order_faults
from codex_host.plugins.registry import Registry, candidate_of

if TYPE_CHECKING:
    from codex_hookspecs.markers import HookPolicy
    from codex_host.plugins.registry import PluginStatus
    from codex_host.plugins.stats_file import StatsFile

MEANINGS = {
    "choose": "the first answer is used; the next plugin is called only when there is none",
    "offer": "the contributions of all are used; of two with the same name, the first",
    "event": "all are called, one after the other",
}
_CLI = "cli_commands"


class OrderReport:
    """The order of plugins that a run of the program would have.

    :param stats_file: has the marks of implementations and the shadowed contributions of the last run.
    :param preferred: plugins to call first by the user's setting, by hook.
    """

    def __init__(
        self, statuses: Mapping[str, PluginStatus], stats_file: StatsFile, preferred: Mapping[str, Sequence[str]]
    ) -> None:
        self._statuses = statuses
        self._stats_file = stats_file
        self._preferred = preferred

    @cached_property
    def policies(self) -> dict[str, HookPolicy]:
        """Policies of all hooks."""
        return Registry().policies

    def faults(self, plugin: str | None = None) -> list[str]:
        """Return problems of the setting and of manifests.

        :param plugin: return only those of this one.
        """
        return order_faults(self._statuses, self._preferred, self.policies, plugin)

    def call_order(self, hook: str) -> list[Candidate]:
        """Return the loaded plugins that implement a hook, in call order."""
        sharing = (each for each in self._statuses.values() if each.state == "loaded" and hook in each.hooks)
        plugins = (candidate_of(each, self._stats_file.stats(each.name).marks.get(hook, "")) for each in sharing)
        return in_order(self.policies[hook].kind, plugins, self._preferred.get(hook, ()))

    def reason(self, hook: str, first: Candidate, second: Candidate) -> str:
        """Return why one plugin is called before another."""
        kind, wanted = self.policies[hook].kind, self._preferred.get(hook, ())
        if first.name in wanted:
            return f"{KEY}.{hook} names {first.name}"
        if second.name in first.before:
            return f"{FILE_NAME} of {first.name}: before"
        if first.name in second.after:
            return f"{FILE_NAME} of {second.name}: after"
        if rule(kind, first) > rule(kind, second):
            return f"as {FILE_NAME} of others says"
        if kind == "offer" and first.first_party != second.first_party:
            return "first-party names are kept"
        if first.mark != second.mark:
            return (
                f"{first.name} is marked tryfirst" if first.mark == "tryfirst" else f"{second.name} is marked trylast"
            )
        if kind == "choose" and first.first_party != second.first_party:
            return "third-party plugins come before first-party ones"
        return "in order of names"

    def place(self, hook: str, at: int) -> str:
        """Return why a plugin has its position in the call order, or the empty string."""
        order, wanted = self.call_order(hook), self._preferred.get(hook, ())
        if order[at].name in wanted:
            return f"{KEY}.{hook}"
        kind = self.policies[hook].kind
        passed = [other for other in order[at + 1 :] if rule(kind, other) < rule(kind, order[at])]
        if any(other.name in order[at].before for other in passed):
            return f"{FILE_NAME} of {order[at].name}: before"
        return "" if not at or order[at - 1].name in wanted else self.reason(hook, order[at - 1], order[at])

    def shadowed(self, hook: str) -> Iterator[tuple[str, Candidate, Candidate]]:
        """Yield shadowed contributions: the name, the plugin whose contribution is used, and the other."""
        for part, (first, *others) in self._rivals(hook):
            if not self._is_refused(hook, first, others):
                for other in others:
                    yield part, first, other

    def refused(self, hook: str) -> Iterator[tuple[str, list[Candidate]]]:
        """Yield the names of which no contribution is used, because nothing decides between plugins, with these."""
        for part, plugins in self._rivals(hook):
            if self._is_refused(hook, plugins[0], plugins[1:]):
                yield part, plugins

    def _is_refused(self, hook: str, first: Candidate, others: Sequence[Candidate]) -> bool:
        wanted = self._preferred.get(hook, ())
        settled = first.first_party or all(is_settled(wanted, first, other) for other in others)
        return hook == _CLI and not settled

    def _rivals(self, hook: str) -> Iterator[tuple[str, list[Candidate]]]:
        """Yield names that several plugins contribute, with these plugins in call order."""
        order = self.call_order(hook) if self.policies[hook].kind == "offer" else []
        by_name = {plugin.name: plugin for plugin in order}
        rivals: dict[str, set[str]] = {}
        for plugin in order:
            if hook == _CLI:
                for command in self._statuses[plugin.name].commands:
                    rivals.setdefault(command, set()).add(plugin.name)
            else:
                for part, owner in self._stats_file.stats(plugin.name).shadowed.get(hook, {}).items():
                    rivals.setdefault(part, set()).update(by_name.keys() & {plugin.name, owner})
        for part, names in sorted(rivals.items()):
            if len(names) > 1:
                yield part, [plugin for plugin in order if plugin.name in names]

    def of_plugin(self, name: str) -> dict[str, str]:
        """Describe by hook the position of a plugin, where the order matters."""
        status = self._statuses[name]
        hooks = [hook for hook in status.hooks if status.state == "loaded" and hook in self.policies]
        return {hook: text for hook in hooks if (text := self._of_hook(hook, name))}

    def _of_hook(self, hook: str, name: str) -> str:
        policy, order = self.policies[hook], self.call_order(hook)
        if policy.kind == "offer":
            return "; ".join(self._shadows(hook, name))
        if len(order) < 2 or policy.parallel:
            return ""
        at = next(place for place, plugin in enumerate(order) if plugin.name == name)
        earlier, later = order[:at], order[at + 1 :]
        if policy.kind == "event":
            parts = [f"after {_names(earlier)}"] * bool(earlier) + [f"before {_names(later)}"] * bool(later)
            return f"called {', '.join(parts)}"
        if not earlier:
            return f"asked first, before {_names(later)} ({self.reason(hook, order[0], order[1])})"
        unanswered = f"asked only when {_names(earlier)} {'has' if at == 1 else 'have'} no answer"
        return f"{unanswered} ({self.reason(hook, order[at - 1], order[at])}); {self.remedy(hook, name)}"

    def _shadows(self, hook: str, name: str) -> Iterator[str]:
        for part, plugins in self.refused(hook):
            if name in (others := [plugin.name for plugin in plugins]):
                others.remove(name)
                also = ", ".join(others)
                yield f"{part} can't be used, since it is also offered by {also}; {self.remedy(hook, name)}"
        for part, first, other in self.shadowed(hook):
            why = self.reason(hook, first, other)
            if other.name == name:
                yield f"{part} is shadowed by that of {first.name} ({why}); {self.remedy(hook, name)}"
            elif first.name == name:
                yield f"{part} shadows that of {other.name} ({why})"

    def remedy(self, hook: str, name: str) -> str:
        """Return the setting that puts a plugin first."""
        return f'{KEY}.{hook} = "{name}" puts it first'

    def summary(self, name: str) -> str:
        """Return a short note on a third-party plugin's position and shadowed contributions, for a list."""
        status = self._statuses[name]
        if status.state != "loaded" or status.first_party:
            return ""
        parts: list[str] = []
        for hook in self.policies.keys() & status.hooks:
            names = (
                [plugin.name for plugin in self.call_order(hook)] if self.policies[hook].kind == "choose" else [name]
            )
            at = names.index(name)
            if at:
                parts.append(f"{hook} only after {', '.join(names[:at])}")
            elif names[1:]:
                parts.append(f"{hook} before {', '.join(names[1:])}")
            for part, plugins in self.refused(hook):
                others = [plugin.name for plugin in plugins if plugin.name != name]
                parts += [f"{part} can't be used beside {', '.join(others)}"] * (len(others) < len(plugins))
            for part, first, other in self.shadowed(hook):
                parts += [f"{part} shadows {other.name}"] * (first.name == name)
                parts += [f"{part} shadowed by {first.name}"] * (other.name == name)
        return "".join(f"; {text}" for text in sorted(parts))

    def facts(self, hook: str) -> dict[str, Any]:
        """Return the report of a hook for JSON output."""
        order, policy = self.call_order(hook), self.policies[hook]
        return {
            "hook": hook,
            "kind": policy.kind,
            "notCalledYet": policy.not_called_yet,
            "plugins": [{"name": plugin.name, "why": self.place(hook, at) or None} for at, plugin in enumerate(order)],
            "shadowed": [
                {"name": part, "plugin": other.name, "by": first.name, "why": self.reason(hook, first, other)}
                for part, first, other in self.shadowed(hook)
            ],
            "refused": [
                {"name": part, "plugins": [plugin.name for plugin in plugins]} for part, plugins in self.refused(hook)
            ],
        }


def _names(plugins: Sequence[Candidate]) -> str:
    return ", ".join(plugin.name for plugin in plugins)
