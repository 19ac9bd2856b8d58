"""Nothing gets out of the sandbox and honest work goes on in it, for root and for an ordinary user."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).parent
LIMIT = 600
ORDINARY = 65534


def table(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CASES = [*table("attack_cases").ATTACKS, *table("work_cases").WORK]
USERS = ["root", "ordinary"] if os.geteuid() == 0 else ["ordinary"]
WANTED = 200
"""Cases that the tables hold at least."""

Results = dict[str, dict[str, tuple[bool, str]]]

pytestmark = pytest.mark.skipif(shutil.which("bwrap") is None, reason="bwrap is not installed")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Run all cases once for each user, side by side."""
    running = {}
    for user in USERS:
        file = tmp_path_factory.mktemp(user) / "results.json"
        program = [sys.executable, str(HERE / "case_runner.py"), str(file)]
        if user == "ordinary" and os.geteuid() == 0:
            file = Path("/var/tmp", f"sandbox-cases-{os.getpid()}.json")
            file.touch()
            os.chown(file, ORDINARY, ORDINARY)
            switch = ["setpriv", "--reuid", str(ORDINARY), "--regid", str(ORDINARY), "--clear-groups"]
            program = [*switch, sys.executable, str(HERE / "case_runner.py"), str(file)]
        running[user] = (subprocess.Popen(program, stderr=subprocess.PIPE, text=True, cwd="/"), file)
    found: Results = {}
    for user, (process, file) in running.items():
        _, errors = process.communicate(timeout=LIMIT)
        assert process.returncode == 0, errors
        found[user] = json.loads(file.read_text())
        file.unlink()
    return found


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("case", CASES)
def test_the_sandbox_holds(case: str, user: str, results: Results) -> None:
    held, seen = results[user][case]

    assert held, seen


def test_the_tables_do_not_shrink() -> None:
    assert len(CASES) >= WANTED
    assert len(set(CASES)) == len(CASES)
