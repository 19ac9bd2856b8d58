"""JSON lines in the format that SDKs parse."""

from __future__ import annotations

import json
from typing import Any

import pytest

from codex_exec_cli.jsonl import JsonReporter
from codex_hookspecs.protocol import (
    AgentMessage,
    CommandExecution,
    DeprecationNotice,
    DynamicToolCall,
    ErrorNotice,
    FileChange,
    FileUpdateChange,
    HookCompleted,
    HookEntry,
    HookRun,
    HookStarted,
    McpToolCall,
    PlanStep,
    PlanUpdated,
    Reasoning,
    TurnError,
    UserMessage,
    WarningNotice,
    WebSearch,
)

COMMAND: dict[str, Any] = {"id": "call_0_2", "command": "/bin/bash -lc 'exit 3'", "cwd": "/w"}


def lines(out: Any) -> list[str]:
    return out.text.splitlines()


def plan(*steps: tuple[str, Any]) -> PlanUpdated:
    return PlanUpdated(thread_id="t", turn_id="u", plan=tuple(PlanStep(step, status) for step, status in steps))


def test_a_turn_with_tools_is_reported_as_by_codex(out, make) -> None:
    reporter = JsonReporter(out)
    change = FileUpdateChange("/w/k.txt", {"type": "update", "move_path": None}, diff="@@")
    for notification in (
        make.turn_started(),
        make.completed(UserMessage(id="x", content=())),
        make.completed(Reasoning(id="rs", summary=("**Look**\n\nthinking",))),
        make.completed(Reasoning(id="rs2")),
        make.started(AgentMessage(id="m", text="")),
        make.completed(AgentMessage(id="m", text="looking")),
        make.started(CommandExecution(**COMMAND, status="inProgress")),
        make.completed(CommandExecution(**COMMAND, status="failed", aggregated_output="hi\ne\n", exit_code=3)),
        make.started(FileChange(id="p", changes=(change,), status="inProgress")),
        make.completed(FileChange(id="p", changes=(change,), status="completed")),
        plan(("a", "completed"), ("b", "pending")),
        plan(("a", "completed"), ("b", "completed")),
        make.started(WebSearch(id="ws_1", query="w", action={"type": "search", "query": "w"})),
        make.used(120, 20, 12),
        make.ended(),
    ):
        reporter.show(notification)

    assert lines(out) == [
        '{"type":"turn.started"}',
        '{"type":"item.completed","item":{"id":"item_0","type":"reasoning","text":"**Look**\\n\\nthinking"}}',
        '{"type":"item.completed","item":{"id":"item_1","type":"agent_message","text":"looking"}}',
        '{"type":"item.started","item":{"id":"item_2","type":"command_execution","command":"/bin/bash -lc \'exit 3\'",'
        '"aggregated_output":"","exit_code":null,"status":"in_progress"}}',
        '{"type":"item.completed","item":{"id":"item_2","type":"command_execution",'
        '"command":"/bin/bash -lc \'exit 3\'","aggregated_output":"hi\\ne\\n","exit_code":3,"status":"failed"}}',
        '{"type":"item.started","item":{"id":"item_3","type":"file_change","changes":[{"path":"/w/k.txt",'
        '"kind":"update"}],"status":"in_progress"}}',
        '{"type":"item.completed","item":{"id":"item_3","type":"file_change","changes":[{"path":"/w/k.txt",'
        '"kind":"update"}],"status":"completed"}}',
        '{"type":"item.started","item":{"id":"item_4","type":"todo_list","items":[{"text":"a","completed":true},'
        '{"text":"b","completed":false}]}}',
        '{"type":"item.updated","item":{"id":"item_4","type":"todo_list","items":[{"text":"a","completed":true},'
        '{"text":"b","completed":true}]}}',
        '{"type":"item.started","item":{"id":"item_5","type":"web_search","id":"ws_1","query":"w",'
        '"action":{"type":"search","query":"w"}}}',
        '{"type":"item.completed","item":{"id":"item_4","type":"todo_list","items":[{"text":"a","completed":true},'
        '{"text":"b","completed":true}]}}',
        '{"type":"turn.completed","usage":{"input_tokens":120,"cached_input_tokens":20,"output_tokens":12}}',
    ]


def test_the_start_of_a_file_change_can_be_omitted_and_its_end_keeps_the_id(out, make) -> None:
    reporter = JsonReporter(out, started_changes=False)
    change = FileUpdateChange("/w/k.txt", {"type": "add"}, diff="a")

    reporter.show(make.started(FileChange(id="p", changes=(change,), status="inProgress")))
    reporter.show(make.completed(AgentMessage(id="m", text="hi")))
    reporter.show(make.completed(FileChange(id="p", changes=(change,), status="completed")))

    shown = [json.loads(line) for line in lines(out)]
    assert [(line["type"], line["item"]["type"], line["item"]["id"]) for line in shown] == [
        ("item.completed", "agent_message", "item_1"),
        ("item.completed", "file_change", "item_0"),
    ]


def test_a_failure_is_an_error_and_a_failed_turn(out, make) -> None:
    reporter = JsonReporter(out)
    error = TurnError("Reconnecting... 1/1", additional_details="stream closed")

    reporter.show(ErrorNotice(error=error, will_retry=True, thread_id="t", turn_id="u"))
    reporter.show(make.ended("failed", TurnError("nope")))

    assert lines(out) == [
        '{"type":"error","message":"Reconnecting... 1/1 (stream closed)"}',
        '{"type":"turn.failed","error":{"message":"nope"}}',
    ]


def test_warnings_are_error_items(out) -> None:
    reporter = JsonReporter(out)

    reporter.show(WarningNotice(message="mind the gap"))
    reporter.show(DeprecationNotice(summary="old", details="use new"))

    assert [json.loads(line)["item"] for line in lines(out)] == [
        {"id": "item_0", "type": "error", "message": "mind the gap"},
        {"id": "item_1", "type": "error", "message": "old (use new)"},
    ]


def test_a_call_of_an_mcp_tool_has_arguments_result_and_error(out, make) -> None:
    reporter = JsonReporter(out)
    call: dict[str, Any] = {"id": "c", "server": "s", "tool": "t", "arguments": {"a": 1}}

    reporter.show(make.started(McpToolCall(**call, status="inProgress")))
    reporter.show(
        make.completed(McpToolCall(**call, status="completed", result={"content": [1], "structuredContent": {"x": 1}}))
    )
    reporter.show(make.completed(McpToolCall(**call, status="failed", error={"message": "no"})))

    items = [json.loads(line)["item"] for line in lines(out)]
    assert items[0] == {
        "id": "item_0", "type": "mcp_tool_call", "server": "s", "tool": "t", "arguments": {"a": 1},
        "result": None, "error": None, "status": "in_progress",
    }  # fmt: skip
    assert items[1]["result"] == {"content": [1], "structured_content": {"x": 1}}
    assert (items[2]["id"], items[2]["error"]) == ("item_1", {"message": "no"})


def test_kinds_that_are_not_in_the_format_are_omitted(out, make) -> None:
    JsonReporter(out).show(make.completed(DynamicToolCall(id="d", tool="x", status="completed")))

    assert lines(out) == []


@pytest.mark.parametrize("shown", [True, False])
def test_hooks_are_reported_with_their_flag(out, shown: bool) -> None:
    reporter = JsonReporter(out, hook_events=shown)
    run = HookRun(
        id="stop:0:/h", event_name="stop", source_path="/h", display_order=0, status="blocked", started_at=1,
        duration_ms=5, entries=(HookEntry("feedback", "again"),),
    )  # fmt: skip

    reporter.show(HookStarted(thread_id="t", turn_id="u", run=run))
    reporter.show(HookCompleted(thread_id="t", turn_id="u", run=run))

    events = [json.loads(line) for line in lines(out)]
    assert [event["type"] for event in events] == (["hook.started", "hook.completed"] if shown else [])
    if shown:
        assert events[1]["hook"]["entries"] == [{"kind": "feedback", "text": "again"}]


def test_text_is_not_escaped_and_one_event_is_one_line(out, make) -> None:
    JsonReporter(out).show(make.completed(AgentMessage(id="m", text="ü\u2028\n€")))

    assert out.text.count("\n") == 1
    assert json.loads(out.text)["item"]["text"] == "ü\u2028\n€"
    assert "ü" in out.text


@pytest.mark.parametrize("shown", [True, False])
@pytest.mark.parametrize(
    ("event", "status", "entries", "texts"),
    [
        ("userPromptSubmit", "blocked", [("feedback", "no")], ["UserPromptSubmit hook refused the prompt: no"]),
        ("sessionStart", "stopped", [("stop", "closed")], ["SessionStart hook ended the turn: closed"]),
        ("sessionStart", "stopped", [], ["SessionStart hook ended the turn"]),
        ("stop", "completed", [("warning", "hm"), ("context", "c")], ["Stop hook: hm"]),
        ("stop", "failed", [("error", "`x`: exit 1\nwhy")], ["Stop hook failed: `x`: exit 1\nwhy"]),
        ("preToolUse", "blocked", [("feedback", "no")], []),
    ],
)
def test_messages_of_hooks_are_events_and_lines_on_standard_error(
    out, err, shown: bool, event: str, status, entries, texts: list[str]
) -> None:
    run = HookRun(
        id="x", event_name=event, source_path="/h", display_order=0, status=status, started_at=1,
        entries=tuple(HookEntry(*entry) for entry in entries),
    )  # fmt: skip

    JsonReporter(out, err, hook_events=shown).show(HookCompleted(thread_id="t", turn_id="u", run=run))

    items = [event["item"] for event in map(json.loads, lines(out)) if event["type"] == "item.completed"]
    assert [(item["type"], item["message"]) for item in items] == [("error", text) for text in texts if not shown]
    assert err.text == "".join(f"{text}\n" for text in texts)
