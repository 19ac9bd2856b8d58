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
            *asyncio.run(_checks(host, plugin.manifest.commands if plugin.manifest else ())),
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


async def _checks(host: Application, listed: Collection[str]) -> list[str]:
    problems: list[str] = []
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
        problems += await _check_model_provider(host)
        for name, check in host.hooks.doctor_checks().items():
            problems += [f"{name}: {text}" for text in await check.run()]
    return problems + host.dispatch.warnings


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
