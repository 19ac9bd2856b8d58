"""What the answers of handlers do, event by event."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from interop.clients import Codex
from interop.hook_runs import SHELL, Play, group, script, special

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
NONSENSE = ['{"continue": tru', "[1, 2", '{"nope": 1}', '{"hookSpecificOutput": {"additionalContext": "x"}}']


def test_no_output_is_nothing(play: Play) -> None:
    names = ("SessionStart", "UserPromptSubmit", "PreToolUse", "PostToolUse", "Stop")
    seen = play(SHELL, **{name: script() for name in names})

    assert [seen.statuses(name) for name in names] == [["completed"]] * 5
    assert seen.final == "final words"
    assert seen.ran


@pytest.mark.parametrize("event", ["SessionStart", "UserPromptSubmit"])
@pytest.mark.parametrize("code", [1, 7])
def test_another_exit_status_fails_and_changes_nothing(play: Play, event: str, code: int) -> None:
    seen = play(**{event: script("ctx", err="why", code=code)})

    assert seen.statuses(event) == ["failed"]
    assert "ctx" not in seen.developer()
    assert seen.final == "final words"


@pytest.mark.parametrize("event", ["SessionStart", "UserPromptSubmit"])
def test_plain_text_is_context_without_the_space_around_it(play: Play, event: str) -> None:
    seen = play(**{event: script("\n  two\nlines \n")})

    assert "two\nlines" in seen.developer()


@pytest.mark.parametrize("event", ["SessionStart", "UserPromptSubmit"])
def test_json_adds_context(play: Play, event: str) -> None:
    seen = play(**{event: script(special(event, additionalContext="ctx"))})

    assert "ctx" in seen.developer()


@pytest.mark.parametrize("event", ["SessionStart", "UserPromptSubmit", "Stop"])
@pytest.mark.parametrize("text", NONSENSE)
def test_text_that_begins_like_json_but_does_not_fit_fails_and_is_no_context(play: Play, event: str, text: str) -> None:
    seen = play(**{event: script(text)})

    assert seen.statuses(event) == ["failed"]
    assert text not in seen.developer()
    assert len(seen.turns) == 1


def test_the_event_name_in_the_answer_may_be_another_known_one(play: Play) -> None:
    seen = play(
        UserPromptSubmit=[
            script(special("Stop", additionalContext="a")),
            script(special("Nothing", additionalContext="b")),
        ]
    )

    assert seen.statuses("UserPromptSubmit")[1] == "failed"
    assert "b" not in seen.developer()


def test_common_keys_have_no_effect_on_the_context(play: Play) -> None:
    answer = {
        "continue": True,
        "suppressOutput": True,
        "systemMessage": "hello",
        **special("UserPromptSubmit", additionalContext="ctx"),
    }
    seen = play(UserPromptSubmit=script(answer))

    assert seen.statuses("UserPromptSubmit") == ["completed"]
    assert seen.developer()[-1] == "ctx"


def test_session_context_stands_before_the_prompt_and_prompt_context_after_it(play: Play) -> None:
    seen = play(
        SessionStart=[script("s1"), script("s2")], UserPromptSubmit=[script("u1"), script("u2")], prompt="THE-PROMPT"
    )

    prompt = seen.place("THE-PROMPT")
    texts = [[part["text"] for part in item["content"]] for item in seen.input()[prompt - 2 :]]
    roles = [item["role"] for item in seen.input()[prompt - 2 :]]
    assert texts == [["s1"], ["s2"], ["THE-PROMPT"], ["u1"], ["u2"]]
    assert roles == ["developer", "developer", "user", "developer", "developer"]


def test_session_start_can_end_the_turn_before_any_request(play: Play) -> None:
    seen = play(SessionStart=script({"continue": False, "stopReason": "closed today"}))

    assert seen.turns == []
    assert seen.statuses("SessionStart") == ["stopped"]
    assert seen.outcome.status == 0


def test_exit_2_fails_a_session_start(play: Play) -> None:
    seen = play(SessionStart=script(err="no", code=2))

    assert seen.statuses("SessionStart") == ["failed"]
    assert seen.final == "final words"


@pytest.mark.parametrize(
    "answer",
    [
        script({"decision": "block", "reason": "not now"}),
        script(err="not now", code=2),
        script({"continue": False, "stopReason": "not now"}),
    ],
    ids=["block", "exit 2", "continue false"],
)
def test_a_blocked_prompt_makes_no_request_and_the_turn_completes(play: Play, answer: dict[str, Any]) -> None:
    seen = play(UserPromptSubmit=answer)

    assert seen.turns == []
    assert seen.outcome.status == 0
    assert seen.statuses("UserPromptSubmit")[0] in {"blocked", "stopped"}


def test_a_blocked_prompt_is_not_in_the_history_but_contexts_are(play: Play) -> None:
    answer = {"decision": "block", "reason": "no", **special("UserPromptSubmit", additionalContext="kept")}
    do = '[ -e "$CODEX_HOME/once" ] && exit 0; touch "$CODEX_HOME/once"'
    first = play(UserPromptSubmit=script(answer, do=do), prompt="SECRET")
    [path] = first.stage.home.glob("sessions/*/*/*/*.jsonl")

    second = play(None, "resume", path.stem[-36:], prompt="second")

    assert all("SECRET" not in text for text in second.user())
    assert "kept" in second.developer()
    assert second.user()[-1] == "second"


@pytest.mark.parametrize(
    ("event", "answer"),
    [
        ("UserPromptSubmit", script(code=2)),
        ("Stop", script(code=2)),
        ("Stop", script({"decision": "block"})),
        ("Stop", script({"decision": "block", "reason": "  "})),
    ],
    ids=["prompt, exit 2", "exit 2", "no reason", "blank reason"],
)
def test_a_block_without_a_reason_fails_and_does_not_block(play: Play, event: str, answer: dict[str, Any]) -> None:
    seen = play(**{event: answer})

    assert seen.statuses(event) == ["failed"]
    assert len(seen.turns) == 1


@pytest.mark.parametrize(
    "answer",
    [
        script(special("PreToolUse", permissionDecision="deny", permissionDecisionReason="keep out")),
        script({"decision": "block", "reason": "keep out"}),
        script(err="keep out", code=2),
    ],
    ids=["deny", "block", "exit 2"],
)
def test_a_denied_command_does_not_run_and_the_model_is_told(play: Play, answer: dict[str, Any]) -> None:
    seen = play(SHELL, PreToolUse=answer, PostToolUse=script())

    assert not seen.ran
    assert seen.output() == ("Command blocked by PreToolUse hook: keep out. Command: echo ran >> ran.txt; echo out")
    assert seen.payloads("PostToolUse") == []
    assert seen.statuses("PreToolUse") == ["blocked"]
    assert seen.final == "final words"


@pytest.mark.parametrize(
    "answer",
    [
        script(special("PreToolUse", permissionDecision="allow")),
        script({"decision": "approve"}),
        script({"decision": "approve", "reason": "r"}),
        script({"stopReason": "r"}),
        script({"suppressOutput": True}),
        script(code=1),
        script("{"),
        script({"unknown": 1}),
    ],
    ids=[
        "bare allow", "approve", "approve with reason", "stop reason", "suppress", "exit 1", "broken", "unknown key",
    ],
)  # fmt: skip
def test_an_answer_that_is_not_supported_before_a_tool_fails_and_the_tool_runs(
    play: Play, answer: dict[str, Any]
) -> None:
    seen = play(SHELL, PreToolUse=answer)

    assert seen.statuses("PreToolUse") == ["failed"]
    assert seen.ran


DENY = special("PreToolUse", permissionDecision="deny", permissionDecisionReason="keep out")


@pytest.mark.parametrize("codex", ["ours"], indirect=True)
@pytest.mark.parametrize(
    "answer",
    [
        script(special("PreToolUse", permissionDecision="ask", permissionDecisionReason="keep out")),
        script({**DENY, "suppressOutput": True}),
        script({**DENY, "note": "x"}),
        script({**DENY, "continue": False}),
        script(f"\ufeff{json.dumps(DENY)}"),
        script(f"checking\n{json.dumps(DENY)}\ndone"),
        script(DENY, code=1),
        script({"continue": False, "stopReason": "keep out"}),
        script("keep out", code=2),
        script('{"decision":"block","reason":"keep out.\n\tReally."}'),
        script(special("PreToolUse", permissionDecision="denied", permissionDecisionReason="keep out")),
        script(str(DENY)),
    ],
    ids=[
        "ask", "suppress", "unknown key", "continue", "byte order mark", "log lines", "exit 1", "stop", "exit 2",
        "unescaped", "denied", "python",
    ],
)  # fmt: skip
def test_ours_keeps_a_tool_from_running_where_the_real_one_lets_a_slip_of_the_script_pass(
    codex: Codex, play: Play, answer: dict[str, Any]
) -> None:
    seen = play(SHELL, PreToolUse=answer)

    assert not seen.ran
    assert seen.output().startswith("Command blocked by PreToolUse hook: keep out.")


@pytest.mark.parametrize("codex", ["ours"], indirect=True)
@pytest.mark.parametrize(
    "handler",
    [
        script(do="sleep 9", timeout=1),
        script(do="kill -9 $$"),
        {"type": "command", "command": "/nowhere/at-all"},
        script(do="head -c 9000000 /dev/zero"),
    ],
    ids=["time limit", "killed", "not there", "cut"],
)
def test_ours_does_not_run_a_tool_whose_gate_could_not_answer(
    codex: Codex, play: Play, handler: dict[str, Any]
) -> None:
    seen = play(SHELL, PreToolUse=handler)

    assert not seen.ran
    assert seen.statuses("PreToolUse") == ["failed"]
    assert "Command blocked by PreToolUse hook: PreToolUse hook failed: " in seen.output()


@pytest.mark.parametrize("codex", ["ours"], indirect=True)
@pytest.mark.parametrize("handler", [script(code=1), script(do="kill -9 $$")], ids=["fails", "killed"])
def test_ours_asks_a_gate_that_keeps_failing_as_long_as_the_turn_goes_on(
    codex: Codex, play: Play, handler: dict[str, Any]
) -> None:
    seen = play([*([{"sh": f"echo {number}"}] for number in range(5)), [{"say": "x"}]], PreToolUse=handler)

    assert seen.statuses("PreToolUse") == ["failed"] * 5
    again = play(SHELL)
    assert again.statuses("PreToolUse") == ["failed"]


def test_plain_text_before_and_after_a_tool_is_ignored(play: Play) -> None:
    seen = play(SHELL, PreToolUse=script("before"), PostToolUse=script("after"))

    assert (seen.statuses("PreToolUse"), seen.statuses("PostToolUse")) == (["completed"], ["completed"])
    assert not {"before", "after"} & set(seen.developer())
    assert seen.ran


def rewrite(command: object) -> dict[str, Any]:
    return script(special("PreToolUse", permissionDecision="allow", updatedInput={"command": command}))


def test_allow_with_an_updated_input_rewrites_the_command(play: Play) -> None:
    seen = play(SHELL, PreToolUse=rewrite("echo rewritten"), PostToolUse=script())

    assert not seen.ran
    assert seen.output().rstrip().endswith("rewritten")
    [after] = seen.payloads("PostToolUse")
    assert after["tool_input"] == {"command": "echo rewritten"}


def test_an_updated_input_without_a_command_is_told_to_the_model(play: Play) -> None:
    seen = play(SHELL, PreToolUse=rewrite(7))

    assert not seen.ran
    assert "command" in seen.output()


def test_the_rewrite_that_finishes_last_wins(play: Play) -> None:
    slow = rewrite("echo slow")
    slow["command"] = f"sleep 0.7; {slow['command']}"
    seen = play(SHELL, PreToolUse=[slow, rewrite("echo quick")])

    assert seen.output().rstrip().endswith("slow")


def test_a_deny_beats_a_rewrite(play: Play) -> None:
    seen = play(SHELL, PreToolUse=[rewrite("echo rewritten"), script(err="no", code=2)])

    assert seen.output().startswith("Command blocked by PreToolUse hook: no.")


@pytest.mark.parametrize("event", ["PreToolUse", "PostToolUse"])
def test_context_of_a_tool_stands_before_its_output(play: Play, event: str) -> None:
    seen = play(SHELL, **{event: script(special(event, additionalContext="CTX"))})

    assert seen.ran
    assert "CTX" in seen.developer()
    assert seen.place("call_0_0") < seen.place("CTX") < seen.place("function_call_output")


@pytest.mark.parametrize(
    "answer",
    [script({"decision": "block", "reason": "look again"}), script(err="look again", code=2)],
    ids=["block", "exit 2"],
)
def test_feedback_after_a_tool_takes_the_place_of_its_output(play: Play, answer: dict[str, Any]) -> None:
    seen = play(SHELL, PostToolUse=answer)

    assert seen.ran
    assert seen.output() == "look again"
    assert seen.statuses("PostToolUse") == ["blocked"]
    assert seen.final == "final words"


def test_several_feedbacks_are_joined_by_a_blank_line(play: Play) -> None:
    seen = play(SHELL, PostToolUse=[script({"decision": "block", "reason": "one"}), script(err="two", code=2)])

    assert seen.output() == "one\n\ntwo"


@pytest.mark.parametrize(
    ("answer", "told"),
    [({"continue": False, "stopReason": "enough"}, "enough"), ({"continue": False, "reason": "because"}, "because")],
    ids=["stop reason", "reason"],
)
def test_continue_false_after_a_tool_replaces_the_output_and_the_turn_goes_on(
    play: Play, answer: dict[str, Any], told: str
) -> None:
    seen = play(SHELL, PostToolUse=script(answer))

    assert seen.output() == told
    assert seen.final == "final words"


@pytest.mark.parametrize(
    "answer",
    [
        script({"decision": "block"}),
        script(code=2),
        script(code=3),
        script("{"),
        script(special("PostToolUse", updatedMCPToolOutput={"a": 1})),
        script({"suppressOutput": True}),
    ],
    ids=["no reason", "exit 2", "exit 3", "broken", "MCP output", "suppress"],
)
def test_an_answer_after_a_tool_that_does_not_fit_fails_and_leaves_the_output(
    play: Play, answer: dict[str, Any]
) -> None:
    seen = play(SHELL, PostToolUse=answer)

    assert seen.statuses("PostToolUse") == ["failed"]
    assert seen.output().rstrip().endswith("out")


BLOCK = {"decision": "block", "reason": "cook"}
ONCE = '[ -e "$CODEX_HOME/once" ] && exit 0; touch "$CODEX_HOME/once"'


def once(answer: object, name: str = "once", **keys: Any) -> dict[str, Any]:
    return script(answer, do=ONCE.replace("once", name), **keys)


def test_blocking_stops_send_one_user_message_with_a_part_for_each(play: Play) -> None:
    seen = play(
        [[{"say": "first"}], [{"say": "second"}]],
        Stop=[script(), once({**BLOCK, "systemMessage": "on"}, "a"), once("", "b", err=" eat \n", code=2)],
    )

    source = seen.stage.home / "hooks.json"
    assert len(seen.turns) == 2
    assert seen.input()[-1] == {
        "type": "message",
        "role": "user",
        "content": [
            {"type": "input_text", "text": f'<hook_prompt hook_run_id="stop:1:{source}">cook</hook_prompt>'},
            {"type": "input_text", "text": f'<hook_prompt hook_run_id="stop:2:{source}">eat</hook_prompt>'},
        ],
    } | {key: seen.input()[-1][key] for key in ("id",) if key in seen.input()[-1]}
    assert seen.input()[-2]["content"][0]["text"] == "first"
    assert seen.final == "second"
    assert seen.statuses("Stop") == ["completed", "blocked", "blocked", *["completed"] * 3]


def test_the_next_stop_knows_that_it_was_sent_back_and_the_turn_is_the_same(play: Play) -> None:
    seen = play([[{"say": "first"}], [{"say": "second"}]], Stop=once(BLOCK))

    first, second = seen.payloads("Stop")
    assert (first["stop_hook_active"], second["stop_hook_active"]) == (False, True)
    assert (first["last_assistant_message"], second["last_assistant_message"]) == ("first", "second")
    assert first["turn_id"] == second["turn_id"]


def test_the_continuation_is_in_the_rollout_as_a_user_item(play: Play) -> None:
    seen = play(Stop=once(BLOCK))

    items = [line["payload"] for line in seen.rollout() if line["type"] == "response_item"]
    [prompt] = [item for item in items if "<hook_prompt" in json.dumps(item)]
    assert prompt["role"] == "user"


def test_markup_in_a_reason_is_escaped(play: Play) -> None:
    seen = play(Stop=once({"decision": "block", "reason": "a < b && c > \"d\" 'e'"}))

    assert "a &lt; b &amp;&amp; c &gt; \"d\" 'e'</hook_prompt>" in seen.user()[-1]


def test_continue_false_beats_every_block(play: Play) -> None:
    seen = play(Stop=[script(BLOCK), script({"continue": False, "stopReason": "enough"}), script(BLOCK)])

    assert len(seen.turns) == 1
    assert seen.statuses("Stop")[1] == "stopped"
    assert seen.outcome.status == 0


@pytest.mark.parametrize(
    "answer",
    [script("just text"), script(code=1), script("{"), script({"decision": "approve", "reason": "x"})],
    ids=["text", "exit 1", "broken", "approve"],
)
def test_a_stop_answer_that_does_not_fit_fails_and_the_turn_ends(play: Play, answer: dict[str, Any]) -> None:
    seen = play(Stop=answer)

    assert seen.statuses("Stop") == ["failed"]
    assert len(seen.turns) == 1
    assert seen.final == "final words"


def test_a_hook_can_send_the_agent_back_more_than_once(play: Play) -> None:
    do = 'echo x >> "$CODEX_HOME/n"; [ $(wc -l < "$CODEX_HOME/n") -gt 3 ] && exit 0'
    seen = play(Stop=script(BLOCK, do=do))

    assert len(seen.turns) == 4
    assert [payload["stop_hook_active"] for payload in seen.payloads("Stop")] == [False, True, True, True]


def saved(told: str) -> Path:
    return Path(told.rstrip().splitlines()[-1].removeprefix("Full hook output saved to: "))


@pytest.mark.parametrize("event", ["SessionStart", "UserPromptSubmit"])
def test_a_long_context_is_cut_and_kept_in_a_file_that_the_text_names(play: Play, event: str) -> None:
    text = "".join(f"line {number} of many\n" for number in range(2000))
    seen = play(**{event: {"type": "command", "command": "for i in $(seq 0 1999); do echo line $i of many; done"}})

    [told] = [one for one in seen.developer() if "line 0 of many" in one]
    assert "line 1999 of many" in told
    assert "tokens truncated\u2026" in told
    assert len(told) < 11_000
    assert saved(told).read_text().strip() == text.strip()
    assert saved(told).parent.parent.name == "hook_outputs"
    assert saved(told).parent.name == seen.rollout()[0]["payload"]["id"]


def test_a_long_continuation_is_cut_as_well(play: Play) -> None:
    seen = play(Stop=once("", err="w" * 20_000, code=2))

    [told] = [one for one in seen.user() if "<hook_prompt" in one]
    assert len(told) < 11_000
    assert saved(told.removesuffix("</hook_prompt>")).read_text() == "w" * 20_000


def test_a_context_within_the_limit_is_whole(play: Play) -> None:
    seen = play(UserPromptSubmit=script("w" * 9_900))

    assert seen.developer()[-1] == "w" * 9_900


def test_a_handler_can_limit_its_context(play: Play) -> None:
    seen = play(UserPromptSubmit=script("a" * 4000, additionalContextLimit=100))

    assert len(seen.developer()[-1]) < 1000
    assert saved(seen.developer()[-1]).read_text() == "a" * 4000


def test_a_patch_that_is_refused_is_told_with_the_patch(play: Play) -> None:
    patch = "*** Begin Patch\n*** Add File: a.txt\n+a\n*** End Patch"
    answer = special("PreToolUse", permissionDecision="deny", permissionDecisionReason="not here")
    seen = play([[{"patch": patch}], [{"say": "x"}]], PreToolUse=group("apply_patch", script(answer)))

    assert seen.output() == f"Command blocked by PreToolUse hook: not here. Command: {patch}"


def test_a_hook_sees_an_image_as_the_parts_that_the_model_gets(play: Play) -> None:
    made = f"printf %s {PNG} | base64 -d > i.png"
    view = {"call": "view_image", "args": {"path": "i.png"}}
    seen = play([[{"sh": made}], [view], [{"say": "x"}]], PostToolUse=group("view_image", script()))

    [[part]] = (payload["tool_response"] for payload in seen.payloads("PostToolUse"))
    assert part["type"] == "input_image"
    assert part["image_url"].endswith(f";base64,{PNG}")
