from __future__ import annotations

import json
from typing import Any

import pytest

from codex_hooks_command.events import Event
from codex_hooks_command.handlers import Handler, HookFile
from codex_hooks_command.parsing import parse_json, parse_table


def read(document: Any) -> HookFile:
    return parse_json(document if isinstance(document, str) else json.dumps(document), "F")


def declare(event: str = "Stop", matcher: Any = None, **keys: Any) -> dict[str, Any]:
    group: dict[str, Any] = {"hooks": [{"type": "command", "command": "true", **keys}]}
    return {"hooks": {event: [group if matcher is None else {**group, "matcher": matcher}]}}


def only(file: HookFile) -> Handler:
    assert len(file.handlers) == 1
    return file.handlers[0]


def test_a_handler_has_all_its_keys() -> None:
    keys = {"timeout": 7, "statusMessage": "hm", "async": True, "additionalContextLimit": 9}

    handler = only(read(declare("PreToolUse", "Bash", **keys)))

    assert (handler.event, handler.matcher, handler.command) == (Event.PRE_TOOL_USE, "Bash", "true")
    assert (handler.timeout, handler.status_message) == (7, "hm")
    assert (handler.detached, handler.context_limit) == (True, 9)


@pytest.mark.parametrize(("given", "used"), [({}, 600), ({"timeout": 0}, 1), ({"timeout": None}, 600)])
def test_the_timeout_has_a_default_and_a_floor(given: dict[str, Any], used: int) -> None:
    assert only(read(declare(**given))).timeout == used


@pytest.mark.parametrize("event", ["SessionEnd", "Interrupt"])
def test_events_that_something_waits_for_get_little_time(event: str) -> None:
    usual, long = read(declare(event)), read(declare(event, timeout=9))

    assert (only(usual).timeout, only(long).timeout) == (1, 3)
    assert usual.warnings == ()
    assert long.warnings == (f"clamping {event} hook timeout of 9s to 3s in F (hooks.{event}[0].hooks[0])",)


def test_a_session_end_handler_is_never_detached() -> None:
    file = read(declare("SessionEnd", **{"async": True}))

    assert only(file).detached is False
    assert file.warnings == ("running async SessionEnd hook synchronously in F (hooks.SessionEnd[0].hooks[0])",)


def test_a_context_limit_counts_only_where_context_does() -> None:
    file = read(declare("Stop", additionalContextLimit=5))

    assert only(file).context_limit is None
    assert "additionalContextLimit" in file.warnings[0]


def test_events_are_numbered_in_their_own_order_and_not_in_that_of_the_file() -> None:
    group = [{"hooks": [{"type": "command", "command": "true"}]}]
    names = ["Interrupt", "Stop", "SessionStart", "PreToolUse", "PreModelRequest", "UserPromptSubmit", "SessionEnd"]

    file = read({"hooks": dict.fromkeys(names, group)})

    assert [handler.event.facts.name for handler in file.handlers] == [
        "PreModelRequest",
        "PreToolUse",
        "SessionStart",
        "SessionEnd",
        "UserPromptSubmit",
        "Stop",
        "Interrupt",
    ]


def test_positions_are_counted_before_anything_is_skipped() -> None:
    group = {"hooks": [{"type": "prompt"}, {"type": "agent", "x": 1}, {"type": "command", "command": "true"}]}

    file = read({"hooks": {"Stop": [{"hooks": []}, group]}})

    assert (only(file).group, only(file).index) == (1, 2)
    assert file.warnings == (
        "skipping prompt hook in F: prompt hooks are not supported yet",
        "skipping agent hook in F: agent hooks are not supported yet",
    )


def test_a_blank_command_is_skipped_with_a_warning() -> None:
    file = read(declare(command="  "))

    assert file.handlers == ()
    assert file.warnings == ("skipping empty hook command in F (hooks.Stop[0].hooks[0])",)


def test_a_bad_matcher_drops_its_group_alone() -> None:
    handlers = [{"type": "command", "command": "true"}]

    file = read({"hooks": {"PreToolUse": [{"matcher": "[", "hooks": handlers}, {"hooks": handlers}]}})

    assert only(file).group == 1
    assert file.warnings[0].startswith('invalid matcher "[" in F: ')


@pytest.mark.parametrize("event", ["Stop", "UserPromptSubmit"])
def test_events_that_ignore_matchers_do_not_check_them(event: str) -> None:
    file = read(declare(event, "["))

    assert (only(file).matcher, file.warnings) == (None, ())


def test_unknown_events_and_inner_keys_are_ignored_and_noted() -> None:
    document = declare(retries=3)
    document["hooks"]["Stpo"] = 3
    document["hooks"]["Stop"][0]["color"] = "red"

    file = read(document)

    assert (len(file.handlers), file.warnings) == (1, ())
    assert file.notes == (
        'unknown event "Stpo" in F is ignored',
        'unknown key "color" in F (hooks.Stop[0]) is ignored',
        'unknown key "retries" in F (hooks.Stop[0].hooks[0]) is ignored',
    )


def test_an_mcp_tool_handler_names_server_and_tool() -> None:
    handler = {"type": "mcp_tool", "server": "s", "tool": "t", "input": {"a": 1}}

    file = read({"hooks": {"Stop": [{"hooks": [handler]}]}})

    assert only(file).arguments == {"server": "s", "tool": "t", "input": {"a": 1}}


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ("", "Expecting value"),
        ("{", "line 1 column 2"),
        ("[]", "expected an object, found a list"),
        ('{"hooks": NaN}', "NaN is not JSON"),
        ('{"hooks":{"Stop":[],"Stop":[]}}', 'key "Stop" is given twice'),
        ({"hooks": {}, "hook": {}}, 'unknown key "hook"'),
        ({"description": 3}, "description: expected a string"),
        ({"hooks": None}, "hooks: expected an object, found null"),
        ({"hooks": {"Stop": None}}, "hooks.Stop: expected a list of groups, found null"),
        ({"hooks": {"Stop": ["x"]}}, "hooks.Stop[0]: expected an object, found a string"),
        ({"hooks": {"Stop": [{"hooks": {}}]}}, "hooks.Stop[0].hooks: expected a list of handlers, found an object"),
        ({"hooks": {"Stop": [{"hooks": [3]}]}}, "hooks.Stop[0].hooks[0]: expected an object, found a number"),
        (declare(matcher=3), "hooks.Stop[0].matcher: expected a string, found a number"),
        ({"hooks": {"Stop": [{"hooks": [{"command": "x"}]}]}}, 'hooks.Stop[0].hooks[0]: missing key "type"'),
        (declare(type="weird"), 'hooks.Stop[0].hooks[0].type: unknown type "weird"'),
        (declare(command=None), "hooks.Stop[0].hooks[0].command: expected a string, found null"),
        ({"hooks": {"Stop": [{"hooks": [{"type": "command"}]}]}}, 'missing key "command"'),
        (declare(timeout="1"), 'timeout: expected a whole number that is not negative, found "1"'),
        (declare(timeout=1.5), "found 1.5"),
        (declare(timeout=-1), "found -1"),
        (declare(timeout=True), "found true"),
        (declare(statusMessage=3), "statusMessage: expected a string, found a number"),
        (declare(additionalContextLimit=-1), "additionalContextLimit: expected a whole number"),
        (declare(**{"async": None}), "async: expected true or false, found null"),
        (declare(commandWindows="a", command_windows="b"), 'give either "commandWindows" or "command_windows"'),
        (declare(type="mcp_tool", server="s"), 'missing key "tool"'),
        (declare(type="mcp_tool", server="s", tool="t", input=[1]), "input: expected an object, found a list"),
    ],
)
def test_a_fault_rejects_the_whole_file_and_names_the_key(document: Any, found: str) -> None:
    file = read(document)

    assert file.handlers == ()
    assert len(file.warnings) == 1
    assert file.warnings[0].startswith("failed to parse hooks config F: ")
    assert found in file.warnings[0]


def test_a_deeply_nested_file_is_refused_without_a_traceback() -> None:
    assert read("[" * 100_000).handlers == ()


def test_a_toml_table_is_read_like_a_file_and_its_settings_are_left_alone() -> None:
    table = {**declare("PreToolUse", "^Bash$")["hooks"], "state": {"k": {"enabled": True}}, "max_stop_blocks": 3}

    file = parse_table(table, "C")

    assert (only(file).matcher, file.warnings, file.notes) == ("^Bash$", (), ())
    assert parse_table({"Stop": 3}, "C").warnings == (
        "failed to parse TOML hooks in C: hooks.Stop: expected a list of groups, found a number",
    )
