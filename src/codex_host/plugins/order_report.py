"""Say who comes first in each hook, who is shadowed, and why, without importing a plugin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from codex_host.plugins.manifest import FILE_NAME
from codex_host.plugins.order import KEY, Contender, in_order, rule
from codex_host.plugins.order_checks import order_faults
from codex_host.plugins.registry import Registry, contender

if TYPE_CHECKING:
    from codex_hookspecs.markers import HookPolicy
    from codex_host.plugins.ledger import Ledger
    from codex_host.plugins.registry import PluginStatus

MEANINGS = {
    "choose": "the first answer counts; the next plugin is asked only when there is none",
    "offer": "what all of them offer counts; of two with one name, that of the first",
    "event": "all are called, one after the other",
}
_CLI = "cli_commands"


class OrderReport:
    """The order of plugins as the program would have it now.

    :param ledger: knows the marks of implementations and the names that plugins shared, from the last run.
    :param preferred: plugins that the user wants first, by hook.
    """

    def __init__(
        self, statuses: Mapping[str, PluginStatus], ledger: Ledger, preferred: Mapping[str, Sequence[str]]
    ) -> None:
        self._statuses = statuses
        self._ledger = ledger
        self._preferred = preferred

    @cached_property
    def policies(self) -> dict[str, HookPolicy]:
        """How each hook is called."""
        return Registry().policies

    def faults(self) -> list[str]:
        """Return what is wrong with the setting and with what manifests say."""
        return order_faults(self._statuses, self._preferred, self.policies)

    def lineup(self, hook: str) -> list[Contender]:
        """Return the plugins that run and implement a hook, in order."""
        sharing = (each for each in self._statuses.values() if each.state == "loaded" and hook in each.hooks)
        plugins = (contender(each, self._ledger.account(each.name).marks.get(hook, "")) for each in sharing)
        return in_order(self.policies[hook].kind, plugins, self._preferred.get(hook, ()))

    def reason(self, hook: str, first: Contender, second: Contender) -> str:
        """Return why one plugin comes before another."""
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
        """Return why a plugin of the line-up is where it is, or the empty string."""
        lineup, wanted = self.lineup(hook), self._preferred.get(hook, ())
        if lineup[at].name in wanted:
            return f"{KEY}.{hook}"
        return "" if not at or lineup[at - 1].name in wanted else self.reason(hook, lineup[at - 1], lineup[at])

    def shadowed(self, hook: str) -> Iterator[tuple[str, Contender, Contender]]:
        """Iterate the names that two plugins offer, each with who comes first and whose does not count."""
        lineup = self.lineup(hook) if self.policies[hook].kind == "offer" else []
        by_name = {plugin.name: plugin for plugin in lineup}
        rivals: dict[str, set[str]] = {}
        for plugin in lineup:
            if hook == _CLI:
                for command in self._statuses[plugin.name].commands:
                    rivals.setdefault(command, set()).add(plugin.name)
            else:
                for part, owner in self._ledger.account(plugin.name).shadowed.get(hook, {}).items():
                    rivals.setdefault(part, set()).update(by_name.keys() & {plugin.name, owner})
        for part, names in sorted(rivals.items()):
            first, *others = [plugin for plugin in lineup if plugin.name in names]
            for other in others:
                yield part, first, other

    def of_plugin(self, name: str) -> dict[str, str]:
        """Say by hook whom a plugin comes before and after, where that makes a difference."""
        status = self._statuses[name]
        hooks = [hook for hook in status.hooks if status.state == "loaded" and hook in self.policies]
        return {hook: text for hook in hooks if (text := self._of_hook(hook, name))}

    def _of_hook(self, hook: str, name: str) -> str:
        policy, lineup = self.policies[hook], self.lineup(hook)
        if policy.kind == "offer":
            return "; ".join(self._shadows(hook, name))
        if len(lineup) < 2 or policy.parallel:
            return ""
        at = next(place for place, plugin in enumerate(lineup) if plugin.name == name)
        earlier, later = lineup[:at], lineup[at + 1 :]
        if policy.kind == "event":
            parts = [f"after {_names(earlier)}"] * bool(earlier) + [f"before {_names(later)}"] * bool(later)
            return f"called {', '.join(parts)}"
        if not earlier:
            return f"asked first, before {_names(later)} ({self.reason(hook, lineup[0], lineup[1])})"
        unanswered = f"asked only when {_names(earlier)} {'has' if at == 1 else 'have'} no answer"
        return f"{unanswered} ({self.reason(hook, lineup[at - 1], lineup[at])}); {self.remedy(hook, name)}"

    def _shadows(self, hook: str, name: str) -> Iterator[str]:
        for part, first, other in self.shadowed(hook):
            why = self.reason(hook, first, other)
            if other.name == name:
                yield f"{part} is shadowed by that of {first.name} ({why}); {self.remedy(hook, name)}"
            elif first.name == name:
                yield f"{part} shadows that of {other.name} ({why})"

    def remedy(self, hook: str, name: str) -> str:
        """Return the setting that puts a plugin first."""
        return f'{KEY}.{hook} = "{name}" puts it first'

    def briefly(self, name: str) -> str:
        """Say in a few words where a third party's plugin makes a difference, for a list."""
        status = self._statuses[name]
        if status.state != "loaded" or status.first_party:
            return ""
        told: list[str] = []
        for hook in self.policies.keys() & status.hooks:
            names = [plugin.name for plugin in self.lineup(hook)] if self.policies[hook].kind == "choose" else [name]
            at = names.index(name)
            if at:
                told.append(f"{hook} only after {', '.join(names[:at])}")
            elif names[1:]:
                told.append(f"{hook} before {', '.join(names[1:])}")
            for part, first, other in self.shadowed(hook):
                told += [f"{part} shadows {other.name}"] * (first.name == name)
                told += [f"{part} shadowed by {first.name}"] * (other.name == name)
        return "".join(f"; {text}" for text in sorted(told))

    def facts(self, hook: str) -> dict[str, Any]:
        """Return what is known of a hook, for JSON."""
        lineup, policy = self.lineup(hook), self.policies[hook]
        return {
            "hook": hook,
            "kind": policy.kind,
            "notCalledYet": policy.not_called_yet,
            "plugins": [{"name": plugin.name, "why": self.place(hook, at) or None} for at, plugin in enumerate(lineup)],
            "shadowed": [
                {"name": part, "plugin": other.name, "by": first.name, "why": self.reason(hook, first, other)}
                for part, first, other in self.shadowed(hook)
            ],
        }


def _names(plugins: Sequence[Contender]) -> str:
    return ", ".join(plugin.name for plugin in plugins)
