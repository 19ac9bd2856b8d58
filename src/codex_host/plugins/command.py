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
from codex_hookspecs.terminal_text import escape_controls
from codex_host.app import codex_home
from codex_host.command_line import read_group
from codex_host.config.edit import edit_file
from codex_host.config.effective import EffectiveConfig
from codex_host.fast_commands import forget_fast_commands
from codex_host.plugins.admission import Admission
from codex_host.plugins.discovery import found_plugins
from codex_host.plugins.manifest import FoundPlugin
from codex_host.plugins.order import KEY, preferred
from codex_host.plugins.order_report import MEANINGS, OrderReport
from codex_host.plugins.signatures import unknown_hook
from codex_host.plugins.stats_file import StatsFile
from codex_host.plugins.tables import aligned
from codex_host.plugins.trust import TrustStore
from codex_host.usage import near

if TYPE_CHECKING:
    from codex_host.options import GlobalOptions
    from codex_host.plugins.registry import PluginStatus

_JSON, _REFRESH, _PROJECT = "--json", "--refresh", "--project"


@define
class CommandContext:
    """Everything the commands need: configuration, plugins, their status and statistics."""

    home: str
    options: GlobalOptions
    config: EffectiveConfig
    plugins: dict[str, FoundPlugin]
    statuses: dict[str, PluginStatus]
    stats_file: StatsFile

    @property
    def cwd(self) -> str:
        """The directory to work in."""
        return self.options.cwd

    @cached_property
    def order(self) -> OrderReport:
        """The order of plugins in each hook."""
        return OrderReport(self.statuses, self.stats_file, preferred(self.config.get(KEY, {})))

    def plugin(self, name: str) -> FoundPlugin:
        """Return a plugin by name.

        :raises PluginError: when it is not installed.
        """
        if name not in self.plugins:
            meant = near(name, self.plugins)
            known = ", ".join(sorted(self.plugins)) or "none"
            hint = f"did you mean {meant!r}?" if meant else f"installed are: {known}"
            raise PluginError(f"plugin {name!r} is not installed; {hint}", plugin=name)
        return self.plugins[name]


def run_plugins(options: GlobalOptions) -> int:
    """Run one of the commands and return the exit status.

    :raises CodexError: when the command fails.
    """
    command, arguments, flags = read_group("plugins", options.rest, default="list")
    context = _open_context(options, refresh=_REFRESH in flags or command == "doctor")
    return _RUNS[command](context, arguments, flags)


def usable_commands(options: GlobalOptions) -> dict[str, tuple[str, FoundPlugin | None]]:
    """Return the sub-commands that plugins can be asked for, each with its help and plugin, from manifests alone.

    A command of an untrusted or disabled plugin is left out. One that several plugins offer is that of the plugin whose
    command is run; where nothing decides between them, its help names the plugins.
    """
    context = _open_context(options, refresh=False)
    commands: dict[str, tuple[str, FoundPlugin | None]] = {}
    ordered = [plugin.name for plugin in context.order.call_order("cli_commands")]
    unlisted = [name for name, status in context.statuses.items() if status.state == "loaded" and name not in ordered]
    for name in (*ordered, *unlisted):
        plugin = context.plugins[name]
        commands = {each: (text, plugin) for each, text in context.statuses[name].commands.items()} | commands
    for name, plugins in context.order.refused("cli_commands"):
        commands[name] = (f"offered by {' and '.join(plugin.name for plugin in plugins)}; neither is used", None)
    return commands


def _open_context(options: GlobalOptions, *, refresh: bool) -> CommandContext:
    home = codex_home(os.environ)
    stats_file = StatsFile.in_home(home)
    found = found_plugins(home, refresh=refresh)
    try:
        config = EffectiveConfig(home, cwd=options.cwd, flags=options.overrides, profile=options.profile)
    except ConfigError as error:
        print(f"warning: the configuration is ignored here: {escape_controls(str(error))}", file=sys.stderr)
        config = EffectiveConfig(home, cwd=options.cwd, base=())
    admission = Admission(config=config, home=home, stats_file=stats_file, no_plugins=options.no_plugins)
    statuses = admission.admit_all(found)
    for status in statuses.values():
        _apply_recorded_error(status, stats_file)
    return CommandContext(home, options, config, {plugin.name: plugin for plugin in found}, statuses, stats_file)


def _apply_recorded_error(status: PluginStatus, stats_file: StatsFile) -> None:
    """Mark a plugin as failed when its last import failed, since nothing is imported here."""
    reason = stats_file.stats(status.name).load_error
    if reason is not None and status.state == "loaded" and stats_file.recorded_version(status.name) == status.version:
        status.state, status.detail, status.remedy = "failed", reason, f"codex plugins doctor {status.name}"


def _list(context: CommandContext, words: Sequence[str], flags: set[str]) -> int:
    if _JSON in flags:
        print(json.dumps([_facts(context, name) for name in sorted(context.plugins)], indent=1))
        return 0
    rows = [("NAME", "VERSION", "SOURCE", "STATUS", "LOAD", "HOOKS")]
    for name, status in sorted(context.statuses.items()):
        load = context.stats_file.stats(name).load_ms
        shown_load = f"{load:.1f} ms" if load else "-"
        source = "codex-host" if status.first_party else status.distribution
        rows.append(
            (
                name,
                status.version,
                source,
                _state(status) + context.order.summary(name),
                shown_load,
                ", ".join(_hooks_of(context.plugins[name], status)) or "-",
            )
        )
    print(aligned(rows))
    return 0


def _hooks_of(plugin: FoundPlugin, status: PluginStatus) -> Sequence[str]:
    """Return the hooks of a plugin as it is now, without those that were trusted before."""
    return plugin.manifest.hooks if plugin.manifest else status.hooks


def _state(status: PluginStatus) -> str:
    if status.state == "loaded":
        word = "enabled" if status.first_party else "enabled, trusted"
        reasons = "; ".join(status.quarantined.values())
        return f"{word}, quarantined: {reasons} (run: codex plugins enable {status.name})" if reasons else word
    word = "not trusted" if status.state == "untrusted" else status.state
    detail = f": {status.detail}" if status.detail and status.detail != "not trusted yet" else ""
    return f"{word}{detail}" + (f" (run: {status.remedy})" if status.remedy else "")


def _facts(context: CommandContext, name: str) -> dict[str, Any]:
    plugin, status, stats = context.plugins[name], context.statuses[name], context.stats_file.stats(name)
    hooks = _hooks_of(plugin, status)
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
        "hooks": list(hooks),
        "notCalledYet": [
            hook for hook in hooks if (policy := context.order.policies.get(hook)) and policy.not_called_yet
        ],
        "commands": status.commands,
        "settings": plugin.manifest.settings if plugin.manifest else {},
        "loadMs": stats.load_ms or None,
        "before": list(status.before),
        "after": list(status.after),
        "order": context.order.of_plugin(name),
        "quarantined": "; ".join(stats.quarantined.values()) or None,
    }


def _show(context: CommandContext, words: Sequence[str], flags: set[str]) -> int:
    context.plugin(words[0])
    facts = _facts(context, words[0])
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
                print(escape_controls(f"  {inner}: {text}"))
        else:
            print(escape_controls(f"{key}: {shown}"))
    return 0


def _hooks(context: CommandContext, words: Sequence[str], flags: set[str]) -> int:
    order = context.order
    for hook in words:
        if hook not in order.policies:
            raise ConfigError(unknown_hook(hook, sorted(order.policies)))
    for fault in order.faults():
        print(f"warning: {escape_controls(fault)}", file=sys.stderr)
    if _JSON in flags:
        print(json.dumps([order.facts(hook) for hook in words or order.policies], indent=1))
    elif words:
        _show_hook(context, words[0])
    else:
        rows = [("HOOK", "KIND", "PLUGINS, IN ORDER")]
        for hook, policy in order.policies.items():
            names = ", ".join(plugin.name for plugin in order.call_order(hook)) or "-"
            rows.append((hook, policy.kind, "not called yet" if policy.not_called_yet else names))
        print(aligned(rows))
    return 0


def _show_hook(context: CommandContext, hook: str) -> None:
    """Print which plugins implement a hook, which are shadowed or not loaded, and how to change the order."""
    order = context.order
    policy, call_order = order.policies[hook], order.call_order(hook)
    print(f"{hook} ({policy.kind}): {MEANINGS[policy.kind]}{', but concurrently' if policy.parallel else ''}.")
    if policy.not_called_yet:
        print("This version of the host does not call it yet.")
    rows = [("PLACE", "PLUGIN", "WHY HERE", "STATUS")]
    for at, plugin in enumerate(call_order):
        rows.append((str(at + 1), plugin.name, order.place(hook, at), _state(context.statuses[plugin.name])))
    absent = (each for each in context.statuses.values() if each.state != "loaded" and hook in each.hooks)
    rows += (("-", status.name, "", _state(status)) for status in absent)
    print("\n" + (aligned(rows) if len(rows) > 1 else "No plugin implements it."))
    candidate = call_order[1].name if len(call_order) > 1 and policy.kind != "offer" and not policy.parallel else ""
    for part, first, other in order.shadowed(hook):
        why = order.reason(hook, first, other)
        print(escape_controls(f"\n{part} is that of {first.name}; that of {other.name} is shadowed ({why})"))
        candidate = other.name
    for part, plugins in order.refused(hook):
        names = " and ".join(plugin.name for plugin in plugins)
        print(escape_controls(f"\n{part} can't be used: plugins {names} offer it; disable all but one, or say which"))
        candidate = plugins[-1].name
    if candidate:
        file = os.path.join(context.home, "config.toml")
        print(escape_controls(f'\nTo put another one first, in {file}:\n\n  [{KEY}]\n  {hook} = "{candidate}"'))


def _trust(context: CommandContext, words: Sequence[str], flags: set[str]) -> int:
    plugin = context.plugin(words[0])
    if plugin.first_party:
        print(f"{plugin.name} comes with codex-host and needs no trust.")
        return 0
    if plugin.problem:
        raise PluginError(f"plugin {plugin.name} can't be used: {plugin.problem}", plugin=plugin.name)
    digest = TrustStore(context.home).trust(plugin)
    if context.stats_file.end_quarantine(plugin.name):  # The files trusted now are not those that failed.
        context.stats_file.save()
    print(
        escape_controls(
            f"Trusted plugin {plugin.name} ({plugin.distribution} {plugin.version}, sha256:{digest[:16]}…)."
        )
    )
    forget_fast_commands(context.home)
    status = context.statuses[plugin.name]
    if status.state == "incompatible":
        print(escape_controls(f"It does not run all the same, it is incompatible: {status.detail}."))
        return 0
    print("It runs inside the program with all its rights; you are asked again when its files change.")
    if status.state == "untrusted":
        status.state = "loaded"
        status.hooks = plugin.manifest.hooks if plugin.manifest else ()
        context.stats_file.forget_order(plugin.name)  # It was that of the files trusted before.
        context.stats_file.save()
    for hook, text in context.order.of_plugin(plugin.name).items():
        print(escape_controls(f"{hook}: {text}"))
    return 0


def _distrust(context: CommandContext, words: Sequence[str], flags: set[str]) -> int:
    plugin = context.plugin(words[0])
    found = TrustStore(context.home).distrust(plugin.name)
    print(f"Plugin {plugin.name} is not trusted any more." if found else f"Plugin {plugin.name} was not trusted.")
    if context.statuses[plugin.name].state != "disabled" and not plugin.first_party:
        print(f"Every run warns of it while it is installed and enabled (run: codex plugins disable {plugin.name}).")
    return 0


def _switch(context: CommandContext, words: Sequence[str], flags: set[str], *, enabled: bool) -> int:
    plugin = context.plugin(words[0])
    name = plugin.name
    key, where = f'plugins."{name}".enabled', ""
    if _PROJECT in flags:
        root = project_root(context.cwd) or context.cwd
        if '"' in root:
            raise ConfigError(f"{root} holds a quote and can't be a key of config.toml; rename it")
        key, where = f'projects."{root}".{key}', f" for {root}"
    file = os.path.join(context.home, "config.toml")
    edit_file(file, {key: enabled})
    forget_fast_commands(context.home)
    if enabled and context.stats_file.end_quarantine(name):
        context.stats_file.save()
        print(f"The quarantine of {name} is over.")
    print(f"{'Enabled' if enabled else 'Disabled'} plugin {name}{where} in {file}.")
    return 0


def _doctor(context: CommandContext, words: Sequence[str], flags: set[str]) -> int:
    from codex_host.plugins.doctor import examine

    names = [context.plugin(word).name for word in words] or sorted(context.plugins)
    faults = context.order.faults(*words)
    for fault in faults:
        print(escape_controls(fault))
    plugins = [context.plugins[name] for name in names]
    given = {"cwd": context.cwd, "flags": context.options.overrides, "profile": context.options.profile}
    found = examine(plugins, context.statuses, configuration=given, untrusted_is_fine=not words)
    return found or bool(faults)


_RUNS: dict[str, Callable[[CommandContext, Sequence[str], set[str]], int]] = {
    "list": _list,
    "show": _show,
    "hooks": _hooks,
    "trust": _trust,
    "distrust": _distrust,
    "enable": partial(_switch, enabled=True),
    "disable": partial(_switch, enabled=False),
    "doctor": _doctor,
}
