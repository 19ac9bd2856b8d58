import pytest

from codex_app_server import plugin as app_server
from codex_exec_local import plugin as exec_local
from codex_hookspecs.protocol import ThreadStartParams, TurnCompleted, TurnStartParams
from codex_policy_company import plugin
from codex_tool_apply_patch import plugin as tool_apply_patch
from codex_tool_exec import plugin as tool_exec

PLUGINS = [plugin, tool_exec, tool_apply_patch, exec_local]
PATCH = "*** Begin Patch\n*** Add File: {}\n+text\n*** End Patch"


@pytest.fixture
def run(host, model):
    """Run a turn in which the model takes one step; give what it was told."""

    async def run(step):
        agent = model([{**step, "call_id": "asked"}], "done")
        await host(plugins=PLUGINS, model=agent).turn("go")
        return agent.output("asked")

    return run


@pytest.fixture
def answered(host, model):
    """Run a turn in which the model takes one step and a person answers; give what they were asked for."""

    async def answered(step, decision):
        agent = model([{**step, "call_id": "asked"}], "done")
        config = {"approval_policy": "on-request"}
        client = await host(plugins=[*PLUGINS, app_server], model=agent, config=config).connect()
        asked = []

        async def answer(method, params):
            asked.append((method, params["reason"]))
            return {"decision": decision}

        client.set_request_handler(answer)
        started = await client.request("thread/start", ThreadStartParams())
        text = {"type": "text", "text": "go"}
        await client.request("turn/start", TurnStartParams(thread_id=started.thread.id, input=[text]))
        async for notification in client.notifications():
            if isinstance(notification, TurnCompleted):
                break
        return asked

    return answered


@pytest.mark.parametrize(
    "command",
    [
        "cd infra && terraform 'apply' -auto-approve",
        "bash -c 'terraform apply'",
        "sh -c \"sh -c 'exec 2>&1; terraform apply'\"",
        "for part in a b; do terraform apply $part; done",
    ],
)
async def test_infrastructure_is_left_to_the_pipeline_however_it_is_written(run, command):
    assert plugin.PIPELINE in await run({"sh": command})


@pytest.mark.parametrize(
    "command",
    [
        "env TF_LOG=1 terraform apply",
        "echo apply | xargs terraform",
        "env bash -c 'terraform apply'",
        "$(echo terraform)",
    ],
)
async def test_a_command_that_another_one_may_run_is_asked_about(run, command):
    assert plugin.HIDDEN in await run({"sh": command})


async def test_a_shell_that_is_typed_into_is_asked_about(run):
    assert plugin.SESSION in await run({"sh": {"cmd": "bash", "tty": True}})


async def test_other_commands_are_run(run):
    assert "region" in await run({"sh": "echo region > terraform.tfvars; cat terraform.tfvars"})
    assert "run" in await run({"sh": "bash -c 'echo run'"})


async def test_shared_files_stay_as_they_are_where_nobody_can_be_asked(run, project):
    told = await run({"patch": PATCH.format("shared/list")})

    assert plugin.SHARED in told
    assert not (project.root / "shared").exists()


async def test_other_files_are_patched(run, project):
    await run({"patch": PATCH.format("list")})

    assert (project.root / "list").read_text() == "text\n"


@pytest.mark.parametrize("decision", ["accept", "decline"])
async def test_a_person_decides_about_a_command(answered, project, decision):
    step = {"sh": "echo plan > made; env terraform plan"}

    assert await answered(step, decision) == [("item/commandExecution/requestApproval", plugin.HIDDEN)]
    assert (project.root / "made").exists() == (decision == "accept")


@pytest.mark.parametrize("decision", ["accept", "decline"])
async def test_a_person_decides_about_shared_files(answered, project, decision):
    step = {"patch": PATCH.format("shared/list")}

    assert await answered(step, decision) == [("item/fileChange/requestApproval", plugin.SHARED)]
    assert (project.root / "shared/list").exists() == (decision == "accept")
