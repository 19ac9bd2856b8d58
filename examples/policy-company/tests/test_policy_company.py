import pytest

from codex_exec_local import plugin as exec_local
from codex_policy_company import plugin
from codex_tool_apply_patch import plugin as tool_apply_patch
from codex_tool_exec import plugin as tool_exec

PATCH = "*** Begin Patch\n*** Add File: {}\n+text\n*** End Patch"


@pytest.fixture
def run(host, model):
    """Run a turn in which the model takes one step; give what it was told."""

    async def run(step):
        agent = model([{**step, "call_id": "asked"}], "done")
        await host(plugins=[plugin, tool_exec, tool_apply_patch, exec_local], model=agent).turn("go")
        return agent.output("asked")

    return run


async def test_infrastructure_is_left_to_the_pipeline_however_it_is_quoted(run):
    assert plugin.PIPELINE in await run({"sh": "cd infra && terraform 'apply' -auto-approve"})


async def test_other_commands_are_run(run):
    assert "terraform apply" in await run({"sh": "echo 'terraform apply'"})


async def test_shared_files_stay_as_they_are_where_nobody_can_be_asked(run, project):
    told = await run({"patch": PATCH.format("shared/list")})

    assert plugin.SHARED in told
    assert not (project.root / "shared").exists()


async def test_other_files_are_patched(run, project):
    await run({"patch": PATCH.format("list")})

    assert (project.root / "list").read_text() == "text\n"
