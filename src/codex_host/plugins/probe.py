"""Import one plugin, run its own checks and report as JSON; run as a child process by the doctor."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
import traceback
from typing import Any


def main() -> None:
    """Examine the plugin named on the command line."""
    from codex_host.app import Application, codex_home
    from codex_host.config.effective import EffectiveConfig
    from codex_host.plugins.ledger import Ledger
    from codex_host.plugins.loading import imported
    from codex_host.plugins.registry import Registry

    name, value = sys.argv[1:3]
    report: dict[str, Any] = {"problems": [], "hooks": [], "load_ms": 0.0, "modules": 0}
    registry = Registry()
    out, sys.stdout = sys.stdout, sys.stderr  # whatever the plugin prints, to its end
    modules, started = len(sys.modules), time.perf_counter()
    try:
        report["hooks"] = registry.register(imported(value), name)
        report["load_ms"] = (time.perf_counter() - started) * 1000
        report["modules"] = len(sys.modules) - modules
        home, cwd = codex_home(os.environ), os.getcwd()
        host = Application(
            config=EffectiveConfig(home, cwd=cwd),
            home=home,
            cwd=cwd,
            environ=dict(os.environ),
            registry=registry,
            ledger=Ledger(),
        )
        report["problems"] = asyncio.run(_checks(host))
    except (Exception, SystemExit):
        report["problems"] = traceback.format_exc(limit=-3).strip().splitlines()[::-1][:6]
    print(json.dumps(report), file=out, flush=True)


async def _checks(host: Any) -> list[str]:
    problems: list[str] = []
    async with host:
        for name, check in host.dispatch.offers("doctor_checks").items():
            problems += [f"{name}: {text}" for text in await check.run()]
    complaints: list[str] = host.dispatch.complaints
    return problems + complaints


if __name__ == "__main__":
    main()
