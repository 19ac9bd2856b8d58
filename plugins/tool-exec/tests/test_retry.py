"""A command that its sandbox kept from working may run once more without, if somebody agrees."""

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
def box(asking: Conversation) -> Conversation:
    """The sandbox here keeps `fail` from working; without it, it exits with 3."""
    asking.in_box["fail"] = "denied"
    return asking


async def test_with_consent_it_runs_again_without_the_sandbox(box: Conversation) -> None:
    output = await box.run("fail")

    assert "Process exited with code 3\n" in output.text
    assert output.text.endswith("out\nerr\n")
    first, second = box.machine.exec.started
    assert (first.arg0, second.arg0) == ("box", None)
    assert second.argv == ("/bin/sh", "-lc", "fail")
    assert "BOXED" not in second.env
    assert first.process_id != second.process_id


async def test_the_leave_it_first_ran_with_is_what_is_asked_about(box: Conversation) -> None:
    await box.run("fail")

    assert box.asked_again == [box.approval]
    assert len(box.asked) == 1


async def test_clients_see_one_item_that_ends_as_the_second_run_did(box: Conversation) -> None:
    await box.run("fail")

    [began], [ended] = box.items("started"), box.items("completed")
    assert (ended.id, ended.process_id) == (began.id, began.process_id)
    assert (ended.status, ended.exit_code, ended.aggregated_output) == ("failed", 3, "out\nerr\n")
    assert box.told[-1][0] == "completed"


async def test_the_launcher_clears_up_before_anybody_is_asked(box: Conversation) -> None:
    box.second_refusal = ToolRejected("rejected by user")

    with pytest.raises(ToolRejected):
        await box.run("fail")

    assert box.let_go == ["started", "ended"]


async def test_a_refusal_keeps_what_the_command_wrote(box: Conversation) -> None:
    box.second_refusal = ToolRejected("rejected by user")

    with pytest.raises(ToolRejected) as caught:
        await box.run("fail")

    assert "touch: cannot touch 'x': Read-only file system" in str(caught.value)
    assert "exit_code: 1" in str(caught.value)
    assert "It was not run again without the sandbox: rejected by user." in str(caught.value)
    assert caught.value.kind == "denied"
    assert len(box.machine.exec.started) == 1
    [item] = box.items("completed")
    assert (item.status, item.exit_code) == ("declined", 1)
    assert item.aggregated_output == "touch: cannot touch 'x': Read-only file system\n"


async def test_cancelling_the_question_ends_the_turn(box: Conversation) -> None:
    box.second_refusal = ToolRejected("rejected by user", kind="aborted")

    with pytest.raises(ToolRejected) as caught:
        await box.run("fail")

    assert caught.value.kind == "aborted"
    assert box.items("completed")[0].status == "declined"


async def test_an_interruption_while_it_is_asked_about_ends_the_item(box: Conversation) -> None:
    box.second_refusal = asyncio.CancelledError()

    with pytest.raises(asyncio.CancelledError):
        await box.run("fail")

    assert [item.status for item in box.items("completed")] == ["failed"]


async def test_what_goes_wrong_with_the_second_run_is_told_plainly(
    box: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = box.machine.exec.start

    async def once(params: object) -> object:
        if box.machine.exec.started:
            raise ExecError("no more processes")
        return await start(params)  # type: ignore[arg-type]

    monkeypatch.setattr(box.machine.exec, "start", once)

    with pytest.raises(ToolError, match="Failed to create unified exec process: no more processes"):
        await box.run("fail")

    assert [item.status for item in box.items("completed")] == ["failed"]
    assert len(box.items("started")) == 1


async def test_another_denial_of_the_second_run_is_not_asked_about(asking: Conversation) -> None:
    output = await asking.run("denied")

    assert "Process exited with code 1\n" in output.text
    assert len(asking.asked_again) == 1


async def test_a_second_run_may_go_on_in_the_background(box: Conversation) -> None:
    box.in_box["wait"] = "denied"

    session = await box.session("wait")

    assert str(session) == box.items("started")[0].process_id
    assert box.items("completed") == []
    await box.close()
    assert [item.status for item in box.items("completed")] == ["failed"]


async def test_a_denial_after_the_call_s_wait_is_reported_without_a_question(box: Conversation) -> None:
    box.in_box["fail"] = "denied later"

    await box.session("fail")
    await box.until("completed")

    assert box.asked_again == []
    assert box.items("completed")[0].status == "failed"


async def test_an_interrupted_call_has_its_command_reported_when_it_is_denied(box: Conversation) -> None:
    box.in_box["fail"] = "denied later"
    call = asyncio.create_task(box.run("fail"))
    await box.until("delta")

    call.cancel()
    await asyncio.gather(call, return_exceptions=True)

    await box.until("completed")
    assert box.asked_again == []


async def test_on_another_machine_it_runs_again_without_policy(asking: Conversation) -> None:
    asking.machine.remote = True

    await asking.run("remote denial")

    first, second = asking.machine.exec.started
    assert (first.sandbox, second.sandbox) == (SandboxPolicy("workspaceWrite"), None)
    assert first.env["CODEX_SANDBOX_NETWORK_DISABLED"] == "1"
    assert "CODEX_SANDBOX_NETWORK_DISABLED" not in second.env
    assert len(asking.asked_again) == 1


@pytest.mark.parametrize("policy", ["on-request", "never"])
async def test_where_nobody_is_asked_the_model_is_told(talk: Conversation, policy: str) -> None:
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
