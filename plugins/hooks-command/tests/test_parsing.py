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
def test_session_end_and_interrupt_have_short_timeouts(event: str) -> None:
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

    assert [handler.event.spec.name for handler in file.handlers] == [
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


def test_an_invalid_matcher_skips_only_its_group() -> None:
    handlers = [{"type": "command", "command": "true"}]

    file = read({"hooks": {"PreToolUse": [{"matcher": "[", "hooks": handlers}, {"hooks": handlers}]}})

    assert only(file).group == 1
    assert file.warnings[0].startswith('invalid matcher "[" in F: ')


@pytest.mark.parametrize("event", ["Stop", "UserPromptSubmit"])
def test_events_that_ignore_matchers_do_not_check_them(event: str) -> None:
    file = read(declare(event, "["))

    assert (only(file).matcher, file.warnings) == (None, ())


def test_unknown_events_are_warnings_and_unknown_keys_notes() -> None:
    document = declare(retries=3)
    document["hooks"]["Notification"] = 3
    document["hooks"]["Stop"][0]["color"] = "red"

    file = read(document)

    assert (len(file.handlers), file.warnings) == (1, ('unknown event "Notification" in F is ignored',))
    assert file.notes == (
        'unknown key of hooks.Stop[0] "color" in F is ignored',
        'unknown key of hooks.Stop[0].hooks[0] "retries" in F is ignored',
    )


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"hooks": {"stop": []}}, 'unknown event "stop" in F is ignored (did you mean Stop?)'),
        ({"hooks": {"pre_tool_use": []}}, 'unknown event "pre_tool_use" in F is ignored (did you mean PreToolUse?)'),
        (
            declare(timeoutSec=3),
            'unknown key of hooks.Stop[0].hooks[0] "timeoutSec" in F is ignored (did you mean timeout?)',
        ),
        ({"hook": {}}, 'unknown key "hook" in F is ignored (did you mean hooks?)'),
        ({"Stop": []}, 'event "Stop" in F is ignored: it belongs inside "hooks"'),
        (
            {"hooks": {"Stop": [{"type": "command", "command": "true"}]}},
            'skipping a group in F: hooks.Stop[0]: expected a group, found a handler: write {"hooks": [ … ]} around it',
        ),
    ],
)
def test_a_misspelt_name_is_a_warning_with_a_suggestion(document: Any, message: str) -> None:
    assert read(document).warnings == (message,)


@pytest.mark.parametrize("key", ["$schema", "version", "owner"])
def test_other_keys_at_the_top_are_noted(key: str) -> None:
    file = read({**declare(), key: 1})

    assert (len(file.handlers), file.warnings) == (1, ())
    assert file.notes == (f'unknown key "{key}" in F is ignored',)


def test_an_mcp_tool_handler_names_server_and_tool() -> None:
    handler = {"type": "mcp_tool", "server": "s", "tool": "t", "input": {"a": 1}}

    file = read({"hooks": {"Stop": [{"hooks": [handler]}]}})

    assert only(file).arguments == {"server": "s", "tool": "t", "input": {"a": 1}}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "Expecting value"),
        ("{", "line 1 column 2"),
        ("[]", "expected an object, found a list"),
        ('{"hooks": NaN}', "NaN is not JSON"),
        ('{"hooks":{"Stop":[],"Stop":[]}}', 'key "Stop" is given twice'),
        ('{"hooks": null}', "hooks: expected an object, found null"),
    ],
)
def test_an_unreadable_file_is_a_warning(text: str, found: str) -> None:
    file = read(text)

    assert file.handlers == ()
    assert len(file.warnings) == 1
    assert file.warnings[0].startswith("failed to parse hooks config F: ")
    assert found in file.warnings[0]


@pytest.mark.parametrize(
    ("text", "unreadable_gates"),
    [
        ('{"hooks": {"PreToolUse": [', True),
        ('{"hooks": ["permission_request"]}', True),
        ('{"hooks": {"PreToolUse": {}, "Stop": []}}', True),
        ('{"hooks": {"Stop": {}, "PreToolUse": []}}', False),
        ('{"hooks": {"Stop": [', False),
    ],
)
def test_gates_that_may_be_missing_are_noted(text: str, unreadable_gates: bool) -> None:
    file = read(text)

    assert file.unreadable_gates == (file.warnings if unreadable_gates else ())


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (["x"], "a group in F: hooks.PreToolUse[0]: expected an object, found a string"),
        ([{"hooks": {}}], "a group in F: hooks.PreToolUse[0].hooks: expected a list of handlers, found an object"),
        ([{"matcher": 3}], "a group in F: hooks.PreToolUse[0].matcher: expected a string, found a number"),
    ],
)
def test_an_invalid_group_is_skipped_and_the_rest_kept(groups: list[Any], message: str) -> None:
    good = {"hooks": [{"type": "command", "command": "good"}]}

    file = read({"hooks": {"PreToolUse": [*groups, good], "Stop": [good]}})

    assert [(handler.event, handler.group) for handler in file.handlers] == [(Event.PRE_TOOL_USE, 1), (Event.STOP, 0)]
    assert file.warnings == (f"skipping {message}",)


@pytest.mark.parametrize(
    ("handler", "found"),
    [
        (3, "expected an object, found a number"),
        ({"command": "x"}, 'missing key "type"'),
        ({"type": "http", "url": "x"}, 'type: unknown type "http", allowed are command, prompt, agent, mcp_tool'),
        ({"type": ["command"], "command": "x"}, 'type: unknown type ["command"]'),
        ({"type": "command", "command": None}, "command: expected a string, found null"),
        ({"type": "command"}, 'missing key "command"'),
        ({"type": "mcp_tool", "server": "s"}, 'missing key "tool"'),
        ({"type": "mcp_tool", "server": "s", "tool": "t", "input": [1]}, "input: expected an object, found a list"),
    ],
)
def test_an_invalid_handler_is_skipped_and_the_rest_kept(handler: Any, found: str) -> None:
    good = {"type": "command", "command": "good"}

    file = read({"hooks": {"PreToolUse": [{"hooks": [handler, good]}], "Stop": [{"hooks": [good]}]}})

    assert [(handler.event, handler.index) for handler in file.handlers] == [(Event.PRE_TOOL_USE, 1), (Event.STOP, 0)]
    assert len(file.warnings) == 1
    assert file.warnings[0].startswith("skipping a hook in F: hooks.PreToolUse[0].hooks[0]")
    assert found in file.warnings[0]
    assert file.unreadable_gates == ()


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ({"timeout": "1"}, 'timeout: expected a whole number that is not negative, found "1"'),
        ({"timeout": 1.5}, "found 1.5"),
        ({"timeout": -1}, "found -1"),
        ({"timeout": True}, "found true"),
        ({"statusMessage": 3}, "statusMessage: expected a string, found a number"),
        ({"additionalContextLimit": -1}, "additionalContextLimit: expected a whole number"),
        ({"async": None}, "async: expected true or false, found null"),
        ({"commandWindows": "a", "command_windows": "b"}, '"command_windows" is given in addition to "commandWindows"'),
    ],
)
def test_an_invalid_optional_value_is_ignored(keys: dict[str, Any], found: str) -> None:
    file = read(declare("PreToolUse", **keys))

    assert only(file) == only(read(declare("PreToolUse")))
    assert len(file.warnings) == 1
    assert file.warnings[0].startswith("ignoring a value in F: hooks.PreToolUse[0].hooks[0]")
    assert found in file.warnings[0]


def test_a_deeply_nested_file_is_refused_without_a_traceback() -> None:
    assert read("[" * 100_000).handlers == ()


def test_a_toml_table_is_parsed_like_a_file_and_its_settings_are_ignored() -> None:
    table = {**declare("PreToolUse", "^Bash$")["hooks"], "state": {"k": {"enabled": True}}, "max_stop_blocks": 3}

    file = parse_table(table, "C")

    assert (only(file).matcher, file.warnings, file.notes) == ("^Bash$", (), ())
    assert parse_table({"Stop": 3}, "C").warnings == (
        "failed to parse TOML hooks in C: hooks.Stop: expected a list of groups, found a number",
    )


@pytest.mark.parametrize("location", ["top", "events"])
def test_only_some_of_many_unknown_names_are_reported(location: str) -> None:
    names = {f"Stopp{number}": [] for number in range(50_000)}

    file = read({**names, **declare()} if location == "top" else {"hooks": {**names, **declare()["hooks"]}})

    assert only(file).command == "true"
    assert file.warnings[-1] == "49950 more unknown names in F are ignored"
    assert len(file.warnings) + len(file.notes) == 51
