"""The launcher passes the contract suite."""

from __future__ import annotations

from pathlib import Path

import pytest

from codex_sandbox_landlock.kernel import kernel
from codex_sandbox_landlock.launcher import LandlockLauncher
from codex_testkit.suites.sandbox import SandboxLauncherContract


@pytest.mark.skipif(kernel().abi == 0, reason="this kernel has no Landlock")
@pytest.mark.skipif(bool(kernel().no_namespaces), reason=f"no namespaces: {kernel().no_namespaces}")
class TestLandlock(SandboxLauncherContract):
    @pytest.fixture
    def launcher(self, tmp_path: Path) -> LandlockLauncher:
        return LandlockLauncher(home=str(tmp_path))
