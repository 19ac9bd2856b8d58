"""A command that its sandbox denied something may be retried without it after an approval."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from codex_hookspecs.errors import ExecError, ToolError, ToolRejected
from codex_hookspecs.sandbox import SandboxPolicy
from codex_hookspecs.tools import CommandApproval

if TYPE_CHECKING:
    from conftest import Conversation

pytestmark = pytest.mark.anyio


@pytest.fixture
def asking(talk: Conversation) -> Conversation:
    """A thread in which a denied command is asked about."""
    talk.policy(SandboxPolicy("workspaceWrite"), "on-failure")
    talk.approval = CommandApproval(retry="ask", amendment=("denied",))
    return talk


@pytest.fixture
def sandboxed(asking: Conversation) -> Conversation:
    """The sandbox here keeps `fail` from working; without it, it exits with 3."""
    asking.in_sandbox["fail"] = "denied"
    return asking


async def test_with_approval_it_is_retried_without_the_sandbox(sandboxed: Conversation) -> None:
    output = await sandboxed.run("fail")

    assert "Process exited with code 3\n" in output.text
    assert output.text.endswith("out\nerr\n")
    first, second = sandboxed.machine.exec.started
    assert (first.arg0, second.arg0) == ("sandboxed", None)
    assert second.argv == ("/bin/sh", "-lc", "fail")
    assert "SANDBOXED" not in second.env
    assert first.process_id != second.process_id


async def test_the_approval_of_the_first_run_is_passed_to_the_retry(sandboxed: Conversation) -> None:
    await sandboxed.run("fail")

    assert sandboxed.asked_again == [sandboxed.approval]
    assert len(sandboxed.asked) == 1


async def test_clients_see_one_item_that_ends_as_the_second_run_did(sandboxed: Conversation) -> None:
    await sandboxed.run("fail")

    [began], [ended] = sandboxed.items("started"), sandboxed.items("completed")
    assert (ended.id, ended.process_id) == (began.id, began.process_id)
    assert (ended.status, ended.exit_code, ended.aggregated_output) == ("failed", 3, "out\nerr\n")
    assert sandboxed.told[-1][0] == "completed"


async def test_the_sandbox_is_cleaned_up_before_the_question(sandboxed: Conversation) -> None:
    sandboxed.second_refusal = ToolRejected("rejected by user")

    with pytest.raises(ToolRejected):
        await sandboxed.run("fail")

    assert sandboxed.let_go == ["started", "ended"]


async def test_a_refusal_keeps_what_the_command_wrote(sandboxed: Conversation) -> None:
    sandboxed.second_refusal = ToolRejected("rejected by user")

    with pytest.raises(ToolRejected) as caught:
        await sandboxed.run("fail")

    assert "touch: cannot touch 'x': Read-only file system" in str(caught.value)
    assert "exit_code: 1" in str(caught.value)
    assert "It was not run again without the sandbox: rejected by user." in str(caught.value)
    assert caught.value.kind == "denied"
    assert len(sandboxed.machine.exec.started) == 1
    [item] = sandboxed.items("completed")
    assert (item.status, item.exit_code) == ("declined", 1)
    assert item.aggregated_output == "touch: cannot touch 'x': Read-only file system\n"


async def test_cancelling_the_question_ends_the_turn(sandboxed: Conversation) -> None:
    sandboxed.second_refusal = ToolRejected("rejected by user", kind="aborted")

    with pytest.raises(ToolRejected) as caught:
        await sandboxed.run("fail")

    assert caught.value.kind == "aborted"
    assert sandboxed.items("completed")[0].status == "declined"


async def test_an_interruption_while_it_is_asked_about_ends_the_item(sandboxed: Conversation) -> None:
    sandboxed.second_refusal = asyncio.CancelledError()

    with pytest.raises(asyncio.CancelledError):
        await sandboxed.run("fail")

    assert [item.status for item in sandboxed.items("completed")] == ["failed"]


async def test_an_error_of_the_second_run_is_reported(sandboxed: Conversation, monkeypatch: pytest.MonkeyPatch) -> None:
    start = sandboxed.machine.exec.start

    async def once(params: object) -> object:
        if sandboxed.machine.exec.started:
            raise ExecError("no more processes")
        return await start(params)  # type: ignore[arg-type]

    monkeypatch.setattr(sandboxed.machine.exec, "start", once)

    with pytest.raises(ToolError, match="Failed to create unified exec process: no more processes"):
        await sandboxed.run("fail")

    assert [item.status for item in sandboxed.items("completed")] == ["failed"]
    assert len(sandboxed.items("started")) == 1


async def test_another_denial_of_the_second_run_is_not_asked_about(asking: Conversation) -> None:
    output = await asking.run("denied")

    assert "Process exited with code 1\n" in output.text
    assert len(asking.asked_again) == 1


async def test_a_second_run_may_go_on_in_the_background(sandboxed: Conversation) -> None:
    sandboxed.in_sandbox["wait"] = "denied"

    session = await sandboxed.session("wait")

    assert str(session) == sandboxed.items("started")[0].process_id
    assert sandboxed.items("completed") == []
    await sandboxed.close()
    assert [item.status for item in sandboxed.items("completed")] == ["failed"]


async def test_a_denial_after_the_call_s_wait_is_reported_without_a_question(sandboxed: Conversation) -> None:
    sandboxed.in_sandbox["fail"] = "denied later"

    await sandboxed.session("fail")
    await sandboxed.until("completed")

    assert sandboxed.asked_again == []
    assert sandboxed.items("completed")[0].status == "failed"


async def test_an_interrupted_call_has_its_command_reported_when_it_is_denied(sandboxed: Conversation) -> None:
    sandboxed.in_sandbox["fail"] = "denied later"
    call = asyncio.create_task(sandboxed.run("fail"))
    await sandboxed.until("delta")

    call.cancel()
    await asyncio.gather(call, return_exceptions=True)

    await sandboxed.until("completed")
    assert sandboxed.asked_again == []


async def test_in_a_remote_environment_it_is_retried_without_a_policy(asking: Conversation) -> None:
    asking.machine.remote = True

    await asking.run("remote denial")

    first, second = asking.machine.exec.started
    assert (first.sandbox, second.sandbox) == (SandboxPolicy("workspaceWrite"), None)
    assert first.env["CODEX_SANDBOX_NETWORK_DISABLED"] == "1"
    assert "CODEX_SANDBOX_NETWORK_DISABLED" not in second.env
    assert len(asking.asked_again) == 1


@pytest.mark.parametrize("policy", ["on-request", "never"])
async def test_without_a_question_the_model_gets_the_denial(talk: Conversation, policy: str) -> None:
    talk.policy(SandboxPolicy("workspaceWrite"), policy)

    with pytest.raises(ToolError, match="SandboxDenied"):
        await talk.run("denied")

    assert talk.asked_again == []
    assert [item.status for item in talk.items("completed")] == ["failed"]


async def test_what_rules_allow_runs_without_sandbox_at_once(talk: Conversation) -> None:
    talk.policy(SandboxPolicy("workspaceWrite"), "on-request")
    talk.approval = CommandApproval(unsandboxed=True)

    await talk.run("fail")

    assert [params.arg0 for params in talk.machine.exec.started] == [None]
