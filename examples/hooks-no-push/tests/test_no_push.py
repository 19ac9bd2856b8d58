import pytest

from codex_exec_local import plugin as exec_local
from codex_hooks_no_push import plugin
from codex_tool_exec import plugin as tool_exec


@pytest.fixture
def run(host, model):
    """Run a turn in which the model asks for one command; give what it was told and what clients saw."""

    async def run(command):
        agent = model([{"sh": command, "call_id": "asked"}], "done")
        outcome = await host(plugins=[plugin, tool_exec, exec_local], model=agent).turn("go")
        return agent.output("asked"), outcome

    return run


async def test_a_push_is_not_run_and_the_model_is_told_why(run):
    told, outcome = await run("git push origin main")

    assert plugin.REASON in told
    assert outcome.hooks("pre_tool_use")[0].blocked_with == plugin.REASON


async def test_other_commands_are_run(run):
    told, outcome = await run("echo hello")

    assert "hello" in told
    assert outcome.hooks("pre_tool_use") == []
