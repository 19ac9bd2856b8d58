from __future__ import annotations

import json
from typing import Any

import pytest

from codex_hookspecs.errors import ConfigError
from codex_responses.script.steps import CUT, DELAY, DONE, HTTP_ERROR, Script, last_session, parse_script, round_events


def script(*rounds: list[dict[str, Any]]) -> Script:
    return parse_script(json.dumps(list(rounds)))


def items(*steps: dict[str, Any], session: str | None = None) -> list[dict[str, Any]]:
    events = round_events(script(list(steps)).round(0), 3, session=session)
    return [event["item"] for event in events if event["type"] == "response.output_item.done"]


def test_an_object_with_rounds_and_the_bare_list_are_the_same_script() -> None:
    rounds = [[{"say": "one"}], [{"say": "two"}]]

    assert parse_script(json.dumps({"rounds": rounds, "description": "two words"})) == parse_script(json.dumps(rounds))


def test_each_request_plays_the_next_round_and_then_done() -> None:
    played = script([{"say": "one"}], [{"say": "two"}])

    assert [played.round(index)[0].value for index in range(4)] == ["one", "two", "done", "done"]


def test_a_round_that_always_fails_is_never_left() -> None:
    played = script([{"say": "one"}], [{"fail": {"status": 500, "always": True}}], [{"say": "never"}])

    assert played.round(1) == played.round(2) == played.round(40)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"turns": []}', "unknown key 'turns'; allowed: 'rounds'"),
        ("7", "found a number"),
        ("[[], 7]", "round 2: a round is a list of steps, found a number"),
        ('[["hi"]]', "round 1, step 1: a step is an object, found text"),
        (
            '[[{"say": "a"}, {"speak": "b"}]]',
            "round 1, step 2: found none of them in 'speak'; a step has exactly one of say",
        ),
        ('[[{"say": "a", "sh": "b"}]]', "found 'say' and 'sh'"),
        ('[[{"say": 7}]]', "'say' must be text, found 7"),
        ('[[{"say": "a", "args": {}}]]', "'args' cannot stand beside 'say'; allowed: 'phase'"),
        ('[[{"call": "t", "args": 7}]]', "'args' must be an object or text, found a number"),
        ('[[{"sh": {"command": "ls"}}]]', "an object with 'cmd'"),
        ('[[{"plan": [["a"]]}]]', "a list of [step, status]"),
        ('[[{"delay": -1}]]', "a number of seconds"),
        ('[[{"usage": {"tokens": 1}}]]', "input, cached, output, reasoning"),
        ('[[{"fail": 200}]]', "a status from 400 to 599"),
        ('[[{"fail": {"cut": "sometimes"}}]]', "cut"),
        (
            '[[{"say": "a"}, {"fail": 500}]]',
            "round 1: an HTTP failure is the whole answer, found it together with 'say'",
        ),
    ],
)
def test_what_is_not_a_script_is_refused_with_the_place_and_what_is_allowed(text: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_script(text)

    assert complaint in str(caught.value)


def test_a_message_comes_in_several_deltas_that_add_up() -> None:
    text = "the wards of the tower are all lit, and the gate is shut"

    events = round_events(script([{"say": text, "phase": "final_answer"}]).round(0), 0)

    deltas = [event["delta"] for event in events if event["type"] == "response.output_text.delta"]
    done = next(event["item"] for event in events if event["type"] == "response.output_item.done")
    assert len(deltas) > 1
    assert "".join(deltas) == done["content"][0]["text"] == text
    assert done["phase"] == "final_answer"


def test_a_response_is_framed_by_created_and_completed_with_all_items_and_the_usage() -> None:
    steps = script([{"reason": "**Look**"}, {"say": "hi"}, {"usage": {"input": 7, "output": 3}}]).round(0)

    first, *_, last = round_events(steps, 4, model="m")

    assert first["type"] == "response.created"
    assert last["type"] == "response.completed"
    assert last["response"]["id"] == first["response"]["id"] == "resp_4"
    assert [item["id"] for item in last["response"]["output"]] == ["rs_4_0", "msg_4_1"]
    assert last["response"]["usage"] == {
        "input_tokens": 7,
        "input_tokens_details": {"cached_tokens": 20},
        "output_tokens": 3,
        "output_tokens_details": {"reasoning_tokens": 2},
        "total_tokens": 10,
    }


def test_the_same_round_gives_the_same_events_every_time() -> None:
    steps = script([{"reason": "r"}, {"sh": "ls"}, {"web": "q"}]).round(0)

    assert round_events(steps, 1) == round_events(steps, 1)


@pytest.mark.parametrize(
    ("step", "name", "arguments"),
    [
        ({"sh": "ls"}, "exec_command", {"cmd": "ls"}),
        ({"sh": {"cmd": "ls", "tty": True}}, "exec_command", {"cmd": "ls", "tty": True}),
        ({"stdin": {"session_id": 1, "chars": "x"}}, "write_stdin", {"session_id": 1, "chars": "x"}),
        ({"plan": [["a", "pending"]]}, "update_plan", {"plan": [{"step": "a", "status": "pending"}]}),
        (
            {"plan": [["a", "pending"]], "explanation": "why"},
            "update_plan",
            {"explanation": "why", "plan": [{"step": "a", "status": "pending"}]},
        ),
        ({"view": "/a.png"}, "view_image", {"path": "/a.png"}),
        ({"call": "roll", "args": {"sides": 6}}, "roll", {"sides": 6}),
        ({"call": "roll"}, "roll", {}),
    ],
)
def test_a_tool_step_is_a_function_call(step: dict[str, Any], name: str, arguments: object) -> None:
    [item] = items(step)

    assert (item["type"], item["name"], item["call_id"]) == ("function_call", name, "call_3_0")
    assert json.loads(item["arguments"]) == arguments


def test_raw_arguments_a_namespace_and_a_call_id_are_sent_as_they_are() -> None:
    [item] = items({"call": "spawn", "args": "{not json", "namespace": "agents", "call_id": "c9"})

    assert (item["arguments"], item["namespace"], item["call_id"]) == ("{not json", "agents", "c9")


def test_a_patch_and_a_custom_call_carry_their_text_as_input() -> None:
    patch, custom = items({"patch": "*** Begin Patch"}, {"call": "js", "args": "1+1", "custom": True})

    assert (patch["type"], patch["name"], patch["input"]) == ("custom_tool_call", "apply_patch", "*** Begin Patch")
    assert (custom["type"], custom["name"], custom["input"]) == ("custom_tool_call", "js", "1+1")


def test_session_stands_for_the_process_that_the_last_output_named() -> None:
    seen = [
        {"type": "function_call_output", "call_id": "a", "output": "Process running with session ID 41\n"},
        {"type": "function_call_output", "call_id": "b", "output": [{"text": "Process running with session ID 42"}]},
        {"type": "function_call_output", "call_id": "c", "output": "Process exited with code 0"},
    ]

    [item] = items({"stdin": {"session_id": "$SESSION", "chars": "y"}}, session=last_session(seen))

    assert json.loads(item["arguments"])["session_id"] == 42
    assert last_session([]) is None


def test_a_delay_is_a_direction_between_the_events() -> None:
    events = round_events(script([{"say": "a"}, {"sleep": 1.5}, {"say": "b"}]).round(0), 0)

    assert [event for event in events if event["type"] == DELAY] == [{"type": DELAY, "seconds": 1.5}]


@pytest.mark.parametrize("step", [{"fail": {"cut": "before_completed"}}, {"cut": True}])
def test_a_cut_ends_the_round_before_completed(step: dict[str, Any]) -> None:
    events = round_events(script([{"say": "part"}, step, {"say": "never"}]).round(0), 0)

    assert events[-1] == {"type": CUT, "how": "before_completed"}
    assert events[-2]["type"] == "response.output_item.done"


@pytest.mark.parametrize("step", [{"fail": 429}, {"http": 429}, {"fail": {"status": 429}}])
def test_an_http_failure_is_the_only_event(step: dict[str, Any]) -> None:
    [event] = round_events(script([step]).round(0), 0)

    assert (event["type"], event["status"], event["headers"]) == (HTTP_ERROR, 429, {})
    assert "429" in event["body"]["error"]["message"]


def test_an_http_failure_tells_when_to_come_back() -> None:
    [event] = round_events(
        script([{"fail": {"status": 429, "retry_after": 2, "message": "slow", "code": "c"}}]).round(0), 0
    )

    assert event["headers"] == {"retry-after": "2"}
    assert event["body"] == {"error": {"code": "c", "message": "slow"}}


@pytest.mark.parametrize(
    "step", [{"fail": {"code": "slow_down", "message": "full"}}, {"failed": ["slow_down", "full"]}]
)
def test_a_code_without_a_status_is_a_failed_response(step: dict[str, Any]) -> None:
    last = round_events(script([step]).round(0), 0)[-1]

    assert last["type"] == "response.failed"
    assert last["response"]["error"] == {"code": "slow_down", "message": "full"}


def test_an_incomplete_response_says_its_reason() -> None:
    last = round_events(script([{"say": "a"}, {"fail": {"incomplete": "max_output_tokens"}}]).round(0), 0)[-1]

    assert last["type"] == "response.incomplete"
    assert last["response"]["incomplete_details"] == {"reason": "max_output_tokens"}


def test_the_last_round_says_done() -> None:
    assert round_events(DONE, 0)[-1]["response"]["output"][0]["content"][0]["text"] == "done"
