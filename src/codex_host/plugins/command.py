"""``codex plugins``: list, show, trust, enable, disable and check plugins, without importing any of them here."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from attrs import define

from codex_hookspecs.environments.repository import project_root
from codex_hookspecs.errors import ConfigError, PluginError
from codex_hookspecs.terminal_text import visible
from codex_host.app import codex_home
from codex_host.config.edit import edit_file
from codex_host.config.effective import EffectiveConfig
from codex_host.plugins.admission import Admission
from codex_host.plugins.discovery import FoundPlugin, found_plugins
from codex_host.plugins.ledger import Ledger
from codex_host.plugins.tables import aligned
from codex_host.plugins.trust import TrustStore
from codex_host.usage import Command, read_group

if TYPE_CHECKING:
    from codex_hookspecs.markers import HookPolicy
    from codex_host.options import GlobalOptions
    from codex_host.plugins.registry import PluginStatus

_JSON, _REFRESH, _PROJECT = "--json", "--refresh", "--project"
_COMMANDS = (
    Command("list", "all installed plugins and what became of them", (), (_JSON, _REFRESH)),
    Command("show", "all that is known of one", ("NAME",), (_JSON, _REFRESH)),
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
                _state(status) + _sharing(desk, status),
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


def _sharing(desk: Desk, status: PluginStatus) -> str:
    """Say in a few words whom a third party's plugin is an alternative to."""
    shared = {} if status.first_party else _shared_choices(desk, status)
    way = "asked before" if status.asked_first else "shared with"
    return "".join(f"; {hook} {way} {', '.join(names)}" for hook, names in shared.items())


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
        "notCalledYet": [hook for hook in status.hooks if (policy := _policies().get(hook)) and policy.not_called_yet],
        "commands": status.commands,
        "settings": plugin.manifest.settings if plugin.manifest else {},
        "loadMs": account.load_ms or None,
        "asked": _turn(desk, status),
        "quarantined": "; ".join(account.quarantined.values()) or None,
    }


@cache
def _policies() -> dict[str, HookPolicy]:
    """Return how each hook is called."""
    from codex_host.plugins.registry import Registry

    return Registry().policies


def _shared_choices(desk: Desk, status: PluginStatus) -> dict[str, list[str]]:
    """Return who else answers hooks of which one answer counts, by hook."""
    shared = {
        hook: [
            name
            for name, other in sorted(desk.statuses.items())
            if hook in other.hooks and other.state == "loaded" and name != status.name
        ]
        for hook in status.hooks
        if status.state == "loaded" and (policy := _policies().get(hook)) and policy.kind == "choose"
    }
    return {hook: names for hook, names in shared.items() if names}


def _turn(desk: Desk, status: PluginStatus) -> dict[str, str]:
    """Say by hook when a plugin is asked where one answer counts."""
    later = (
        "the first answer counts; asked in order of names, but before others when marked tryfirst and after them when "
        f"marked trylast (plugins.{status.name}.first = true has this one asked before all)"
    )
    return {
        hook: f"asked before {', '.join(names)}" if status.asked_first else f"shared with {', '.join(names)}: {later}"
        for hook, names in _shared_choices(desk, status).items()
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
    if enabled and desk.ledger.release(name):
        desk.ledger.save()
        print(f"The quarantine of {name} is over.")
    print(f"{'Enabled' if enabled else 'Disabled'} plugin {name}{where} in {file}.")
    return 0


def _doctor(desk: Desk, words: Sequence[str], flags: set[str]) -> int:
    from codex_host.plugins.doctor import examine

    names = [desk.plugin(word).name for word in words] or sorted(desk.plugins)
    return examine([desk.plugins[name] for name in names], desk.statuses)


_RUNS: dict[str, Callable[[Desk, Sequence[str], set[str]], int]] = {
    "list": _list,
    "show": _show,
    "trust": _trust,
    "distrust": _distrust,
    "enable": partial(_switch, enabled=True),
    "disable": partial(_switch, enabled=False),
    "doctor": _doctor,
}
