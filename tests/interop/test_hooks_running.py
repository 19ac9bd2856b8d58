"""How handlers run and what they get on stdin."""

from __future__ import annotations

import json
import os
import time

import pytest

from interop.clients import OURS
from interop.hook_runs import BYPASS, SAY, SHELL, Play, document, group, script

TOOL_KEYS = ["session_id", "turn_id", "transcript_path", "cwd", "hook_event_name", "model", "permission_mode"]


def test_a_handler_runs_in_the_users_shell_in_the_turns_directory_with_the_whole_environment(play: Play) -> None:
    do = 'echo "$BASH_VERSION" > "$CODEX_HOME/facts"; pwd >> "$CODEX_HOME/facts"; echo "$PATH" >> "$CODEX_HOME/facts"'
    seen = play(Stop=script(do=do))

    version, folder, path = (seen.stage.home / "facts").read_text().splitlines()
    assert version
    assert folder == str(seen.stage.ws)
    assert path.endswith(os.environ["PATH"])


@pytest.mark.parametrize("shell", ["/bin/sh", "/usr/bin/fish", "/usr/sbin/nologin"])
def test_the_shell_of_the_terminal_is_not_looked_at(play: Play, shell: str) -> None:
    play.prepare(document(Stop=script(do='echo "$BASH_VERSION" > "$CODEX_HOME/facts"')))
    play.model.play(SAY)

    play.stage.run(play.codex, "exec", "--dangerously-bypass-approvals-and-sandbox", BYPASS, "go", SHELL=shell)

    assert (play.stage.home / "facts").read_text().strip()


def test_stdin_is_one_line_of_json_and_then_ends(play: Play) -> None:
    seen = play(Stop={"type": "command", "command": 'cat > "$CODEX_HOME/raw"'})

    raw = (seen.stage.home / "raw").read_text()
    assert raw.strip().count("\n") == 0
    assert json.loads(raw)["hook_event_name"] == "Stop"


def test_all_handlers_of_an_event_start_together(play: Play) -> None:
    first = script(
        "a",
        do='for i in $(seq 100); do [ -e "$CODEX_HOME/second" ] && break; sleep 0.05; done; cat "$CODEX_HOME/second"',
    )
    second = script("b", do='touch "$CODEX_HOME/second"')
    began = time.monotonic()

    seen = play(UserPromptSubmit=[first, second])

    assert time.monotonic() - began < 5
    assert seen.developer()[-2:] == ["a", "b"]


def test_results_are_used_in_configured_order_not_in_order_of_finishing(play: Play) -> None:
    seen = play(
        UserPromptSubmit=[group(None, script("one", do="sleep 0.6"), script("two")), script("three", do="sleep 0.3")]
    )

    assert seen.developer()[-3:] == ["one", "two", "three"]


def test_a_handler_past_its_timeout_is_killed_and_the_turn_goes_on(play: Play) -> None:
    seen = play(UserPromptSubmit=script("late", do='sleep 5; touch "$CODEX_HOME/survived"', timeout=1))

    assert seen.statuses("UserPromptSubmit") == ["failed"]
    assert seen.final == "final words"
    assert "late" not in seen.developer()
    assert not (seen.stage.home / "survived").exists()


def test_a_timeout_of_zero_is_a_second(play: Play) -> None:
    seen = play(UserPromptSubmit=[script("quick", do="sleep 0.3", timeout=0), script("late", do="sleep 4", timeout=0)])

    assert seen.statuses("UserPromptSubmit") == ["completed", "failed"]
    assert seen.developer()[-1] == "quick"


def test_timeout_sec_is_not_a_name_of_it(play: Play) -> None:
    seen = play(UserPromptSubmit=script("quick", do="sleep 1.5", timeoutSec=1))

    assert seen.developer()[-1] == "quick"


def test_a_script_that_does_not_read_stdin_is_fine(play: Play) -> None:
    handlers = [{"type": "command", "command": f"exec 0<&-; echo {number}"} for number in range(4)]
    seen = play(UserPromptSubmit=handlers, prompt="x" * 100_000)

    assert seen.statuses("UserPromptSubmit") == ["completed"] * 4
    assert seen.developer()[-4:] == ["0", "1", "2", "3"]


def test_a_program_that_is_not_there_fails_and_the_turn_goes_on(play: Play) -> None:
    seen = play(UserPromptSubmit={"type": "command", "command": "/nowhere/at-all"})

    assert seen.statuses("UserPromptSubmit") == ["failed"]
    assert seen.final == "final words"


def test_output_that_is_not_utf8_is_read_all_the_same(play: Play) -> None:
    seen = play(UserPromptSubmit={"type": "command", "command": "printf 'a\\377b'"})

    assert seen.developer()[-1] == "a\ufffdb"


def test_an_async_handler_runs_beside_the_turn_and_its_context_comes_later(play: Play) -> None:
    later = script("from-async", do="sleep 0.2", **{"async": True})
    seen = play([[{"sh": "sleep 1.5"}], [{"say": "x"}], [{"say": "y"}]], UserPromptSubmit=later)

    assert all("from-async" not in text for text in seen.developer(0))
    assert any("from-async" in text for text in seen.developer(-1))


def test_session_start_payload(play: Play) -> None:
    seen = play(SessionStart=script())

    [payload] = seen.payloads("SessionStart")
    assert list(payload) == [
        "session_id", "transcript_path", "cwd", "hook_event_name", "model", "permission_mode", "source",
    ]  # fmt: skip
    assert payload["cwd"] == str(seen.stage.ws)
    assert (payload["permission_mode"], payload["source"]) == ("bypassPermissions", "startup")
    assert payload["model"] == play.codex.model


def test_resuming_is_a_session_start_of_source_resume(play: Play) -> None:
    first = play(SessionStart=group("resume", script("again")))
    [path] = first.stage.home.glob("sessions/*/*/*/*.jsonl")
    thread = path.stem[-36:]

    second = play(None, "resume", thread)

    [payload] = second.payloads("SessionStart")
    assert (payload["session_id"], payload["source"]) == (thread, "resume")
    assert "again" in second.developer()


def test_user_prompt_submit_payload(play: Play) -> None:
    seen = play(UserPromptSubmit=script(), prompt="say \u00e4 & <b>")

    [payload] = seen.payloads("UserPromptSubmit")
    assert list(payload) == [*TOOL_KEYS, "prompt"]
    assert payload["prompt"] == "say \u00e4 & <b>"


def test_tool_payloads(play: Play) -> None:
    seen = play(SHELL, PreToolUse=script(), PostToolUse=script())

    [before], [after] = seen.payloads("PreToolUse"), seen.payloads("PostToolUse")
    assert list(before) == [*TOOL_KEYS, "tool_name", "tool_input", "tool_use_id"]
    assert list(after) == [*TOOL_KEYS, "tool_name", "tool_input", "tool_response", "tool_use_id"]
    assert before["tool_name"] == after["tool_name"] == "Bash"
    assert before["tool_input"] == after["tool_input"] == {"command": "echo ran >> ran.txt; echo out"}
    assert after["tool_response"] == "out\n"
    assert before["tool_use_id"] == after["tool_use_id"] == "call_0_0"
    assert before["turn_id"] == after["turn_id"]


SLOW = {"cmd": "echo one; sleep 1.5; echo two", "yield_time_ms": 300}
POLLED = [
    [{"sh": SLOW}],
    [{"stdin": {"session_id": "$SESSION", "chars": "", "yield_time_ms": 9000}}],
    [{"say": "final words"}],
]


def test_hooks_after_a_command_that_was_waited_for_twice_are_told_once_at_its_end(play: Play) -> None:
    seen = play(POLLED, PreToolUse=script(), PostToolUse=script())

    assert len(seen.payloads("PreToolUse")) == 1
    [after] = seen.payloads("PostToolUse")
    assert (after["tool_use_id"], after["tool_input"]) == ("call_0_0", {"command": SLOW["cmd"]})
    assert after["tool_response"].endswith("two\n")
    if play.codex is OURS:  # The real one leaves out what was read before.
        assert after["tool_response"] == "one\ntwo\n"


def test_feedback_takes_the_place_of_the_last_output_of_such_a_command(play: Play) -> None:
    seen = play(POLLED, PostToolUse=script(err="look again", code=2))

    assert "one" in seen.output("call_0_0")
    assert "session ID" in seen.output("call_0_0")
    assert seen.output("call_1_0") == "look again"


@pytest.mark.parametrize(("workdir", "told"), [("/tmp", "/tmp"), (".git", "{ws}/.git")])
def test_the_payload_has_the_directory_of_the_command_and_the_script_that_of_the_turn(
    play: Play, workdir: str, told: str
) -> None:
    seen = play(
        [[{"sh": {"cmd": "true", "workdir": workdir}}], [{"say": "x"}]],
        PreToolUse=script(do='pwd > "$CODEX_HOME/facts"'),
        PostToolUse=script(),
    )

    [before], [after] = seen.payloads("PreToolUse"), seen.payloads("PostToolUse")
    assert before["cwd"] == after["cwd"] == told.format(ws=seen.stage.ws)
    assert (seen.stage.home / "facts").read_text().strip() == str(seen.stage.ws)


@pytest.mark.parametrize("mode", ["read-only", "workspace-write"])
def test_who_is_never_asked_has_bypassed_permissions_in_any_sandbox(play: Play, mode: str) -> None:
    play.prepare(document(Stop=script()))
    play.model.play(SAY)

    play.stage.run(play.codex, "exec", "--sandbox", mode, BYPASS, "go")

    [payload] = play.seen().payloads("Stop")
    assert payload["permission_mode"] == "bypassPermissions"


@pytest.mark.parametrize("event", ["SessionStart", "UserPromptSubmit"])
def test_the_transcript_is_there_when_the_first_hooks_run(play: Play, event: str) -> None:
    find = """python3 -c 'import json,sys; print(json.load(sys.stdin)["transcript_path"])' < "$CODEX_HOME/stdin.$$" """
    seen = play(**{event: script(do=f'head -n 1 "$({find})" > "$CODEX_HOME/facts"')})

    assert json.loads((seen.stage.home / "facts").read_text())["type"] == "session_meta"


def test_a_review_begins_no_session_and_is_not_sent_back_to_work(play: Play) -> None:
    seen = play(
        SHELL,
        "review",
        SessionStart=script(),
        UserPromptSubmit=script(),
        PreToolUse=script(),
        Stop=script({"decision": "block", "reason": "again"}),
    )

    assert (len(seen.payloads("SessionStart")), len(seen.payloads("Stop"))) == (0, 0)
    assert (len(seen.payloads("UserPromptSubmit")), len(seen.payloads("PreToolUse"))) == (1, 1)


def test_stop_payload(play: Play) -> None:
    seen = play(Stop=script())

    [payload] = seen.payloads("Stop")
    assert list(payload) == [*TOOL_KEYS, "stop_hook_active", "last_assistant_message"]
    assert (payload["stop_hook_active"], payload["last_assistant_message"]) == (False, "final words")


def test_a_turn_without_an_answer_stops_with_no_last_message(play: Play) -> None:
    seen = play([[{"reason": "**x**"}]], Stop=script())

    [payload] = seen.payloads("Stop")
    assert payload["last_assistant_message"] is None


def test_the_transcript_is_the_threads_rollout(play: Play) -> None:
    seen = play(Stop=script())

    [payload] = seen.payloads("Stop")
    [path] = seen.stage.home.glob("sessions/*/*/*/*.jsonl")
    assert payload["transcript_path"] == str(path)
    assert path.stem.endswith(payload["session_id"])


def test_events_of_one_turn_share_its_id_and_come_in_order(play: Play) -> None:
    names = ["SessionStart", "UserPromptSubmit", "PreToolUse", "PostToolUse", "Stop"]
    log = {
        name: {"type": "command", "command": f'cat > "$CODEX_HOME/stdin.{name}"; echo {name} >> "$CODEX_HOME/log"'}
        for name in names
    }

    seen = play(SHELL, **log)

    assert (seen.stage.home / "log").read_text().split() == names
    turns = {name: seen.payloads(name)[0].get("turn_id") for name in names}
    assert turns.pop("SessionStart") is None
    assert len(set(turns.values())) == 1


def test_model_request_events_surround_each_request(play: Play) -> None:
    seen = play(SHELL, PreModelRequest=script(), PostModelRequest=script())

    before, after = seen.payloads("PreModelRequest"), seen.payloads("PostModelRequest")
    base = ["session_id", "turn_id", "cwd", "transcript_path", "model", "hook_event_name"]
    assert [list(one) for one in before] == [base, base]
    assert [list(one) for one in after] == [[*base, "status", "error", "token_usage"]] * 2
    assert (after[0]["status"], after[0]["error"]) == ("completed", None)
    assert after[0]["token_usage"] == {
        "input_tokens": 120,
        "cached_input_tokens": 20,
        "cache_write_input_tokens": 0,
        "output_tokens": 12,
        "reasoning_output_tokens": 2,
        "total_tokens": 132,
    }


@pytest.mark.parametrize("event", ["PreModelRequest", "PostModelRequest"])
def test_a_failing_model_request_hook_does_not_keep_the_request_back(play: Play, event: str) -> None:
    seen = play(**{event: script(err="no", code=2)})

    assert seen.statuses(event) == ["failed"]
    assert seen.final == "final words"


def test_session_end_runs_at_exit(play: Play) -> None:
    seen = play(SessionEnd=script())

    [payload] = seen.payloads("SessionEnd")
    assert list(payload) == ["session_id", "transcript_path", "cwd", "hook_event_name", "reason"]
    assert payload["reason"] == "other"
    assert seen.statuses("SessionEnd") == []


def test_session_end_is_not_waited_for_longer_than_three_seconds(play: Play) -> None:
    began = time.monotonic()

    seen = play(SessionEnd=script(do="sleep 30", timeout=60))

    assert seen.outcome.status == 0
    assert time.monotonic() - began < 10


def test_json_lines_do_not_tell_of_hooks_that_ran(play: Play) -> None:
    seen = play(SHELL, "--json", UserPromptSubmit=script("ctx"), PreToolUse=script(), Stop=script(code=3))

    kinds = {event.get("item", {}).get("type", event["type"]) for event in seen.outcome.events}
    assert kinds - {"error"} == {
        "thread.started", "turn.started", "command_execution", "agent_message", "turn.completed",
    }  # fmt: skip
    assert not any("ctx" in line for line in seen.outcome.stdout.splitlines())
