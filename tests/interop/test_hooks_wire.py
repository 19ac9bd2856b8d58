"""What a client of the app server sees of hooks, and the events that only such a client can cause."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from interop.hook_runs import SHELL, Play, document, script, special

if TYPE_CHECKING:
    from interop.app_server import Message
    from interop.clients import Codex

ESCALATE = [
    [
        {
            "sh": {
                "cmd": "echo ran >> ran.txt",
                "sandbox_permissions": "require_escalated",
                "justification": "need it",
            }
        }
    ],
    [{"say": "final words"}],
]
ASKING: dict[str, Any] = {"approvalPolicy": "on-request", "sandbox": "read-only"}


def hooks(messages: list[Message]) -> list[tuple[str, str, str]]:
    """List (started or completed, run id without the file, status)."""
    found = [message for message in messages if message.get("method", "").startswith("hook/")]
    return [
        (message["method"][5:], _short(message["params"]["run"]), message["params"]["run"]["status"])
        for message in found
    ]


def _short(run: dict[str, Any]) -> str:
    return str(run["id"]).replace(f":{run['sourcePath']}", "")


def runs(messages: list[Message], method: str = "hook/completed") -> list[dict[str, Any]]:
    return [message["params"]["run"] for message in messages if message.get("method") == method]


def items(messages: list[Message]) -> list[dict[str, Any]]:
    return [message["params"]["item"] for message in messages if message.get("method") == "item/completed"]


def test_all_starts_are_told_before_the_ends_and_both_in_configured_order(play: Play) -> None:
    play.prepare(document(UserPromptSubmit=[script("a", do="sleep 0.4"), script("b", code=1), script("c")]))
    with play.server() as server:
        seen = hooks(server.turn(server.start()))

    ids = [f"user-prompt-submit:{number}" for number in range(3)]
    assert seen == [
        *(("started", ident, "running") for ident in ids),
        *(("completed", ident, how) for ident, how in zip(ids, ("completed", "failed", "completed"), strict=True)),
    ]


def test_a_run_tells_what_when_and_where(play: Play) -> None:
    play.prepare(document(Stop=script({"systemMessage": "hello"}, statusMessage="sacking the guards")))
    with play.server() as server:
        thread = server.start()
        messages = server.turn(thread)

    [started], [completed] = runs(messages, "hook/started"), runs(messages)
    source = str(play.stage.home / "hooks.json")
    same = {
        "id": f"stop:0:{source}",
        "eventName": "stop",
        "handlerType": "command",
        "executionMode": "sync",
        "scope": "turn",
        "sourcePath": source,
        "source": "user",
        "displayOrder": 0,
        "statusMessage": "sacking the guards",
        "startedAt": started["startedAt"],
    }
    assert started == {**same, "status": "running", "completedAt": None, "durationMs": None, "entries": []}
    assert completed == {
        **same,
        "status": "completed",
        "completedAt": completed["completedAt"],
        "durationMs": completed["durationMs"],
        "entries": [{"kind": "warning", "text": "hello"}],
    }
    assert completed["completedAt"] >= completed["startedAt"] > 1_700_000_000
    assert completed["durationMs"] >= 0
    [params] = [message["params"] for message in messages if message.get("method") == "hook/completed"]
    [turn] = [message["params"]["turn"] for message in messages if message.get("method") == "turn/completed"]
    assert (params["threadId"], params["turnId"]) == (thread, turn["id"])


def test_handlers_are_numbered_in_the_fixed_order_of_events_and_left_out_ones_take_no_number(play: Play) -> None:
    play.prepare(
        document(
            Stop=script(),
            UserPromptSubmit=[{"type": "command", "command": " "}, script(), script()],
            SessionStart=script(),
            PostToolUse=script(),
            PreToolUse=[script(), {"hooks": [script()], "matcher": "["}],
            PreModelRequest=script(),
        )
    )
    with play.server(SHELL) as server:
        seen = [ident for what, ident, _status in hooks(server.turn(server.start())) if what == "started"]

    assert seen == [
        "session-start:3", "user-prompt-submit:4", "user-prompt-submit:5", "pre-model-request:0",
        "pre-tool-use:1:call_0_0", "post-tool-use:2:call_0_0", "pre-model-request:0", "stop:6",
    ]  # fmt: skip


def test_session_start_belongs_to_the_thread_and_the_rest_to_the_turn(play: Play) -> None:
    names = ("SessionStart", "UserPromptSubmit", "PreToolUse", "PostToolUse", "Stop")
    play.prepare(document(**{name: script() for name in names}))
    with play.server(SHELL) as server:
        messages = server.turn(server.start())

    assert [(run["eventName"], run["scope"]) for run in runs(messages)] == [
        ("sessionStart", "thread"),
        ("userPromptSubmit", "turn"),
        ("preToolUse", "turn"),
        ("postToolUse", "turn"),
        ("stop", "turn"),
    ]


def test_entries_tell_warnings_context_feedback_stops_and_errors(play: Play) -> None:
    play.prepare(
        document(
            SessionStart=[
                script({"systemMessage": "careful", **special("SessionStart", additionalContext="ctx")}),
                script(code=3),
                script("late", do="sleep 4", timeout=1),
                script("[1"),
                script(err="two", code=2),
            ],
            PostToolUse=[
                script({"decision": "block", "reason": "again"}),
                script({"continue": False, "stopReason": "enough"}),
            ],
            Stop=script("text"),
        )
    )
    with play.server(SHELL) as server:
        ended = runs(server.turn(server.start()))

    # ours goes on to say what is wrong in a JSON answer
    told = [
        (run["status"], [(entry["kind"], entry["text"].partition(":")[0]) for entry in run["entries"]]) for run in ended
    ]
    assert told == [
        ("completed", [("warning", "careful"), ("context", "ctx")]),
        ("failed", [("error", "hook exited with code 3")]),
        ("failed", [("error", "hook timed out after 1s")]),
        ("failed", [("error", "hook returned invalid session start JSON output")]),
        ("failed", [("error", "hook exited with code 2")]),
        ("blocked", [("feedback", "again")]),
        ("stopped", [("stop", "enough")]),
        ("failed", [("error", "hook returned invalid stop hook JSON output")]),
    ]


def test_a_continuation_is_an_item_of_its_own_in_the_same_turn(play: Play) -> None:
    do = '[ -e "$CODEX_HOME/once" ] && exit 0; touch "$CODEX_HOME/once"'
    play.prepare(document(Stop=script({"decision": "block", "reason": "a < b"}, do=do)))
    with play.server([[{"say": "one"}], [{"say": "two"}]]) as server:
        messages = server.turn(server.start())

    kinds = [(item["type"], item.get("text")) for item in items(messages)]
    assert kinds == [("userMessage", None), ("agentMessage", "one"), ("hookPrompt", None), ("agentMessage", "two")]
    [prompt] = [item for item in items(messages) if item["type"] == "hookPrompt"]
    assert prompt["fragments"] == [{"text": "a < b", "hookRunId": f"stop:0:{play.stage.home / 'hooks.json'}"}]
    assert len({message["params"]["turnId"] for message in messages if message.get("method") == "item/completed"}) == 1


def test_a_blocked_prompt_is_no_item_and_the_turn_is_completed(play: Play) -> None:
    play.prepare(document(UserPromptSubmit=script({"decision": "block", "reason": "no"})))
    with play.server() as server:
        messages = server.turn(server.start())

    assert items(messages) == []
    assert messages[-1]["params"]["turn"]["status"] == "completed"
    assert runs(messages)[0]["entries"] == [{"kind": "feedback", "text": "no"}]


def test_a_denied_tool_call_is_no_item(play: Play) -> None:
    play.prepare(document(PreToolUse=script(err="no", code=2)))
    with play.server(SHELL) as server:
        messages = server.turn(server.start())

    assert [item["type"] for item in items(messages)] == ["userMessage", "agentMessage"]


def permission(behavior: str, **keys: object) -> dict[str, object]:
    return script(special("PermissionRequest", decision={"behavior": behavior, **keys}))


def test_a_permission_request_hook_gets_the_command_and_its_justification(play: Play) -> None:
    play.prepare(document(PermissionRequest=permission("deny", message="never")))
    with play.server(ESCALATE) as server:
        server.turn(server.start(**ASKING))
        output = play.model.turns[-1].body["input"][-1]["output"]

    [payload] = play.seen().payloads("PermissionRequest")
    assert list(payload)[-2:] == ["tool_name", "tool_input"]
    assert (payload["tool_name"], payload["permission_mode"]) == ("Bash", "default")
    assert payload["tool_input"] == {"command": "echo ran >> ran.txt", "description": "need it"}
    assert 'Rejected("never")' in output.replace('\\"', '"')
    assert not play.seen().ran


def test_a_permission_hook_that_allows_spares_the_client_the_question(play: Play) -> None:
    play.prepare(document(PermissionRequest=permission("allow")))
    with play.server(ESCALATE) as server:
        messages = server.turn(server.start(**ASKING))

    assert play.seen().ran
    assert [message["method"] for message in messages if "method" in message and "id" in message] == []


def test_any_deny_beats_the_allows(play: Play) -> None:
    play.prepare(document(PermissionRequest=[permission("allow"), script(err="not you", code=2), permission("allow")]))
    with play.server(ESCALATE) as server:
        server.turn(server.start(**ASKING))

    assert not play.seen().ran
    assert "not you" in play.model.turns[-1].body["input"][-1]["output"]


def test_without_a_verdict_the_client_is_asked(play: Play) -> None:
    play.prepare(document(PermissionRequest=[script(), script("text"), script(code=3)]))
    with play.server(ESCALATE) as server:
        server.approve["item/commandExecution/requestApproval"] = {"decision": "accept"}
        messages = server.turn(server.start(**ASKING))

    asked = [message["method"] for message in messages if "method" in message and "id" in message]
    assert asked == ["item/commandExecution/requestApproval"]
    assert play.seen().ran


def test_an_interrupted_turn_runs_interrupt_and_no_stop(play: Play) -> None:
    play.prepare(document(Interrupt=script(), Stop=script()))
    with play.server([[{"say": "one"}, {"delay": 20}]]) as server:
        thread = server.start()
        turn = server.begin_turn(thread)
        server.wait(lambda message: message.get("method") == "item/completed" and _is_agent(message))
        server.request("turn/interrupt", threadId=thread, turnId=turn)
        ended = server.wait(lambda message: message.get("method") == "turn/completed")

    assert ended["params"]["turn"]["status"] == "interrupted"
    seen = play.seen()
    [payload] = seen.payloads("Interrupt")
    assert list(payload) == [
        "session_id", "turn_id", "transcript_path", "cwd", "hook_event_name", "model", "permission_mode",
    ]  # fmt: skip
    assert seen.payloads("Stop") == []


def _is_agent(message: Message) -> bool:
    return bool(message["params"]["item"]["type"] == "agentMessage")


def test_permission_mode_is_default_when_the_user_is_asked(play: Play) -> None:
    play.prepare(document(Stop=script()))
    with play.server() as server:
        server.turn(server.start(**ASKING))

    [payload] = play.seen().payloads("Stop")
    assert payload["permission_mode"] == "default"


def test_a_second_turn_starts_no_session_but_submits_its_prompt(play: Play) -> None:
    play.prepare(document(SessionStart=script(), UserPromptSubmit=script(), Stop=script()))
    with play.server() as server:
        thread = server.start()
        server.turn(thread, "one")
        server.turn(thread, "two")

    seen = play.seen()
    assert len(seen.payloads("SessionStart")) == 1
    prompts = seen.payloads("UserPromptSubmit")
    assert [payload["prompt"] for payload in prompts] == ["one", "two"]
    assert len({payload["turn_id"] for payload in prompts}) == 2
    assert [payload["stop_hook_active"] for payload in seen.payloads("Stop")] == [False, False]


@pytest.mark.parametrize("codex", ["ours"], indirect=True)
def test_ours_says_under_json_why_a_prompt_was_refused(codex: Codex, play: Play) -> None:
    seen = play(None, "--json", UserPromptSubmit=script(err="no secrets", code=2))

    said = "UserPromptSubmit hook refused the prompt: no secrets"
    items = [event["item"] for event in seen.outcome.events if event["type"] == "item.completed"]
    assert {"type": "error", "message": said}.items() <= items[-1].items()
    assert said in seen.outcome.stderr.splitlines()
