"""Import one plugin, run its doctor checks and print a JSON report; a child process of ``plugins doctor``."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
import traceback
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from codex_hookspecs.errors import CodexError
from codex_host.plugins.manifest import FILE_NAME

_UNKNOWN_PROVIDER = "codex-plugins-doctor"
"""Name of a model provider that does not exist."""
_NEVER_ASKED = "so plugins after it are never asked; return None for other names"

if TYPE_CHECKING:
    from codex_host.app import Application
    from codex_host.plugins.manifest import FoundPlugin


def main() -> None:
    """Check the plugin named on the command line, with the configuration that standard input says."""
    from codex_host.app import Application, codex_home
    from codex_host.config.effective import EffectiveConfig
    from codex_host.plugins.discovery import found_plugins
    from codex_host.plugins.loading import import_object
    from codex_host.plugins.registry import Registry
    from codex_host.plugins.stats_file import StatsFile

    home = codex_home(os.environ)
    given = json.load(sys.stdin)
    plugin = next(each for each in found_plugins(home) if each.name == sys.argv[1])
    objection = None if plugin.first_party else _guard_imports(plugin, home)
    report: dict[str, Any] = {"untrusted": objection, "problems": [], "hooks": [], "load_ms": 0.0, "modules": 0}
    if objection is not None:
        print(json.dumps(report))
        return
    registry = Registry()
    out, sys.stdout = sys.stdout, sys.stderr  # output of the plugin must not be mixed with the report
    modules, started = len(sys.modules), time.perf_counter()
    try:
        loaded = import_object(plugin.value)
        report["hooks"] = registry.register(loaded, plugin.name)
        mistakes = registry.mistakes(loaded, plugin.manifest) if plugin.manifest else []
        if not (report["hooks"] or mistakes):
            mistakes = ["it implements no hook; write @hookimpl above the functions that do"]
        report["load_ms"] = (time.perf_counter() - started) * 1000
        report["modules"] = len(sys.modules) - modules
        host = Application(
            config=EffectiveConfig(home, **given),
            home=home,
            cwd=given["cwd"],
            environ=dict(os.environ),
            registry=registry,
            stats_file=StatsFile(),
        )
        report["problems"] = [
            *mistakes,
            *asyncio.run(_checks(host, plugin)),
        ]
    except BaseException as error:
        frames = "".join(traceback.format_tb(error.__traceback__, limit=-3)).splitlines()
        report["problems"] = [*"".join(traceback.format_exception_only(error)).strip().splitlines(), *frames]
    print(json.dumps(report), file=out, flush=True)


def _guard_imports(plugin: FoundPlugin, home: str) -> str | None:
    """Guard the imports of a plugin; return why it is not trusted, or ``None``."""
    from codex_host.plugins.contents import contents_of
    from codex_host.plugins.guarded_import import IMPORTS
    from codex_host.plugins.trust import TrustStore

    contents = contents_of(plugin)
    IMPORTS.add(plugin.name, plugin.value, contents)
    return TrustStore(home).objection(plugin, contents)


async def _checks(host: Application, plugin: FoundPlugin) -> list[str]:
    problems: list[str] = []
    listed: Collection[str] = plugin.manifest.commands if plugin.manifest else ()
    async with host:
        offered = host.hooks.cli_commands()
        problems += [
            f"it offers the command {name}, which {FILE_NAME} does not list" for name in {*offered} - {*listed}
        ]
        problems += [
            f"{FILE_NAME} lists the command {name}, which it does not offer" for name in {*listed} - {*offered}
        ]
        for hook in (host.hooks.connection_authenticators, host.hooks.environments, host.hooks.rpc_methods):
            hook()  # Its warnings are reported below.
        problems += _check_rpc_methods(host, plugin)
        problems += await _check_model_provider(host)
        for name, check in host.hooks.doctor_checks().items():
            problems += [f"{name}: {text}" for text in await check.run()]
    return problems + host.dispatch.warnings


def _check_rpc_methods(host: Application, plugin: FoundPlugin) -> list[str]:
    """Compare the RPC methods of a third-party plugin with those of the host's own plugins."""
    offered = host.hooks.rpc_methods()
    if plugin.first_party or not offered:
        return []
    from codex_host.plugins.discovery import found_plugins
    from codex_host.plugins.dispatch import Dispatcher
    from codex_host.plugins.hooks import Hooks
    from codex_host.plugins.loading import import_object
    from codex_host.plugins.registry import PluginStatus, Registry
    from codex_host.plugins.rpc_checks import checked_methods, handler_faults
    from codex_host.plugins.stats_file import StatsFile

    together = Registry()
    for each in found_plugins(host.codex_home):
        if each.name == plugin.name or (each.first_party and _offers_rpc_methods(each)):
            together.register(import_object(each.value), each.name)
            together.statuses[each.name] = PluginStatus(name=each.name, first_party=each.first_party)
    dispatcher = Dispatcher(together, StatsFile(), host=host)
    checked_methods(
        Hooks(dispatcher).rpc_methods(),
        is_trusted=lambda name: together.status(name).first_party,
        warn=dispatcher.warn,
    )
    slips = [f"RpcMethod {name}: {text}" for name, method in offered.items() for text in handler_faults(method)]
    return [*slips, *(text for text in dispatcher.warnings if text not in host.dispatch.warnings)]


def _offers_rpc_methods(plugin: FoundPlugin) -> bool:
    return plugin.manifest is not None and "rpc_methods" in plugin.manifest.hooks


async def _check_model_provider(host: Application) -> list[str]:
    """Report a plugin that answers for every model provider, so that those after it are never called."""
    try:
        provider, _ = host.hooks.model_provider(_UNKNOWN_PROVIDER, {})
    except CodexError as error:
        return [f"model_provider raises {type(error).__name__} for a name that it can't know ({error}), {_NEVER_ASKED}"]
    if provider is None:
        return []
    await provider.aclose()
    return [f"model_provider answers for a name that it can't know, {_NEVER_ASKED}"]


if __name__ == "__main__":
    main()
