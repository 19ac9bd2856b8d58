"""The launcher passes the contract suite."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from codex_sandbox_bwrap.binary import find_program, probe_binary
from codex_sandbox_bwrap.launcher import BwrapLauncher
from codex_sandbox_bwrap.watchdog import Watchdog
from codex_testkit.suites.sandbox import SandboxLauncherContract


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="bwrap is not installed")
class TestBwrap(SandboxLauncherContract):
    @pytest.fixture
    def launcher(self, tmp_path: Path) -> BwrapLauncher:
        program = find_program(os.environ.get("PATH", ""), "/nowhere")
        assert program is not None
        return BwrapLauncher(probe_binary(program, str(tmp_path)), Watchdog(), str(tmp_path))
