import shutil
import subprocess
import sys

import pytest

from codex_exec_local import plugin as exec_local
from codex_hookspecs.sandbox import SandboxPolicy
from codex_sandbox_bubble import plugin
from codex_sandbox_bubble.launcher import BubbleLauncher
from codex_testkit.suites.sandbox import SandboxLauncherContract
from codex_tool_exec import plugin as tool_exec


def bwrap_works():
    if sys.platform != "linux" or shutil.which("bwrap") is None:
        return False
    command = ["bwrap", "--unshare-user", "--unshare-net", "--ro-bind", "/", "/", "--proc", "/proc", "true"]
    return subprocess.run(command, check=False).returncode == 0


pytestmark = pytest.mark.skipif(not bwrap_works(), reason="there is no bubblewrap, or no user name spaces")


class TestLauncher(SandboxLauncherContract):
    @pytest.fixture
    def launcher(self, tmp_path):
        return BubbleLauncher(str(tmp_path))


def test_a_policy_that_restricts_reading_is_left_to_others(tmp_path):
    class Program:
        codex_home = str(tmp_path)

    restricted = SandboxPolicy("readOnly", readable_roots=("/usr",))

    assert plugin.sandbox_launcher(restricted, "linux", Program()) is None
    assert plugin.sandbox_launcher(SandboxPolicy("readOnly"), "linux", Program()).name == "bubble"


@pytest.mark.usefixtures("this_machine")
async def test_a_command_of_a_turn_can_not_write_outside_of_the_project(host, model, tmp_path):
    agent = model([{"sh": f"echo in > inside; echo out > {tmp_path}/outside", "call_id": "write"}], "done")
    config = {"sandbox_mode": "workspace-write", "sandbox_workspace_write": {"exclude_slash_tmp": True}}

    await host(plugins=[plugin, tool_exec, exec_local], model=agent, config=config).turn("go")

    assert "Read-only file system" in agent.output("write")
    assert (tmp_path / "project/inside").exists()
    assert not (tmp_path / "outside").exists()
