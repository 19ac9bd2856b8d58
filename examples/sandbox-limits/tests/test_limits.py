import shutil
import sys

import pytest

from codex_exec_local import plugin as exec_local
from codex_hookspecs.errors import SandboxUnavailable
from codex_hookspecs.sandbox import SandboxPolicy
from codex_sandbox_landlock import plugin as sandbox_landlock
from codex_sandbox_limits import plugin
from codex_tool_exec import plugin as tool_exec

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("prlimit") is None, reason="there is no prlimit"
)


@pytest.mark.usefixtures("this_machine")
async def test_files_are_limited_and_the_policy_is_enforced(host, model, tmp_path):
    agent = model([{"sh": "head -c 2000 /dev/zero > big; echo out > ../outside", "call_id": "write"}], "done")
    config = {
        "sandbox_mode": "workspace-write",
        "sandbox_workspace_write": {"exclude_slash_tmp": True, "exclude_tmpdir_env_var": True},
        "plugins.sandbox-limits.file_size": 1000,
    }

    plugins = [plugin, sandbox_landlock, tool_exec, exec_local]
    await host(plugins=plugins, model=agent, config=config).turn("go")

    assert "outside" in agent.output("write")
    assert (tmp_path / "project/big").stat().st_size == 1000
    assert not (tmp_path / "outside").exists()


async def test_without_another_launcher_nothing_is_run(host):
    program = await host(plugins=[plugin]).program()

    with pytest.raises(SandboxUnavailable, match="no sandbox launcher on linux can enforce the policy"):
        program.launcher(SandboxPolicy("readOnly"))
