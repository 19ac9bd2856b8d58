"""Import one plugin, run its own checks and report as JSON; run as a child process by the doctor."""

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

_NOBODYS = "codex-plugins-doctor"
"""Name of a model provider that nobody has."""
_NEVER_ASKED = "so plugins after it are never asked; return None for other names"

if TYPE_CHECKING:
    from codex_host.app import Application
    from codex_host.plugins.manifest import FoundPlugin


def main() -> None:
    """Examine the plugin named on the command line."""
    from codex_host.app import Application, codex_home
    from codex_host.config.effective import EffectiveConfig
    from codex_host.plugins.discovery import found_plugins
    from codex_host.plugins.ledger import Ledger
    from codex_host.plugins.loading import imported
    from codex_host.plugins.registry import Registry

    home, cwd = codex_home(os.environ), os.getcwd()
    plugin = next(each for each in found_plugins(home) if each.name == sys.argv[1])
    objection = None if plugin.first_party else _guarded(plugin, home)
    report: dict[str, Any] = {"untrusted": objection, "problems": [], "hooks": [], "load_ms": 0.0, "modules": 0}
    if objection is not None:
        print(json.dumps(report))
        return
    registry = Registry()
    out, sys.stdout = sys.stdout, sys.stderr  # whatever the plugin prints, to its end
    modules, started = len(sys.modules), time.perf_counter()
    try:
        loaded = imported(plugin.value)
        report["hooks"] = registry.register(loaded, plugin.name)
        slips = registry.slips(loaded, plugin.manifest) if plugin.manifest else []
        if not (report["hooks"] or slips):
            slips = ["it implements no hook; write @hookimpl above the functions that do"]
        report["load_ms"] = (time.perf_counter() - started) * 1000
        report["modules"] = len(sys.modules) - modules
        host = Application(
            config=EffectiveConfig(home, cwd=cwd),
            home=home,
            cwd=cwd,
            environ=dict(os.environ),
            registry=registry,
            ledger=Ledger(),
        )
        report["problems"] = [*slips, *asyncio.run(_checks(host, plugin.manifest.commands if plugin.manifest else ()))]
    except BaseException:
        report["problems"] = traceback.format_exc(limit=-3).strip().splitlines()[::-1][:6]
    print(json.dumps(report), file=out, flush=True)


def _guarded(plugin: FoundPlugin, home: str) -> str | None:
    """Have a plugin imported as it was trusted; return why it can't be."""
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
        problems += await _answers_for_all(host)
        for name, check in host.hooks.doctor_checks().items():
            problems += [f"{name}: {text}" for text in await check.run()]
    return problems + host.dispatch.warnings


async def _answers_for_all(host: Application) -> list[str]:
    """Tell of a plugin that serves any model provider, so that none after it is ever asked."""
    try:
        provider, _ = host.hooks.model_provider(_NOBODYS, {})
    except CodexError as error:
        return [f"model_provider raises {type(error).__name__} for a name that it can't know ({error}), {_NEVER_ASKED}"]
    if provider is None:
        return []
    await provider.aclose()
    return [f"model_provider answers for a name that it can't know, {_NEVER_ASKED}"]


if __name__ == "__main__":
    main()
