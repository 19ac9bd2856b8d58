"""Our whole turns work on a machine behind the real exec-server as they do everywhere else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from codex_testkit.remote_machine import VARIABLE
from interop.clients import PEERS, REAL_169
from interop.conftest import need
from interop.exec_server import Server

ROOT = Path(__file__).parents[2]
LIMIT = 300.0
SUITE = ("tests/machines", "tests/test_commands.py")


def test_the_suite_of_whole_turns_passes_there() -> None:
    need(REAL_169.path, f"codex {REAL_169.name}")
    server = Server(REAL_169, PEERS / "runs" / "machines" / "home")
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", *SUITE],
            cwd=ROOT,
            env={**os.environ, VARIABLE: server.url},
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
    finally:
        server.close()

    assert done.returncode == 0, done.stdout[-4000:]
