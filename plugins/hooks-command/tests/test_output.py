from __future__ import annotations

import json
from typing import Any

import pytest

from codex_hooks_command.events import Event
from codex_hooks_command.outcomes import NOTHING, Finished, Outcome
from codex_hooks_command.output import judge

START, PROMPT, STOP = Event.SESSION_START, Event.USER_PROMPT_SUBMIT, Event.STOP
PRE, POST, ASK = Event.PRE_TOOL_USE, Event.POST_TOOL_USE, Event.PERMISSION_REQUEST


def ended(event: Event, code: int | None = 0, stdout: Any = "", stderr: str = "", tool: str = "Bash") -> Outcome:
    text = stdout if isinstance(stdout, str) else json.dumps(stdout)
    return judge(event, Finished(exit_code=code, stdout=text, stderr=stderr), tool_name=tool)


def specific(event: Event, **keys: Any) -> dict[str, Any]:
    return {"hookSpecificOutput": {"hookEventName": event.facts.name, **keys}}


def error(outcome: Outcome) -> str:
    assert outcome.status == "failed"
    assert (outcome.context, outcome.reason, outcome.stops, outcome.allows) == (None, None, False, False)
    return outcome.entries[-1][1]


@pytest.mark.parametrize("event", list(Event))
def test_silence_means_nothing(event: Event) -> None:
    assert ended(event, 0, " \n") == Outcome()


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


def test_what_kept_a_handler_from_ending_is_shown() -> None:
    assert error(judge(STOP, Finished(error="hook timed out after 5s", exit_code=0))) == "hook timed out after 5s"


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
    missing = f"{event.facts.name} hook exited with code 2 but did not write {wanted} to stderr"
    assert missing in ended(event, 2).entries[0][1]
    assert event in (PRE, ASK) or error(ended(event, 2)) == missing


@pytest.mark.parametrize("event", [START, Event.SUBAGENT_START, Event.SESSION_END, Event.INTERRUPT])
def test_status_2_is_a_failure_where_nothing_can_be_refused(event: Event) -> None:
    assert error(ended(event, 2, stderr="why")) == "hook exited with code 2"


@pytest.mark.parametrize("event", [START, PROMPT, Event.SUBAGENT_START])
def test_plain_text_is_context(event: Event) -> None:
    assert ended(event, 0, " hello\n") == Outcome(entries=(("context", "hello"),), context="hello")


@pytest.mark.parametrize("event", [PRE, POST, ASK, Event.PRE_COMPACT, Event.POST_COMPACT, Event.PRE_MODEL_REQUEST])
def test_plain_text_is_ignored(event: Event) -> None:
    assert ended(event, 0, "hello") == Outcome()


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
def test_json_that_does_not_fit_fails_and_names_the_key(event: Event, phrase: str) -> None:
    beginning = f"hook returned invalid {phrase} JSON output: "

    assert error(ended(event, 0, {"systemMessage": "x", "foo": 1})) == f'{beginning}unknown key "foo"'
    assert error(ended(event, 0, "{bad")).startswith(f"{beginning}not valid JSON")
    assert error(ended(event, 0, "[1]")) == f"{beginning}must be an object"
    assert error(ended(event, 0, {"systemMessage": 1})) == f"{beginning}systemMessage must be a string"


@pytest.mark.parametrize("event", [Event.PRE_MODEL_REQUEST, Event.POST_MODEL_REQUEST, Event.SESSION_END])
def test_what_mere_observers_print_counts_for_nothing(event: Event) -> None:
    assert ended(event, 0, {"continue": False, "foo": 1}) == Outcome()
    assert ended(event, 0, "{bad") == Outcome()


@pytest.mark.parametrize(
    ("event", "document", "place"),
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
def test_the_place_of_a_fault_is_told(event: Event, document: Any, place: str) -> None:
    assert error(ended(event, 0, document)).endswith(f"JSON output: {place}")


def test_the_event_named_in_the_output_need_not_be_the_running_one() -> None:
    assert ended(START, 0, specific(STOP, additionalContext="x")).context == "x"


def test_a_system_message_is_a_warning_in_front() -> None:
    outcome = ended(STOP, 0, {"systemMessage": "careful", "decision": "block", "reason": " go on "})

    assert outcome.entries == (("warning", "careful"), ("feedback", "go on"))
    assert (outcome.status, outcome.reason) == ("blocked", "go on")


@pytest.mark.parametrize("event", [START, Event.SUBAGENT_START, PROMPT, PRE, POST])
def test_json_adds_context(event: Event) -> None:
    outcome = ended(event, 0, specific(event, additionalContext=" as it is "))

    assert (outcome.status, outcome.context) == ("completed", " as it is ")
    assert outcome.entries == (("context", " as it is "),)


@pytest.mark.parametrize("event", [START, PROMPT, STOP, Event.SUBAGENT_STOP])
def test_continue_false_ends_the_turn(event: Event) -> None:
    named, bare = ended(event, 0, {"continue": False, "stopReason": "enough"}), ended(event, 0, {"continue": False})

    assert (named.status, named.stops, named.stop_reason) == ("stopped", True, "enough")
    assert named.entries == (("stop", "enough"),)
    assert (bare.status, bare.stops, bare.stop_reason, bare.entries) == ("stopped", True, None, ())


@pytest.mark.parametrize("event", [Event.PRE_COMPACT, Event.POST_COMPACT])
def test_compaction_can_be_stopped(event: Event) -> None:
    outcome = ended(event, 0, {"continue": False})

    assert (outcome.stops, outcome.entries) == (True, (("stop", f"{event.facts.name} hook stopped execution"),))


def test_continue_false_beats_a_block_of_the_same_handler() -> None:
    outcome = ended(STOP, 0, {"continue": False, "decision": "block", "reason": "more"})

    assert (outcome.status, outcome.stops, outcome.reason) == ("stopped", True, None)


@pytest.mark.parametrize("event", [STOP, Event.SUBAGENT_STOP, POST])
@pytest.mark.parametrize("reason", [{}, {"reason": None}, {"reason": "  "}])
def test_a_block_needs_a_reason(event: Event, reason: dict[str, Any]) -> None:
    text = f"{event.facts.name} hook returned decision:block without a non-empty reason"

    assert error(ended(event, 0, {"decision": "block", **reason})) == text


def test_a_blocked_prompt_keeps_its_context() -> None:
    document = {"decision": "block", "reason": "no", **specific(PROMPT, additionalContext="c")}

    outcome = ended(PROMPT, 0, document)

    assert (outcome.status, outcome.reason, outcome.context) == ("blocked", "no", "c")
    assert outcome.entries == (("context", "c"), ("feedback", "no"))


def test_a_subagent_start_can_not_be_stopped() -> None:
    assert ended(Event.SUBAGENT_START, 0, {"continue": False, "stopReason": "x"}) == Outcome()


@pytest.mark.parametrize(
    "document",
    [
        specific(PRE, permissionDecision="deny", permissionDecisionReason=" no "),
        {"decision": "block", "reason": " no "},
    ],
)
def test_a_tool_is_denied_in_the_new_and_the_old_form(document: Any) -> None:
    outcome = ended(PRE, 0, document)

    assert (outcome.status, outcome.reason, outcome.entries) == ("blocked", "no", (("feedback", "no"),))


def test_a_denial_keeps_its_context() -> None:
    document = specific(PRE, permissionDecision="deny", permissionDecisionReason="no", additionalContext="c")

    assert ended(PRE, 0, document).entries == (("context", "c"), ("feedback", "no"))


def test_allow_with_an_input_rewrites() -> None:
    outcome = ended(PRE, 0, specific(PRE, permissionDecision="allow", updatedInput={"command": "true"}))

    assert (outcome.status, outcome.updated_input) == ("completed", {"command": "true"})
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
def test_what_a_tool_hook_can_not_do_fails_and_lets_the_tool_run(document: Any, text: str) -> None:
    outcome = ended(PRE, 0, {**document, "systemMessage": "m"})

    assert error(outcome) == f"PreToolUse hook returned {text}"
    assert outcome.entries[0] == ("warning", "m")
    assert outcome.updated_input is NOTHING


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
def test_a_recognisable_denial_is_one_whatever_stands_beside_it(text: str, code: int) -> None:
    outcome = ended(PRE, code, text)

    assert (outcome.status, outcome.reason, outcome.unanswered) == ("blocked", "no", False)
    assert outcome.entries[0][0] == "warning"
    assert outcome.entries[-1] == ("feedback", "no")


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
def test_a_denial_needs_no_reason_where_something_is_let_through_otherwise(event: Event, document: Any) -> None:
    outcome = ended(event, 0, document)

    assert (outcome.status, outcome.reason) == ("blocked", f"a {event.facts.name} hook gave no reason")


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
def test_a_word_like_deny_is_a_denial_and_the_right_one_is_told(event: Event, form: Any, word: str) -> None:
    outcome = ended(event, 0, json.dumps(form).replace("#", word))

    assert (outcome.status, outcome.reason) == ("blocked", "because")
    assert outcome.entries[0][0] == "warning"
    assert outcome.entries[0][1].endswith("it is taken as the denial that it holds")


def test_the_word_that_is_right_is_told() -> None:
    told = ended(PRE, 0, specific(PRE, permissionDecision="denied")).entries[0][1]

    assert 'permissionDecision must be "allow" or "deny" or "ask", found "denied"' in told


@pytest.mark.parametrize("event", [STOP, Event.SUBAGENT_STOP, POST])
def test_a_no_of_other_events_may_mean_that_there_is_nothing_to_object_to(event: Event) -> None:
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
def test_an_answer_that_python_printed_counts_and_json_is_asked_for(event: Event, document: Any, around: str) -> None:
    outcome = ended(event, 0, around.replace("#", str(document)))

    assert "no" in (outcome.reason, outcome.asks)
    assert "a Python value where JSON is expected" in outcome.entries[0][1]


@pytest.mark.parametrize("form", ["allow", "maybe"])
def test_python_is_read_for_refusals_only(form: str) -> None:
    outcome = ended(PRE, 0, str(specific(PRE, permissionDecision=form, updatedInput={"command": "x"})))

    assert "not valid JSON" in error(outcome)
    assert outcome.updated_input is NOTHING


@pytest.mark.parametrize(
    "rest",
    ["[" * 60_000, "-" * 60_000 + "1}", "{" * 150 + "}" * 151, "{[]: 1}}", "__import__('os')}", "1" * 9999 + "}"],
)
def test_python_that_can_not_be_read_is_no_answer(rest: str) -> None:
    outcome = ended(PRE, 0, "{'decision': 'deny', 'x': " + rest)

    assert outcome.reason is None


def test_python_that_takes_too_long_to_read_is_no_answer_of_a_gate() -> None:
    assert ended(PRE, 0, str({"decision": "x", "x": "y" * 1_000_000})).unanswered


def test_text_of_several_lines_that_was_not_escaped_is_the_reason_as_it_is() -> None:
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
def test_status_2_of_a_gate_refuses_also_when_nothing_is_written_to_stderr(
    event: Event, printed: str, reason: str
) -> None:
    outcome = ended(event, 2, printed)

    assert (outcome.status, outcome.reason) == ("blocked", reason.format(event.facts.name))
    assert outcome.entries[0][0] == "warning"


@pytest.mark.parametrize("given", ["text", 5, ["x"], True])
def test_an_input_that_is_no_object_is_no_answer(given: Any) -> None:
    outcome = ended(PRE, 0, specific(PRE, permissionDecision="allow", updatedInput=given))

    assert (outcome.status, outcome.unanswered) == ("failed", True)
    assert error(outcome) == "PreToolUse hook returned updatedInput that is no object"


def test_a_signal_without_a_name_ends_a_script_like_any_other() -> None:
    assert ended(PRE, 128 + 37).unanswered
    assert error(ended(PRE, 128 + 37)) == "hook exited without a status code (signal 37 ended it)"
    assert error(ended(PRE, 255)) == "hook exited with code 255"


def test_a_denial_in_what_was_printed_before_the_time_ran_out_counts() -> None:
    outcome = judge(PRE, Finished(error="hook timed out after 5s", stdout=json.dumps(DENY)))

    assert (outcome.status, outcome.reason) == ("blocked", "no")


@pytest.mark.parametrize("extra", [{}, {"suppressOutput": True}, {"colour": "red"}])
def test_a_wish_to_ask_is_recognised_too(extra: dict[str, Any]) -> None:
    outcome = ended(PRE, 0, {**specific(PRE, permissionDecision="ask", permissionDecisionReason=" sure? "), **extra})

    assert (outcome.asks, outcome.reason) == ("sure?", None)


@pytest.mark.parametrize("text", ["{" * 1_200_000, '{"a":[' * 1_200_000])
def test_output_that_can_not_be_looked_through_is_no_answer_of_a_gate(text: str) -> None:
    assert ended(PRE, 0, text).unanswered


def test_an_answer_of_several_megabytes_is_taken() -> None:
    assert ended(STOP, 0, {"decision": "block", "reason": "x" * 5_000_000}).reason == "x" * 5_000_000


@pytest.mark.parametrize("event", list(Event))
def test_a_cut_answer_is_told_and_refuses_where_something_is_let_through_otherwise(event: Event) -> None:
    outcome = judge(event, Finished(exit_code=0, stdout='{"decision": "block", "reason": "xxx', cut=True))

    told = "hook wrote more to standard output than is read, its answer was cut"
    assert outcome.entries[-1][1] == told
    assert outcome.unanswered is (event in {PRE, ASK})
    assert outcome.reason == (told if event is PROMPT else None)


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
def test_what_a_permission_hook_can_not_do_fails(document: Any, text: str) -> None:
    assert error(ended(ASK, 0, document)) == f"PermissionRequest hook returned {text}"


def test_feedback_replaces_the_output() -> None:
    outcome = ended(POST, 0, {"decision": "block", "reason": "look", **specific(POST, additionalContext="c")})

    assert (outcome.status, outcome.reason, outcome.context) == ("blocked", "look", "c")
    assert outcome.entries == (("context", "c"), ("feedback", "look"))


@pytest.mark.parametrize(
    ("document", "shown", "told"),
    [
        ({"continue": False}, "PostToolUse hook stopped execution", "PostToolUse hook stopped execution"),
        ({"continue": False, "stopReason": "s"}, "s", "s"),
        ({"continue": False, "stopReason": "s", "reason": "r"}, "s", "r"),
    ],
)
def test_continue_false_after_a_tool_replaces_the_output_and_the_turn_goes_on(
    document: Any, shown: str, told: str
) -> None:
    outcome = ended(POST, 0, document)

    assert (outcome.status, outcome.reason, outcome.stops) == ("stopped", told, False)
    assert outcome.entries == (("stop", shown),)


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ({"suppressOutput": True}, "unsupported suppressOutput"),
        ({"reason": "x"}, "reason without decision"),
        (specific(POST, updatedMCPToolOutput={"a": 1}), "unsupported updatedMCPToolOutput"),
    ],
)
def test_what_a_hook_after_a_tool_can_not_do_fails(document: Any, text: str) -> None:
    assert error(ended(POST, 0, document)) == f"PostToolUse hook returned {text}"


def test_the_output_of_an_mcp_tool_can_be_replaced() -> None:
    outcome = ended(POST, 0, specific(POST, updatedMCPToolOutput={"a": 1}), tool="mcp__s__t")

    assert (outcome.status, outcome.updated_output) == ("completed", {"a": 1})


def test_an_interrupt_hook_can_only_say_something() -> None:
    assert ended(Event.INTERRUPT, 0, {"systemMessage": "bye"}).entries == (("warning", "bye"),)
