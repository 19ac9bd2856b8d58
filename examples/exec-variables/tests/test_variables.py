import pytest

from codex_exec_local import plugin as exec_local
from codex_exec_variables import plugin
from codex_testkit.suites.exec import ExecBackendContract
from codex_tool_exec import plugin as tool_exec

pytestmark = pytest.mark.usefixtures("this_machine")


class TestProcesses(ExecBackendContract):
    @pytest.fixture
    async def environment(self, host):
        program = await host(plugins=[plugin, exec_local]).program()
        environment = await program.environments.get("variables")
        yield environment
        await environment.aclose()


async def test_commands_see_the_variables_of_the_configuration(host, model):
    agent = model([{"sh": 'echo "cache in $CCACHE_DIR"', "call_id": "seen"}], "done")
    config = {"environment": "variables", "plugins.exec-variables.set": {"CCACHE_DIR": "/var/cache/build"}}

    await host(plugins=[plugin, tool_exec, exec_local], model=agent, config=config).turn("go")

    assert "cache in /var/cache/build" in agent.output("seen")
