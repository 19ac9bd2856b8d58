"""``codex plugins``: list, show, trust, enable, disable and check plugins, without importing any of them here."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from attrs import define

from codex_hookspecs.environments.repository import project_root
from codex_hookspecs.errors import ConfigError, PluginError
from codex_hookspecs.terminal_text import visible
from codex_host.app import codex_home
from codex_host.config.edit import edit_file
from codex_host.config.effective import EffectiveConfig
from codex_host.fast_commands import forget_fast_commands
from codex_host.plugins.admission import Admission
from codex_host.plugins.discovery import found_plugins
from codex_host.plugins.ledger import Ledger
from codex_host.plugins.manifest import FoundPlugin
from codex_host.plugins.order import KEY, preferred
from codex_host.plugins.order_report import MEANINGS, OrderReport
from codex_host.plugins.signatures import unknown_hook
from codex_host.plugins.tables import aligned
from codex_host.plugins.trust import TrustStore
from codex_host.usage import Command, read_group

if TYPE_CHECKING:
    from codex_host.options import GlobalOptions
    from codex_host.plugins.registry import PluginStatus

_JSON, _REFRESH, _PROJECT = "--json", "--refresh", "--project"
_COMMANDS = (
    Command("list", "all installed plugins and what became of them", (), (_JSON, _REFRESH)),
    Command("show", "all that is known of one", ("NAME",), (_JSON, _REFRESH)),
    Command("hooks", "who answers each hook, in which order and why", ("[HOOK]",), (_JSON, _REFRESH)),
    Command("trust", "let a third party's plugin run, as its files are now", ("NAME",)),
    Command("distrust", "take that back", ("NAME",)),
    Command("enable", "switch a plugin on (for this project only), and end its quarantine", ("NAME",), (_PROJECT,)),
    Command("disable", "switch a plugin off (for this project only)", ("NAME",), (_PROJECT,)),
    Command("doctor", "import each plugin in a process of its own and say what is wrong", ("[NAME]",)),
)


@define
class Desk:
    """What the commands work with."""

    home: str
    cwd: str
    config: EffectiveConfig
    plugins: dict[str, FoundPlugin]
    statuses: dict[str, PluginStatus]
    ledger: Ledger

    @cached_property
    def order(self) -> OrderReport:
        """Who comes first in each hook."""
        return OrderReport(self.statuses, self.ledger, preferred(self.config.get(KEY, {})))

    def plugin(self, name: str) -> FoundPlugin:
        """Return a plugin by name.

        :raises PluginError: when it is not installed.
        """
        if name not in self.plugins:
            known = ", ".join(sorted(self.plugins)) or "none"
            raise PluginError(f"plugin {name!r} is not installed; installed are: {known}", plugin=name)
        return self.plugins[name]


def run_plugins(options: GlobalOptions) -> int:
    """Run one of the commands and return the exit status.

    :raises CodexError: when it can't be done.
    """
    read = read_group("codex plugins", _COMMANDS, options.rest, default="list")
    if read is None:
        return 0
    command, arguments, flags = read
    desk = _desk(options, refresh=_REFRESH in flags or command.name == "doctor")
    return _RUNS[command.name](desk, arguments, flags)


def _desk(options: GlobalOptions, *, refresh: bool) -> Desk:
    home = codex_home(os.environ)
    ledger = Ledger.in_home(home)
    found = found_plugins(home, refresh=refresh)
    try:
        config = EffectiveConfig(home, cwd=options.cwd, flags=options.overrides, profile=options.profile)
    except ConfigError as error:
        print(f"warning: the configuration does not count here: {visible(str(error))}", file=sys.stderr)
        config = EffectiveConfig(home, cwd=options.cwd, base=())
    admission = Admission(config=config, home=home, ledger=ledger, no_plugins=options.no_plugins)
    statuses = admission.admit_all(found)
    for status in statuses.values():
        _recall(status, ledger)
    return Desk(home, options.cwd, config, {plugin.name: plugin for plugin in found}, statuses, ledger)


def _recall(status: PluginStatus, ledger: Ledger) -> None:
    """Take over why a plugin could not be loaded the last time, as nothing is imported here."""
    reason = ledger.account(status.name).load_error
    if reason is not None and status.state == "loaded" and ledger.kept_version(status.name) == status.version:
        status.state, status.detail, status.remedy = "failed", reason, f"codex plugins doctor {status.name}"


def _list(desk: Desk, words: Sequence[str], flags: set[str]) -> int:
    if _JSON in flags:
        print(json.dumps([_facts(desk, name) for name in sorted(desk.plugins)], indent=1))
        return 0
    rows = [("NAME", "VERSION", "SOURCE", "STATUS", "LOAD", "HOOKS")]
    for name, status in sorted(desk.statuses.items()):
        load = desk.ledger.account(name).load_ms
        shown_load = f"{load:.1f} ms" if load else "-"
        source = "codex-host" if status.first_party else status.distribution
        rows.append(
            (
                name,
                status.version,
                source,
                _state(status) + desk.order.briefly(name),
                shown_load,
                ", ".join(status.hooks) or "-",
            )
        )
    print(aligned(rows))
    return 0


def _state(status: PluginStatus) -> str:
    if status.state == "loaded":
        word = "enabled" if status.first_party else "enabled, trusted"
        reasons = "; ".join(status.quarantined.values())
        return f"{word}, quarantined: {reasons} (run: codex plugins enable {status.name})" if reasons else word
    word = "not trusted" if status.state == "untrusted" else status.state
    detail = f": {status.detail}" if status.detail and status.detail != "not trusted yet" else ""
    return f"{word}{detail}" + (f" (run: {status.remedy})" if status.remedy else "")


def _facts(desk: Desk, name: str) -> dict[str, Any]:
    plugin, status, account = desk.plugins[name], desk.statuses[name], desk.ledger.account(name)
    return {
        "name": name,
        "version": status.version,
        "distribution": status.distribution,
        "firstParty": status.first_party,
        "status": "enabled" if status.state == "loaded" else status.state,
        "detail": status.detail,
        "remedy": status.remedy,
        "description": status.description,
        "entryPoint": plugin.value,
        "folder": plugin.folder,
        "hooks": list(status.hooks),
        "notCalledYet": [
            hook for hook in status.hooks if (policy := desk.order.policies.get(hook)) and policy.not_called_yet
        ],
        "commands": status.commands,
        "settings": plugin.manifest.settings if plugin.manifest else {},
        "loadMs": account.load_ms or None,
        "before": list(status.before),
        "after": list(status.after),
        "order": desk.order.of_plugin(name),
        "quarantined": "; ".join(account.quarantined.values()) or None,
    }


def _show(desk: Desk, words: Sequence[str], flags: set[str]) -> int:
    desk.plugin(words[0])
    facts = _facts(desk, words[0])
    if _JSON in flags:
        print(json.dumps(facts, indent=1))
        return 0
    for key, value in facts.items():
        shown = ", ".join(value) if isinstance(value, list) else value
        if shown in (None, "", {}):
            continue
        if isinstance(shown, dict):
            print(f"{key}:")
            for inner, text in shown.items():
                print(visible(f"  {inner}: {text}"))
        else:
            print(visible(f"{key}: {shown}"))
    return 0


def _hooks(desk: Desk, words: Sequence[str], flags: set[str]) -> int:
    order = desk.order
    for hook in words:
        if hook not in order.policies:
            raise ConfigError(unknown_hook(hook, sorted(order.policies)))
    for fault in order.faults():
        print(f"warning: {visible(fault)}", file=sys.stderr)
    if _JSON in flags:
        print(json.dumps([order.facts(hook) for hook in words or order.policies], indent=1))
    elif words:
        _show_hook(desk, words[0])
    else:
        rows = [("HOOK", "KIND", "PLUGINS, THE FIRST FIRST")]
        for hook, policy in order.policies.items():
            names = ", ".join(plugin.name for plugin in order.lineup(hook)) or "-"
            rows.append((hook, policy.kind, "not called yet" if policy.not_called_yet else names))
        print(aligned(rows))
    return 0


def _show_hook(desk: Desk, hook: str) -> None:
    """Print who answers one hook, who is shadowed, who is left out, and what changes it."""
    order = desk.order
    policy, lineup = order.policies[hook], order.lineup(hook)
    print(f"{hook} ({policy.kind}): {MEANINGS[policy.kind]}{', but side by side' if policy.parallel else ''}.")
    if policy.not_called_yet:
        print("This version of the host does not call it yet.")
    rows = [("PLACE", "PLUGIN", "WHY HERE", "STATUS")]
    for at, plugin in enumerate(lineup):
        rows.append((str(at + 1), plugin.name, order.place(hook, at), _state(desk.statuses[plugin.name])))
    absent = (each for each in desk.statuses.values() if each.state != "loaded" and hook in each.hooks)
    rows += (("-", status.name, "", _state(status)) for status in absent)
    print("\n" + (aligned(rows) if len(rows) > 1 else "No plugin implements it."))
    candidate = lineup[1].name if len(lineup) > 1 and policy.kind != "offer" and not policy.parallel else ""
    for part, first, other in order.shadowed(hook):
        why = order.reason(hook, first, other)
        print(visible(f"\n{part} is that of {first.name}; that of {other.name} is shadowed ({why})"))
        candidate = other.name
    if candidate:
        file = os.path.join(desk.home, "config.toml")
        print(visible(f'\nTo put another one first, in {file}:\n\n  [{KEY}]\n  {hook} = "{candidate}"'))


def _trust(desk: Desk, words: Sequence[str], flags: set[str]) -> int:
    plugin = desk.plugin(words[0])
    if plugin.first_party:
        print(f"{plugin.name} comes with codex-host and needs no trust.")
        return 0
    if plugin.problem:
        raise PluginError(f"plugin {plugin.name} can't be used: {plugin.problem}", plugin=plugin.name)
    digest = TrustStore(desk.home).trust(plugin)
    if desk.ledger.release(plugin.name):  # What was trusted now is not what failed.
        desk.ledger.save()
    print(f"Trusted plugin {plugin.name} ({plugin.distribution} {plugin.version}, sha256:{digest[:16]}…).")
    print("It runs inside the program with all its rights; you are asked again when its files change.")
    forget_fast_commands(desk.home)
    status = desk.statuses[plugin.name]
    if status.state == "untrusted":
        status.state = "loaded"
    for hook, text in desk.order.of_plugin(plugin.name).items():
        print(visible(f"{hook}: {text}"))
    return 0


def _distrust(desk: Desk, words: Sequence[str], flags: set[str]) -> int:
    plugin = desk.plugin(words[0])
    found = TrustStore(desk.home).distrust(plugin.name)
    print(f"Plugin {plugin.name} is not trusted any more." if found else f"Plugin {plugin.name} was not trusted.")
    return 0


def _switch(desk: Desk, words: Sequence[str], flags: set[str], *, enabled: bool) -> int:
    plugin = desk.plugin(words[0])
    name = plugin.name
    key, where = f'plugins."{name}".enabled', ""
    if _PROJECT in flags:
        root = project_root(desk.cwd) or desk.cwd
        if '"' in root:
            raise ConfigError(f"{root} holds a quote and can't be a key of config.toml; rename it")
        key, where = f'projects."{root}".{key}', f" for {root}"
    file = os.path.join(desk.home, "config.toml")
    edit_file(file, {key: enabled})
    forget_fast_commands(desk.home)
    if enabled and desk.ledger.release(name):
        desk.ledger.save()
        print(f"The quarantine of {name} is over.")
    print(f"{'Enabled' if enabled else 'Disabled'} plugin {name}{where} in {file}.")
    return 0


def _doctor(desk: Desk, words: Sequence[str], flags: set[str]) -> int:
    from codex_host.plugins.doctor import examine

    names = [desk.plugin(word).name for word in words] or sorted(desk.plugins)
    faults = [] if words else desk.order.faults()
    for fault in faults:
        print(visible(fault))
    return examine([desk.plugins[name] for name in names], desk.statuses) or bool(faults)


_RUNS: dict[str, Callable[[Desk, Sequence[str], set[str]], int]] = {
    "list": _list,
    "show": _show,
    "hooks": _hooks,
    "trust": _trust,
    "distrust": _distrust,
    "enable": partial(_switch, enabled=True),
    "disable": partial(_switch, enabled=False),
    "doctor": _doctor,
}
