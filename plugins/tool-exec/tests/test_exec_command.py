"""Commands are started, waited for, reported and answered for."""

from __future__ import annotations

import asyncio
import json
import re
import time
from typing import TYPE_CHECKING

import pytest

from codex_hookspecs.errors import StorageError, ToolError, ToolRejected
from codex_hookspecs.sandbox import SandboxPolicy
from codex_hookspecs.tools import CommandRequest, HookPayload, RejectionKind, ToolCall

if TYPE_CHECKING:
    from conftest import Conversation

pytestmark = pytest.mark.anyio


def body(text: str) -> str:
    return text.split("Output:\n", 1)[1]


async def test_the_answer_has_the_form_that_models_know(talk: Conversation) -> None:
    output = await talk.run("fail")

    assert re.fullmatch(
        r"Command: /bin/sh -lc fail\n"
        r"Chunk ID: [0-9a-f]{6}\n"
        r"Wall time: 0\.0000 seconds\n"
        r"Process exited with code 3\n"
        r"Original token count: 2\n"
        r"Output:\nout\nerr\n",
        output.text,
    )
    assert output.success
    assert output.hook_response == "out\nerr\n"


async def test_the_item_begins_streams_and_ends_before_the_answer(talk: Conversation) -> None:
    await talk.run("fail")

    assert [kind for kind, _ in talk.told] == ["started", "delta", "delta", "completed"]
    [began], [ended] = talk.items("started"), talk.items("completed")
    assert (began.status, began.source, began.command, began.cwd) == (
        "inProgress", "unifiedExecStartup", "/bin/sh -lc fail", "/space",
    )  # fmt: skip
    assert began.aggregated_output is None
    assert 1000 <= int(began.process_id) <= 99_999
    assert (ended.id, ended.process_id) == ("call-1", began.process_id)
    assert (ended.status, ended.exit_code, ended.aggregated_output) == ("failed", 3, "out\nerr\n")
    assert ended.duration_ms is not None


async def test_a_command_that_takes_longer_is_left_running(talk: Conversation) -> None:
    output = await talk.run("wait", yield_time_ms=1)

    assert re.search(r"Wall time: 0\.(2[5-9]|[3-9])\d* seconds\nProcess running with session ID \d{4,5}\n", output.text)
    assert body(output.text) == "ready\n"
    assert talk.items("completed") == []


async def test_what_ends_in_the_background_is_reported_when_it_ends(talk: Conversation) -> None:
    await talk.session("slow")

    await talk.until("completed")

    assert talk.items("completed")[0].aggregated_output == "one\ntwo\n"


async def test_the_end_of_the_thread_ends_everything(talk: Conversation) -> None:
    await talk.session("wait")
    await talk.session("wait")

    await talk.close()

    assert [(item.status, item.exit_code) for item in talk.items("completed")] == [("failed", 137)] * 2


@pytest.mark.parametrize(("cmd", "code"), [("leave", 2), ("chat", 0)])
async def test_what_a_command_leaves_behind_is_not_waited_for_and_ends_with_the_thread(
    talk: Conversation, cmd: str, code: int
) -> None:
    output = await talk.run(cmd)

    assert f"Process exited with code {code}\n" in output.text
    assert talk.items("completed")[0].exit_code == code
    assert len(talk.machine.exec._live) == 1
    await talk.close()
    assert talk.machine.exec._live == {}


async def test_a_command_that_can_not_be_reported_is_a_failed_call(
    talk: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(item: object) -> None:
        raise StorageError("disk full")

    monkeypatch.setattr(talk, "complete_item", refuse)

    with pytest.raises(StorageError, match="disk full"):
        await talk.run("echo hi")


async def test_shell_login_and_directory_are_the_call_s(talk: Conversation) -> None:
    await talk.run("silent")
    await talk.run("silent", login=False, shell="/usr/bin/zsh", workdir="sub")
    await talk.run("silent", shell="zsh", workdir="/tmp")
    await talk.run("silent", shell="fish")

    assert [(params.argv, params.cwd) for params in talk.machine.exec.started] == [
        (("/bin/sh", "-lc", "silent"), "/space"),
        (("/usr/bin/zsh", "-c", "silent"), "/space/sub"),
        (("/usr/bin/zsh", "-lc", "silent"), "/tmp"),
        (("/bin/sh", "-lc", "silent"), "/space"),
    ]


async def test_login_shells_can_be_switched_off(talk: Conversation) -> None:
    talk.config["allow_login_shell"] = False

    await talk.run("silent")

    assert talk.machine.exec.started[0].argv == ("/bin/sh", "-c", "silent")
    with pytest.raises(ToolError, match="login shell is disabled"):
        await talk.run("silent", login=True)


async def test_the_environment_suits_a_model_and_names_its_thread(talk: Conversation) -> None:
    output = await talk.run("env")

    assert json.loads(body(output.text)) == {
        "PATH": "/bin",
        "HOME": "/home/user",
        "MOCK_CREDENTIAL": "hidden",
        "CODEX_THREAD_ID": "thread-1",
        "NO_COLOR": "1",
        "TERM": "dumb",
        "LANG": "C.UTF-8",
        "LC_CTYPE": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "COLORTERM": "",
        "PAGER": "cat",
        "GIT_PAGER": "cat",
        "GH_PAGER": "cat",
        "CODEX_CI": "1",
    }


async def test_the_program_s_own_credentials_stay_with_it(talk: Conversation) -> None:
    talk.config["model_providers"] = {"mock": {"env_key": "MOCK_CREDENTIAL"}}

    output = await talk.run("env")

    assert "MOCK_CREDENTIAL" not in output.text


async def test_long_output_is_cut_in_the_middle(talk: Conversation) -> None:
    output = await talk.run("numbers", max_output_tokens=10)

    assert "Original token count: 3474\n" in output.text
    assert body(output.text) == (
        "Total output lines: 3000\n\n1\n2\n3\n4\n5\n6\n7\n8\n9\n10…3464 tokens truncated…2997\n2998\n2999\n3000\n"
    )
    assert output.hook_response == body(output.text)


async def test_ten_thousand_tokens_are_given_unless_asked_otherwise(talk: Conversation) -> None:
    output = await talk.run("letters")

    assert "Original token count: 15001\nOutput:\nTotal output lines: 1\n\naaa" in output.text
    assert "aaa…5001 tokens truncated…aaa" in output.text


async def test_no_tokens_leave_only_the_marker(talk: Conversation) -> None:
    output = await talk.run("numbers", max_output_tokens=0)

    assert body(output.text) == "Total output lines: 3000\n\n…3474 tokens truncated…"


async def test_bytes_that_are_no_text_are_replaced(talk: Conversation) -> None:
    output = await talk.run("binary")

    assert body(output.text) == "a��b\n"
    assert "Original token count: 3\n" in output.text


async def test_a_flood_is_kept_at_both_ends_and_streamed_within_bounds(talk: Conversation) -> None:
    output = await talk.run("flood", yield_time_ms=20_000)

    assert "Original token count: 262144\n" in output.text
    [ended] = talk.items("completed")
    assert len(ended.aggregated_output) == 1024 * 1024
    assert len(talk.items("delta")) == 10_000


@pytest.mark.parametrize("remote", [False, True])
async def test_a_launch_that_fails_is_told_to_the_model_and_shown_in_its_words(
    talk: Conversation, remote: bool
) -> None:
    talk.machine.remote = remote

    with pytest.raises(ToolError) as caught:
        await talk.run("echo hi", workdir="/none")

    assert str(caught.value) == (
        "exec_command failed for `/bin/sh -lc 'echo hi'`: CreateProcess { message: "
        '"Rejected(\\"Failed to create unified exec process: No such file or directory (os error 2)\\")" }'
    )
    [ended] = talk.items("completed")
    assert (ended.status, ended.exit_code) == ("failed", -1)
    assert "No such file or directory" in ended.aggregated_output


@pytest.mark.parametrize(
    "script", ["x" * 20_000_000, "$(" * 100_000, "cat <<E\n" + "line\n" * 30_000 + "E", "€" * 43_691]
)
async def test_a_script_that_is_too_long_is_rejected_without_parsing(talk: Conversation, script: str) -> None:
    talk.policy(SandboxPolicy("workspaceWrite"), "untrusted")
    began = time.process_time()

    with pytest.raises(ToolError) as caught:
        await talk.run(script)

    assert time.process_time() - began < 5
    assert "Failed to create unified exec process: Argument list too long (os error 7)" in str(caught.value)
    assert len(str(caught.value)) < 20_000
    assert talk.asked == []
    [ended] = talk.items("completed")
    assert (ended.status, ended.exit_code) == ("failed", -1)
    assert len(ended.command) < 20_000


async def test_the_longest_script_runs(talk: Conversation) -> None:
    script = "echo hi".ljust(131_071)
    talk.machine.exec.programs[script] = "hi\n"

    assert body((await talk.run(script)).text) == "hi\n"


async def test_without_a_launcher_the_command_is_not_run(talk: Conversation) -> None:
    talk.policy(SandboxPolicy("readOnly"))

    with pytest.raises(ToolError) as caught:
        await talk.run("echo hi")

    assert str(caught.value) == (
        "exec_command failed for `/bin/sh -lc 'echo hi'`: no launcher holds read-only here; use danger-full-access"
    )
    assert [item.status for item in talk.items("completed")] == ["failed"]
    assert talk.machine.exec.started == []


async def test_a_launcher_wraps_the_command(talk: Conversation) -> None:
    talk.policy(SandboxPolicy("workspaceWrite"))

    output = await talk.run("numbers")

    [params] = talk.machine.exec.started
    assert (params.arg0, params.env["SANDBOXED"], params.sandbox) == ("sandboxed", "1", None)
    assert body(output.text) == "hi\n"
    assert talk.items("started")[0].command == "/bin/sh -lc numbers"


async def test_a_remote_environment_enforces_the_policy_itself(talk: Conversation) -> None:
    talk.machine.remote = True
    talk.policy(SandboxPolicy("readOnly"))

    await talk.run("echo hi")

    assert talk.machine.exec.started[0].sandbox == SandboxPolicy("readOnly")


async def test_an_approved_escalated_command_runs_without_a_sandbox(talk: Conversation) -> None:
    talk.policy(SandboxPolicy("readOnly"), "on-request")

    await talk.run("echo hi", sandbox_permissions="require_escalated", justification="May I?", prefix_rule=["echo"])

    assert talk.asked == [
        CommandRequest(
            item_id="call-1",
            command="/bin/sh -lc 'echo hi'",
            argv=("/bin/sh", "-lc", "echo hi"),
            cwd="/space",
            shell="/bin/sh",
            escalated=True,
            justification="May I?",
            prefix_rule=("echo",),
            actions=({"type": "unknown", "command": "echo hi"},),
        )
    ]
    assert talk.machine.exec.started[0].arg0 is None


@pytest.mark.parametrize(
    ("kind", "status"),
    [("declined", "declined"), ("aborted", "declined"), ("denied", "declined"), ("unanswered", "failed")],
)
async def test_a_refused_command_is_shown_and_not_run(talk: Conversation, kind: RejectionKind, status: str) -> None:
    talk.refusal = ToolRejected("rejected by user", kind=kind)

    with pytest.raises(ToolRejected) as caught:
        await talk.run("echo hi")

    assert 'CreateProcess { message: "Rejected(\\"rejected by user\\")" }' in str(caught.value)
    assert (caught.value.kind, caught.value.reason) == (kind, "rejected by user")
    [item] = talk.items("completed")
    assert (item.status, item.source, item.process_id, item.aggregated_output) == (status, "agent", None, None)
    assert (talk.items("started"), talk.machine.exec.started) == ([], [])


async def test_what_the_policy_forbids_is_told_plainly(talk: Conversation) -> None:
    talk.refusal = ToolRejected("approval policy is Never; reject command", kind="no_escalation")

    with pytest.raises(ToolRejected, match=r"^approval policy is Never; reject command$"):
        await talk.run("echo hi", sandbox_permissions="require_escalated")

    assert talk.told == []


async def test_a_patch_given_as_a_command_goes_to_the_tool_for_patches(talk: Conversation) -> None:
    patch = "*** Begin Patch\n*** Add File: a\n+x\n*** End Patch"

    output = await talk.run(f"cd sub && apply_patch <<'EOF'\n{patch}\nEOF", workdir="w")

    assert output.text == "patched"
    [call] = talk.delegated
    assert (call.call_id, call.name) == ("call-1", "apply_patch")
    assert json.loads(call.arguments) == {"input": patch, "workdir": "w/sub"}
    assert talk.told == []


async def test_a_command_that_only_mentions_a_patch_is_run(talk: Conversation) -> None:
    await talk.run("echo '*** Begin Patch'")

    assert talk.delegated == []
    assert len(talk.machine.exec.started) == 1


async def test_an_interrupted_call_interrupts_the_command_it_waits_for(talk: Conversation) -> None:
    behind = await talk.session("wait")
    call = asyncio.create_task(talk.run("wait"))
    await talk.until("delta")
    while len(talk.items("started")) < 2:  # noqa: ASYNC110
        await asyncio.sleep(0.01)

    call.cancel()
    await asyncio.gather(call, return_exceptions=True)

    [ended] = await talk.until("completed")
    assert (ended.id, ended.exit_code) == ("call-2", 130)
    assert "Process running" in (await talk.call("write_stdin", session_id=behind, yield_time_ms=1)).text


async def test_a_command_whose_announcement_fails_is_ended(talk: Conversation, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(item: object) -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr(talk, "start_item", refuse)

    with pytest.raises(asyncio.CancelledError):
        await talk.run("wait")

    assert talk.machine.exec._live == {}


async def test_many_commands_run_side_by_side(talk: Conversation) -> None:
    outputs = await asyncio.gather(*(talk.run("fail") for _ in range(50)))

    assert all("exited with code 3" in output.text for output in outputs)
    assert len({item.process_id for item in talk.items("started")}) == 50


async def test_the_longest_unused_command_makes_room(talk: Conversation) -> None:
    await asyncio.gather(*(talk.session("wait") for _ in range(64)))

    await talk.session("wait")

    await talk.until("completed")
    assert talk.items("completed")[0].process_id == talk.items("started")[0].process_id
    assert "64 commands are still running" in talk.warned[-1]


async def test_hooks_see_a_shell_command(talk: Conversation) -> None:
    tool = talk.tools["exec_command"]
    call = ToolCall(call_id="1", name="exec_command", arguments='{"cmd": "ls", "tty": true}')

    assert tool.hook_view(call) == HookPayload(tool_name="Bash", tool_input={"command": "ls"})
    changed = tool.from_hook_input(call, {"command": "pwd"})
    assert json.loads(changed.arguments) == {"cmd": "pwd", "tty": True}
    with pytest.raises(ToolError, match="command"):
        tool.from_hook_input(call, {"cmd": "pwd"})


@pytest.mark.parametrize("arguments", ["", "[]", "{}", '{"cmd": 3}'])
async def test_hooks_are_not_asked_about_what_is_no_command(talk: Conversation, arguments: str) -> None:
    tool = talk.tools["exec_command"]

    assert tool.hook_view(ToolCall(call_id="1", name="exec_command", arguments=arguments)) is None


async def test_the_tools_are_offered_as_models_know_them(talk: Conversation) -> None:
    command, stdin = (talk.tools[name].spec for name in ("exec_command", "write_stdin"))

    assert list(command["parameters"]["properties"]) == [
        "cmd", "justification", "login", "max_output_tokens", "prefix_rule", "sandbox_permissions", "shell", "tty",
        "workdir", "yield_time_ms",
    ]  # fmt: skip
    assert list(stdin["parameters"]["properties"]) == ["chars", "max_output_tokens", "session_id", "yield_time_ms"]
    assert (command["strict"], command["parameters"]["required"]) == (False, ["cmd"])
    assert stdin["parameters"]["additionalProperties"] is False


@pytest.mark.parametrize(
    ("approval", "advice"),
    [("never", "find a way that stays within it"), ("on-request", "`sandbox_permissions` set to `require_escalated`")],
)
async def test_a_denial_by_the_sandbox_is_reported_with_advice(talk: Conversation, approval: str, advice: str) -> None:
    talk.policy(SandboxPolicy("workspaceWrite"), approval)

    with pytest.raises(ToolError) as caught:
        await talk.run("denied")

    assert str(caught.value).startswith(
        "exec_command failed for `/bin/sh -lc denied`: SandboxDenied { message: \"touch: cannot touch 'x': Read-only"
    )
    assert "The command ran in the sandbox workspace-write, without network" in str(caught.value)
    assert advice in str(caught.value)
    assert talk.items("completed")[0].status == "failed"


async def test_the_same_failure_without_a_sandbox_is_an_ordinary_one(talk: Conversation) -> None:
    output = await talk.run("denied")

    assert "Process exited with code 1" in output.text


async def test_a_launch_is_closed_when_its_command_is_over(talk: Conversation) -> None:
    talk.policy(SandboxPolicy("workspaceWrite"))

    await talk.run("numbers")

    assert talk.let_go == ["started", "ended"]
