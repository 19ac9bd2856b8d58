"""Nothing gets out of the sandboxes and honest work goes on in them, for root and for an ordinary user."""

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

from codex_sandbox_landlock.kernel import kernel
from ordinary_user import ORDINARY, as_ordinary_user

FOLDER = Path(__file__).parent / "sandboxes"
LIMIT = 600


def table(name: str) -> ModuleType:
    sys.path.insert(0, str(FOLDER))
    try:
        spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(FOLDER))
    return module


CASES = [*table("attack_cases").ATTACKS, *table("work_cases").WORK]
LAUNCHERS = [
    pytest.param("bwrap", marks=pytest.mark.skipif(shutil.which("bwrap") is None, reason="bwrap is not installed")),
    pytest.param("landlock", marks=pytest.mark.skipif(bool(kernel().no_namespaces), reason="no namespaces here")),
]
USERS = ["root", "ordinary"] if os.geteuid() == 0 else ["ordinary"]
WANTED = 290
"""Cases that the tables hold at least."""

Result = tuple[bool, str]


@pytest.fixture(scope="module", params=LAUNCHERS)
def results(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Result]]:
    """Run all cases once for each user, side by side."""
    running = {}
    for user in USERS:
        file = tmp_path_factory.mktemp(user) / "results.json"
        program = [sys.executable, str(FOLDER / "case_runner.py"), request.param]
        if user == "ordinary" and os.geteuid() == 0:
            file = Path("/var/tmp", f"sandbox-cases-{os.getpid()}-{request.param}.json")
            file.touch()
            os.chown(file, ORDINARY, ORDINARY)
            program = as_ordinary_user(program)
        running[user] = (subprocess.Popen([*program, str(file)], stderr=subprocess.PIPE, text=True, cwd="/"), file)
    found: dict[str, dict[str, Result]] = {}
    for user, (process, file) in running.items():
        _, errors = process.communicate(timeout=LIMIT)
        assert process.returncode == 0, errors
        found[user] = json.loads(file.read_text())
        file.unlink()
    return found


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("case", CASES)
def test_the_sandbox_holds(case: str, user: str, results: dict[str, dict[str, Result]]) -> None:
    held, seen = results[user][case]

    assert held, seen


def test_the_tables_do_not_shrink() -> None:
    assert len(CASES) >= WANTED
    assert len(set(CASES)) == len(CASES)
