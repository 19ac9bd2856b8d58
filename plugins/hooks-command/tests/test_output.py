from __future__ import annotations

import json
from typing import Any

import pytest

from codex_hooks_command.events import Event
from codex_hooks_command.output import interpret
from codex_hooks_command.results import NOTHING, HookOutput, ProcessResult

START, PROMPT, STOP = Event.SESSION_START, Event.USER_PROMPT_SUBMIT, Event.STOP
PRE, POST, ASK = Event.PRE_TOOL_USE, Event.POST_TOOL_USE, Event.PERMISSION_REQUEST


def ended(event: Event, code: int | None = 0, stdout: Any = "", stderr: str = "", tool: str = "Bash") -> HookOutput:
    text = stdout if isinstance(stdout, str) else json.dumps(stdout)
    return interpret(event, ProcessResult(exit_code=code, stdout=text, stderr=stderr), tool_name=tool)


def specific(event: Event, **keys: Any) -> dict[str, Any]:
    return {"hookSpecificOutput": {"hookEventName": event.spec.name, **keys}}


def error(output: HookOutput) -> str:
    assert output.status == "failed"
    assert (output.context, output.reason, output.stops, output.allows) == (None, None, False, False)
    return output.entries[-1][1]


@pytest.mark.parametrize("event", list(Event))
def test_no_output_has_no_effect(event: Event) -> None:
    assert ended(event, 0, " \n") == HookOutput()


@pytest.mark.parametrize("event", list(Event))
def test_any_other_exit_status_fails(event: Event) -> None:
    assert error(ended(event, 3)) == "hook exited with code 3"


@pytest.mark.parametrize(
    "event", [Event.PRE_COMPACT, Event.POST_COMPACT, Event.PRE_MODEL_REQUEST, Event.POST_MODEL_REQUEST]
)
def test_observers_fail_with_what_they_wrote_to_stderr(event: Event) -> None:
    assert error(ended(event, 2, stderr=" no\n")) == "no"
    assert error(ended(event, 137)) == "hook process terminated without an exit code (SIGKILL ended it)"


def test_a_signal_leaves_no_status() -> None:
    assert error(ended(STOP, None)) == "hook exited without a status code"
    assert error(ended(STOP, 139)) == "hook exited without a status code (SIGSEGV ended it)"
    assert error(ended(STOP, 255)) == "hook exited with code 255"


def test_the_error_of_an_unfinished_handler_is_shown() -> None:
    assert (
        error(interpret(STOP, ProcessResult(error="hook timed out after 5s", exit_code=0))) == "hook timed out after 5s"
    )


@pytest.mark.parametrize(
    ("event", "wanted"),
    [
        (PROMPT, "a blocking reason"),
        (PRE, "a blocking reason"),
        (ASK, "a denial reason"),
        (POST, "feedback"),
        (STOP, "a continuation prompt"),
        (Event.SUBAGENT_STOP, "a continuation prompt"),
    ],
)
def test_status_2_refuses_with_stderr(event: Event, wanted: str) -> None:
    refused = ended(event, 2, "ignored", " because \n")

    assert (refused.status, refused.reason, refused.entries) == ("blocked", "because", (("feedback", "because"),))
    missing = f"{event.spec.name} hook exited with code 2 but did not write {wanted} to stderr"
    assert missing in ended(event, 2).entries[0][1]
    assert event in (PRE, ASK) or error(ended(event, 2)) == missing


@pytest.mark.parametrize("event", [START, Event.SUBAGENT_START, Event.SESSION_END, Event.INTERRUPT])
def test_status_2_is_a_failure_for_events_that_can_not_be_refused(event: Event) -> None:
    assert error(ended(event, 2, stderr="why")) == "hook exited with code 2"


@pytest.mark.parametrize("event", [START, PROMPT, Event.SUBAGENT_START])
def test_plain_text_is_context(event: Event) -> None:
    assert ended(event, 0, " hello\n") == HookOutput(entries=(("context", "hello"),), context="hello")


@pytest.mark.parametrize("event", [PRE, POST, ASK, Event.PRE_COMPACT, Event.POST_COMPACT, Event.PRE_MODEL_REQUEST])
def test_plain_text_is_ignored(event: Event) -> None:
    assert ended(event, 0, "hello") == HookOutput()


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (STOP, "hook returned invalid stop hook JSON output"),
        (Event.SUBAGENT_STOP, "hook returned invalid subagent stop hook JSON output"),
        (Event.INTERRUPT, "Interrupt hook returned non-JSON stdout"),
    ],
)
def test_plain_text_fails(event: Event, text: str) -> None:
    assert error(ended(event, 0, "hello")) == text


@pytest.mark.parametrize(
    ("event", "phrase"),
    [
        (START, "session start"),
        (Event.SUBAGENT_START, "subagent start"),
        (PROMPT, "user prompt submit"),
        (PRE, "pre-tool-use"),
        (ASK, "permission-request"),
        (POST, "post-tool-use"),
        (STOP, "stop hook"),
        (Event.SUBAGENT_STOP, "subagent stop hook"),
        (Event.PRE_COMPACT, "PreCompact hook"),
        (Event.POST_COMPACT, "PostCompact hook"),
        (Event.INTERRUPT, "interrupt hook"),
    ],
)
def test_invalid_json_fails_and_names_the_key(event: Event, phrase: str) -> None:
    beginning = f"hook returned invalid {phrase} JSON output: "

    assert error(ended(event, 0, {"systemMessage": "x", "foo": 1})) == f'{beginning}unknown key "foo"'
    assert error(ended(event, 0, "{bad")).startswith(f"{beginning}not valid JSON")
    assert error(ended(event, 0, "[1]")) == f"{beginning}must be an object"
    assert error(ended(event, 0, {"systemMessage": 1})) == f"{beginning}systemMessage must be a string"


@pytest.mark.parametrize("event", [Event.PRE_MODEL_REQUEST, Event.POST_MODEL_REQUEST, Event.SESSION_END])
def test_the_output_of_observers_is_ignored(event: Event) -> None:
    assert ended(event, 0, {"continue": False, "foo": 1}) == HookOutput()
    assert ended(event, 0, "{bad") == HookOutput()


@pytest.mark.parametrize(
    ("event", "document", "location"),
    [
        (STOP, {"continue": None}, "continue must be true or false"),
        (STOP, {"suppressOutput": 1}, "suppressOutput must be true or false"),
        (STOP, {"decision": "approve"}, 'decision must be "block", found "approve"'),
        (STOP, specific(STOP), 'unknown key "hookSpecificOutput"'),
        (START, {"hookSpecificOutput": {"additionalContext": "x"}}, 'hookSpecificOutput missing key "hookEventName"'),
        (START, {"hookSpecificOutput": []}, "hookSpecificOutput must be an object"),
        (START, specific(START, foo=1), 'hookSpecificOutput unknown key "foo"'),
        (START, specific(START, additionalContext=1), "hookSpecificOutput.additionalContext must be a string"),
        (
            START,
            {"hookSpecificOutput": {"hookEventName": "Nope"}},
            'hookSpecificOutput.hookEventName must be the name of an event, found "Nope"',
        ),
        (
            PRE,
            specific(PRE, permissionDecision="maybe"),
            'hookSpecificOutput.permissionDecision must be "allow" or "deny" or "ask", found "maybe"',
        ),
        (ASK, specific(ASK, decision={}), 'hookSpecificOutput.decision missing key "behavior"'),
        (
            ASK,
            specific(ASK, decision={"behavior": "perhaps"}),
            'hookSpecificOutput.decision.behavior must be "allow" or "deny", found "perhaps"',
        ),
        (Event.INTERRUPT, {"continue": True}, 'unknown key "continue"'),
    ],
)
def test_the_location_of_an_error_is_named(event: Event, document: Any, location: str) -> None:
    assert error(ended(event, 0, document)).endswith(f"JSON output: {location}")


def test_the_event_named_in_the_output_may_differ_from_the_running_one() -> None:
    assert ended(START, 0, specific(STOP, additionalContext="x")).context == "x"


def test_a_system_message_is_the_first_warning() -> None:
    output = ended(STOP, 0, {"systemMessage": "careful", "decision": "block", "reason": " go on "})

    assert output.entries == (("warning", "careful"), ("feedback", "go on"))
    assert (output.status, output.reason) == ("blocked", "go on")


@pytest.mark.parametrize("event", [START, Event.SUBAGENT_START, PROMPT, PRE, POST])
def test_json_adds_context(event: Event) -> None:
    output = ended(event, 0, specific(event, additionalContext=" as it is "))

    assert (output.status, output.context) == ("completed", " as it is ")
    assert output.entries == (("context", " as it is "),)


@pytest.mark.parametrize("event", [START, PROMPT, STOP, Event.SUBAGENT_STOP])
def test_continue_false_ends_the_turn(event: Event) -> None:
    named, bare = ended(event, 0, {"continue": False, "stopReason": "enough"}), ended(event, 0, {"continue": False})

    assert (named.status, named.stops, named.stop_reason) == ("stopped", True, "enough")
    assert named.entries == (("stop", "enough"),)
    assert (bare.status, bare.stops, bare.stop_reason, bare.entries) == ("stopped", True, None, ())


@pytest.mark.parametrize("event", [Event.PRE_COMPACT, Event.POST_COMPACT])
def test_compaction_can_be_stopped(event: Event) -> None:
    output = ended(event, 0, {"continue": False})

    assert (output.stops, output.entries) == (True, (("stop", f"{event.spec.name} hook stopped execution"),))


def test_continue_false_takes_precedence_over_a_block_of_the_same_handler() -> None:
    output = ended(STOP, 0, {"continue": False, "decision": "block", "reason": "more"})

    assert (output.status, output.stops, output.reason) == ("stopped", True, None)


@pytest.mark.parametrize("event", [STOP, Event.SUBAGENT_STOP, POST])
@pytest.mark.parametrize("reason", [{}, {"reason": None}, {"reason": "  "}])
def test_a_block_needs_a_reason(event: Event, reason: dict[str, Any]) -> None:
    text = f"{event.spec.name} hook returned decision:block without a non-empty reason"

    assert error(ended(event, 0, {"decision": "block", **reason})) == text


def test_a_blocked_prompt_keeps_its_context() -> None:
    document = {"decision": "block", "reason": "no", **specific(PROMPT, additionalContext="c")}

    output = ended(PROMPT, 0, document)

    assert (output.status, output.reason, output.context) == ("blocked", "no", "c")
    assert output.entries == (("context", "c"), ("feedback", "no"))


def test_a_subagent_start_can_not_be_stopped() -> None:
    assert ended(Event.SUBAGENT_START, 0, {"continue": False, "stopReason": "x"}) == HookOutput()


@pytest.mark.parametrize(
    "document",
    [
        specific(PRE, permissionDecision="deny", permissionDecisionReason=" no "),
        {"decision": "block", "reason": " no "},
    ],
)
def test_a_tool_is_denied_in_the_new_and_the_old_format(document: Any) -> None:
    output = ended(PRE, 0, document)

    assert (output.status, output.reason, output.entries) == ("blocked", "no", (("feedback", "no"),))


def test_a_denial_keeps_its_context() -> None:
    document = specific(PRE, permissionDecision="deny", permissionDecisionReason="no", additionalContext="c")

    assert ended(PRE, 0, document).entries == (("context", "c"), ("feedback", "no"))


def test_allow_with_an_input_rewrites() -> None:
    output = ended(PRE, 0, specific(PRE, permissionDecision="allow", updatedInput={"command": "true"}))

    assert (output.status, output.updated_input) == ("completed", {"command": "true"})
    assert ended(PRE, 0, specific(PRE)).updated_input is NOTHING


@pytest.mark.parametrize(
    ("document", "text"),
    [
        (specific(PRE, permissionDecision="allow"), "unsupported permissionDecision:allow"),
        (specific(PRE, permissionDecisionReason="x"), "permissionDecisionReason without permissionDecision"),
        (specific(PRE, updatedInput={}), "updatedInput without permissionDecision:allow"),
        ({"decision": "approve"}, "unsupported decision:approve"),
        ({"reason": "x"}, "reason without decision"),
        ({"stopReason": "x"}, "unsupported stopReason"),
        ({"suppressOutput": True}, "unsupported suppressOutput"),
    ],
)
def test_unsupported_answers_of_a_tool_hook_fail_and_let_the_tool_run(document: Any, text: str) -> None:
    output = ended(PRE, 0, {**document, "systemMessage": "m"})

    assert error(output) == f"PreToolUse hook returned {text}"
    assert output.entries[0] == ("warning", "m")
    assert output.updated_input is NOTHING


DENY = specific(PRE, permissionDecision="deny", permissionDecisionReason=" no ")
BLOCK = {"decision": "block", "reason": " no "}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({**DENY, "version": 2}),
        json.dumps({**DENY, "suppressOutput": True}),
        json.dumps({**BLOCK, "suppressOutput": True, "stopReason": None}),
        json.dumps({**DENY, "continue": False, "stopReason": "x"}),
        json.dumps(specific(PRE, permissionDecision="deny", permissionDecisionReason="no", updatedInput={})),
        json.dumps({**specific(PRE, permissionDecision="allow", updatedInput={}), **BLOCK}),
        json.dumps({"permissionDecision": "deny", "permissionDecisionReason": "no"}),
        json.dumps({"hookSpecificOutput": {"permissionDecision": "deny", "permissionDecisionReason": "no"}}),
        json.dumps({"decision": "deny", "reason": "no"}),
        f"checking…\n{json.dumps(DENY)}",
        f"INFO guard: {json.dumps(DENY)} done",
        f"{json.dumps(BLOCK, indent=2)}\nbye",
        f'{{"systemMessage": "hm"}}\n{json.dumps(DENY)}\n{{}}',
        f"[{json.dumps(BLOCK)}]",
        f"\ufeff{json.dumps(BLOCK)}",
        f"{{not json\n{json.dumps(BLOCK)}",
        json.dumps({**BLOCK, "note": "#"}).replace("#", "first\n\tsecond\0"),
        '{"decision":"block","decision":"approve","reason":"no"}',
        '{"hookSpecificOutput":{"permissionDecision":"deny"},"reason":"no","hookSpecificOutput":{}}',
    ],
)
@pytest.mark.parametrize("code", [0, 1, 137])
def test_a_recognisable_denial_counts_whatever_surrounds_it(text: str, code: int) -> None:
    output = ended(PRE, code, text)

    assert (output.status, output.reason, output.unanswered) == ("blocked", "no", False)
    assert output.entries[0][0] == "warning"
    assert output.entries[-1] == ("feedback", "no")


@pytest.mark.parametrize(
    ("event", "document"),
    [
        (PRE, specific(PRE, permissionDecision="deny")),
        (PRE, {"decision": "block", "reason": " "}),
        (PRE, {"continue": False}),
        (PROMPT, {"decision": "block"}),
        (ASK, {"continue": False}),
    ],
)
def test_a_denial_needs_no_reason_for_gates_and_prompts(event: Event, document: Any) -> None:
    output = ended(event, 0, document)

    assert (output.status, output.reason) == ("blocked", f"a {event.spec.name} hook gave no reason")


@pytest.mark.parametrize("event", [PROMPT, POST, STOP, Event.SUBAGENT_STOP])
@pytest.mark.parametrize(
    "text", ['{"decision":"block","reason":"no","x":1}', 'log\n{"decision":"block","reason":"no"}\nlog']
)
def test_a_block_is_recognised_where_it_begins_a_line(event: Event, text: str) -> None:
    assert ended(event, 0, text).reason == "no"
    assert ended(event, 1, text).reason is None
    assert ended(event, 0, text.replace("\n", " ").replace("{", "say {", 1)).reason is None


WORDS = ("denied", "Deny", "reject", "rejected", "BLOCK", "blocked", "refuse", "forbid", "Forbidden", " no ")


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize(
    ("event", "form"),
    [
        (PRE, {"hookSpecificOutput": {"permissionDecision": "#", "permissionDecisionReason": "because"}}),
        (PRE, {"decision": "#", "reason": "because"}),
        (ASK, specific(ASK, decision={"behavior": "#", "message": "because"})),
        (PROMPT, {"decision": "#", "reason": "because"}),
    ],
)
def test_a_synonym_of_deny_is_a_denial_with_a_warning(event: Event, form: Any, word: str) -> None:
    output = ended(event, 0, json.dumps(form).replace("#", word))

    assert (output.status, output.reason) == ("blocked", "because")
    assert output.entries[0][0] == "warning"
    assert output.entries[0][1].endswith("it is treated as the denial that it contains")


def test_the_warning_names_the_correct_word() -> None:
    text = ended(PRE, 0, specific(PRE, permissionDecision="denied")).entries[0][1]

    assert 'permissionDecision must be "allow" or "deny" or "ask", found "denied"' in text


@pytest.mark.parametrize("event", [STOP, Event.SUBAGENT_STOP, POST])
def test_a_no_for_other_events_may_mean_no_objection(event: Event) -> None:
    assert ended(event, 0, {"decision": "no", "reason": "fine"}).reason is None


PRINTED = (
    (PRE, DENY),
    (PRE, {**BLOCK, "suppressOutput": True, "note": None}),
    (PRE, {"decision": "denied", "reason": "no"}),
    (PRE, specific(PRE, permissionDecision="ask", permissionDecisionReason="no")),
    (ASK, specific(ASK, decision={"behavior": "deny", "message": "no"})),
    (PROMPT, BLOCK),
)


@pytest.mark.parametrize(
    ("event", "document", "around"),
    [
        *((event, document, around) for event, document in PRINTED for around in ("#", "log {x}\n#\nbye")),
        *((event, document, "[\n#,]") for event, document in PRINTED if event is not PROMPT),
    ],
)
def test_a_python_literal_counts_with_a_warning(event: Event, document: Any, around: str) -> None:
    output = ended(event, 0, around.replace("#", str(document)))

    assert "no" in (output.reason, output.asks)
    assert "a Python value instead of JSON" in output.entries[0][1]


@pytest.mark.parametrize("form", ["allow", "maybe"])
def test_python_literals_count_for_refusals_only(form: str) -> None:
    output = ended(PRE, 0, str(specific(PRE, permissionDecision=form, updatedInput={"command": "x"})))

    assert "not valid JSON" in error(output)
    assert output.updated_input is NOTHING


@pytest.mark.parametrize(
    "rest",
    ["[" * 60_000, "-" * 60_000 + "1}", "{" * 150 + "}" * 151, "{[]: 1}}", "__import__('os')}", "1" * 9999 + "}"],
)
def test_an_invalid_python_literal_is_ignored(rest: str) -> None:
    output = ended(PRE, 0, "{'decision': 'deny', 'x': " + rest)

    assert output.reason is None


def test_a_gate_whose_python_output_is_too_complex_has_not_answered() -> None:
    assert ended(PRE, 0, str({"decision": "x", "x": "y" * 1_000_000})).unanswered


def test_unescaped_line_breaks_in_a_reason_are_accepted() -> None:
    assert ended(PRE, 0, '{"decision":"block","reason":"one\n\ttwo"}').reason == "one\n\ttwo"


@pytest.mark.parametrize("event", [PRE, ASK])
@pytest.mark.parametrize(
    ("printed", "reason"),
    [
        ("", "a {} hook gave no reason"),
        ("keep out\n", "keep out"),
        ('{"hookSpecificOutput":{"permissionDecision":"allow"}}', "a {} hook gave no reason"),
        ('{"permissionDecision":"ask","reason":"sure?"}', "sure?"),
    ],
)
def test_status_2_of_a_gate_refuses_even_without_stderr(event: Event, printed: str, reason: str) -> None:
    output = ended(event, 2, printed)

    assert (output.status, output.reason) == ("blocked", reason.format(event.spec.name))
    assert output.entries[0][0] == "warning"


@pytest.mark.parametrize("given", ["text", 5, ["x"], True])
def test_a_gate_whose_updated_input_is_not_an_object_has_not_answered(given: Any) -> None:
    output = ended(PRE, 0, specific(PRE, permissionDecision="allow", updatedInput=given))

    assert (output.status, output.unanswered) == ("failed", True)
    assert error(output) == "PreToolUse hook returned updatedInput that is no object"


def test_a_signal_without_a_name_is_reported_by_number() -> None:
    assert ended(PRE, 128 + 37).unanswered
    assert error(ended(PRE, 128 + 37)) == "hook exited without a status code (signal 37 ended it)"
    assert error(ended(PRE, 255)) == "hook exited with code 255"


def test_a_denial_printed_before_the_timeout_counts() -> None:
    output = interpret(PRE, ProcessResult(error="hook timed out after 5s", stdout=json.dumps(DENY)))

    assert (output.status, output.reason) == ("blocked", "no")


@pytest.mark.parametrize("extra", [{}, {"suppressOutput": True}, {"colour": "red"}])
def test_a_request_to_ask_is_recognised_too(extra: dict[str, Any]) -> None:
    output = ended(PRE, 0, {**specific(PRE, permissionDecision="ask", permissionDecisionReason=" sure? "), **extra})

    assert (output.asks, output.reason) == ("sure?", None)


@pytest.mark.parametrize("text", ["{" * 1_200_000, '{"a":[' * 1_200_000])
def test_a_gate_whose_output_is_too_complex_has_not_answered(text: str) -> None:
    assert ended(PRE, 0, text).unanswered


def test_an_answer_of_several_megabytes_is_accepted() -> None:
    assert ended(STOP, 0, {"decision": "block", "reason": "x" * 5_000_000}).reason == "x" * 5_000_000


@pytest.mark.parametrize("event", list(Event))
def test_truncated_output_is_reported_and_refuses_for_gates_and_prompts(event: Event) -> None:
    output = interpret(event, ProcessResult(exit_code=0, stdout='{"decision": "block", "reason": "xxx', truncated=True))

    text = "hook output exceeds the limit and was truncated"
    assert output.entries[-1][1] == text
    assert output.unanswered is (event in {PRE, ASK})
    assert output.reason == (text if event is PROMPT else None)


def test_a_permission_is_granted_or_denied() -> None:
    allowed = ended(ASK, 0, specific(ASK, decision={"behavior": "allow"}))
    denied = ended(ASK, 0, specific(ASK, decision={"behavior": "deny", "message": " no "}))
    curt = ended(ASK, 0, specific(ASK, decision={"behavior": "deny"}))

    assert (allowed.status, allowed.allows) == ("completed", True)
    assert (denied.status, denied.reason, denied.allows) == ("blocked", "no", False)
    assert curt.reason == "PermissionRequest hook denied approval"
    assert ended(ASK, 0, {}).allows is False


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ({"stopReason": "x"}, "unsupported stopReason"),
        ({"suppressOutput": True}, "unsupported suppressOutput"),
        (specific(ASK, decision={"behavior": "allow", "updatedInput": {}}), "unsupported updatedInput"),
        (specific(ASK, decision={"behavior": "allow", "updatedPermissions": []}), "unsupported updatedPermissions"),
        (specific(ASK, decision={"behavior": "allow", "interrupt": True}), "unsupported interrupt:true"),
    ],
)
def test_unsupported_answers_of_a_permission_hook_fail(document: Any, text: str) -> None:
    assert error(ended(ASK, 0, document)) == f"PermissionRequest hook returned {text}"


def test_feedback_replaces_the_output() -> None:
    output = ended(POST, 0, {"decision": "block", "reason": "look", **specific(POST, additionalContext="c")})

    assert (output.status, output.reason, output.context) == ("blocked", "look", "c")
    assert output.entries == (("context", "c"), ("feedback", "look"))


@pytest.mark.parametrize(
    ("document", "shown", "text"),
    [
        ({"continue": False}, "PostToolUse hook stopped execution", "PostToolUse hook stopped execution"),
        ({"continue": False, "stopReason": "s"}, "s", "s"),
        ({"continue": False, "stopReason": "s", "reason": "r"}, "s", "r"),
    ],
)
def test_continue_false_after_a_tool_replaces_the_output_and_the_turn_continues(
    document: Any, shown: str, text: str
) -> None:
    output = ended(POST, 0, document)

    assert (output.status, output.reason, output.stops) == ("stopped", text, False)
    assert output.entries == (("stop", shown),)


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ({"suppressOutput": True}, "unsupported suppressOutput"),
        ({"reason": "x"}, "reason without decision"),
        (specific(POST, updatedMCPToolOutput={"a": 1}), "unsupported updatedMCPToolOutput"),
    ],
)
def test_unsupported_answers_of_a_post_tool_hook_fail(document: Any, text: str) -> None:
    assert error(ended(POST, 0, document)) == f"PostToolUse hook returned {text}"


def test_the_output_of_an_mcp_tool_can_be_replaced() -> None:
    output = ended(POST, 0, specific(POST, updatedMCPToolOutput={"a": 1}), tool="mcp__s__t")

    assert (output.status, output.updated_output) == ("completed", {"a": 1})


def test_an_interrupt_hook_can_only_show_a_message() -> None:
    assert ended(Event.INTERRUPT, 0, {"systemMessage": "bye"}).entries == (("warning", "bye"),)
