"""How many modules a plain turn has loaded before its first model request, and what ``--version`` loads."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import attrs

from codex_testkit.servers.responses import ResponsesServer
from interop.clients import OURS, PEERS, Stage

SPY: Final = Path(__file__).with_name("spy.py")
HEAVY: Final = (
    "asyncio",
    "importlib.metadata",
    "stevedore",
    "cattrs",
    "httpx",
    "anyio",
    "rich",
    "email",
    "dataclasses",
)


def report() -> list[str]:
    """Count in one run of ``codex exec`` and one of ``codex --version``."""
    bare = _listed([sys.executable, "-c", "import sys; print(*sys.modules)"])
    lines = []
    for what, modules in before_request().items():
        added = set(modules) - bare
        heavy = ", ".join(name for name in HEAVY if name in added)
        lines.append(
            f"modules before {what}: {len(added)} beyond the bare interpreter's (with {heavy or 'none of the heavy'})"
        )
    version = _listed([str(OURS.path.parent / "python"), "-X", "importtime", str(OURS.path), "--version"])
    heavy = ", ".join(name for name in HEAVY if name in version - bare)
    lines.append(f"modules of codex --version: {len(version - bare)} (with {heavy or 'none of the heavy'})")
    return lines


def before_request() -> dict[str, list[str]]:
    """Give the names of the loaded modules by the moment they were noted at."""
    folder = PEERS / "modules"
    shutil.rmtree(folder, ignore_errors=True)
    noted = folder / "modules.json"
    with ResponsesServer() as server:
        stage = Stage(folder, server.url)
        spied = attrs.evolve(OURS, path=folder / "codex")
        stage.set_up(spied)
        spied.path.write_text(f"#!{sys.executable} -IXutf8\n{SPY.read_text()}")
        spied.path.chmod(0o755)
        for _ in range(2):
            server.play([[{"sh": "echo hi"}], [{"say": "done"}]])
            stage.exec(spied, "run echo hi", MODULES_FILE=str(noted))
    found: dict[str, list[str]] = json.loads(noted.read_text()) if noted.is_file() else {}
    shutil.rmtree(folder, ignore_errors=True)
    names = {"httpx": "httpx is imported", "connect": "the first connection"}
    return {names[key]: modules for key, modules in found.items()}


def _listed(command: list[str]) -> set[str]:
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    if "importtime" in command:
        return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    return set(done.stdout.split())
