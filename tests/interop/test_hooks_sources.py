"""Where hooks come from, which matcher hits, which handlers are left out."""

from __future__ import annotations

import json

import pytest

from interop.clients import Codex
from interop.hook_runs import SHELL, Play, document, group, script

TOML = """
[[hooks.UserPromptSubmit]]
[[hooks.UserPromptSubmit.hooks]]
type = "command"
command = "echo from-toml"
"""


def trusted(play: Play) -> str:
    return f'\n[projects.{json.dumps(str(play.stage.ws))}]\ntrust_level = "trusted"\n'


def test_hooks_of_the_user_run(play: Play) -> None:
    seen = play(UserPromptSubmit=script("from-user"))

    assert "from-user" in seen.developer()


def test_hooks_of_a_trusted_project_run_after_the_users(play: Play) -> None:
    seen = play(
        UserPromptSubmit=script("from-user"),
        project=document(UserPromptSubmit=script("from-project")),
        config=trusted(play),
    )

    assert seen.developer()[-2:] == ["from-user", "from-project"]


def test_hooks_of_an_untrusted_project_do_not_run(play: Play) -> None:
    seen = play(UserPromptSubmit=script("from-user"), project=document(UserPromptSubmit=script("from-project")))

    assert seen.developer()[-1] == "from-user"
    assert len(seen.payloads("UserPromptSubmit")) == 1


def test_hooks_can_be_written_in_the_config_file(play: Play) -> None:
    seen = play(config=TOML)

    assert "from-toml" in seen.developer()


def test_both_files_of_one_layer_add_up(play: Play) -> None:
    seen = play(UserPromptSubmit=script("from-json"), config=TOML)

    assert {"from-toml", "from-json"} <= set(seen.developer())
    assert "prefer a single representation for this layer" in seen.outcome.stderr


@pytest.mark.parametrize("feature", ["hooks", "codex_hooks"])
def test_the_feature_switches_all_hooks_off(play: Play, feature: str) -> None:
    seen = play(UserPromptSubmit=script("from-user"), config=f"\n[features]\n{feature} = false\n")

    assert seen.payloads("UserPromptSubmit") == []
    assert seen.final == "final words"


@pytest.mark.parametrize("kind", ["prompt", "agent"])
def test_a_handler_of_a_kind_that_is_not_supported_is_left_out_with_a_warning(play: Play, kind: str) -> None:
    seen = play(UserPromptSubmit=[{"type": kind, "prompt": "think"}, script("the-other")])

    assert seen.developer()[-1] == "the-other"
    assert f"{kind} hooks are not supported yet" in seen.outcome.stderr


def test_a_file_that_can_not_be_read_is_told_and_the_turn_goes_on(play: Play) -> None:
    seen = play(raw=json.dumps(document(UserPromptSubmit=script("ctx")))[:-2])

    assert seen.payloads("UserPromptSubmit") == []
    assert seen.final == "final words"
    assert "failed to parse hooks config" in seen.outcome.stderr
    assert "hooks.json" in seen.outcome.stderr


@pytest.mark.parametrize("codex", ["ours"], indirect=True)
@pytest.mark.parametrize(
    "raw",
    [
        document(UserPromptSubmit=[script("ctx"), {"type": "webhook", "url": "x"}]),
        {**document(UserPromptSubmit=script("ctx")), "version": 1, "$schema": "x"},
        document(UserPromptSubmit=script("ctx", commandWindows="a", command_windows="b")),
        document(UserPromptSubmit=script("ctx", timeout="soon")),
    ],
    ids=["unknown type", "unknown top keys", "both windows names", "timeout is text"],
)
def test_ours_runs_what_can_be_used_where_the_real_one_rejects_the_file(
    codex: Codex, play: Play, raw: dict[str, object]
) -> None:
    seen = play(raw=raw)

    assert "ctx" in seen.developer()


@pytest.mark.parametrize("codex", ["ours"], indirect=True)
def test_ours_runs_no_tool_unasked_beside_a_file_of_gates_that_can_not_be_read(codex: Codex, play: Play) -> None:
    seen = play(SHELL, raw=json.dumps(document(PreToolUse=script()))[:-2])

    assert not seen.ran
    assert "failed to parse hooks config" in seen.output()


def test_unknown_keys_of_groups_and_handlers_and_unknown_events_are_ignored(play: Play) -> None:
    seen = play(
        raw={
            "description": "allowed",
            "hooks": {
                "UserPromptSubmit": [{"hooks": [script("ctx", colour="red")], "note": 1}],
                "SomethingNew": [{"hooks": [script("new")]}],
            },
        }
    )

    assert seen.developer()[-1] == "ctx"
    assert seen.outcome.status == 0


def test_a_blank_command_is_left_out_with_a_warning(play: Play) -> None:
    seen = play(UserPromptSubmit=[{"type": "command", "command": "  "}, script("the-other")])

    assert seen.developer()[-1] == "the-other"
    assert "skipping empty hook command" in seen.outcome.stderr


def test_the_windows_command_is_for_windows(play: Play) -> None:
    seen = play(UserPromptSubmit=script("posix", commandWindows="echo windows"))

    assert seen.developer()[-1] == "posix"


@pytest.mark.parametrize("matcher", [None, "", "*", "startup", "startup|resume", "^start", "start.*", "(startup)"])
def test_a_matcher_that_hits(play: Play, matcher: str | None) -> None:
    seen = play(SessionStart=group(matcher, script("ctx")))

    assert "ctx" in seen.developer()


@pytest.mark.parametrize("matcher", ["start", "resume", "^resume$", "Startup", "clear|compact"])
def test_a_matcher_that_does_not_hit(play: Play, matcher: str) -> None:
    seen = play(SessionStart=group(matcher, script("ctx")))

    assert "ctx" not in seen.developer()
    assert seen.payloads("SessionStart") == []


def test_a_bad_matcher_drops_its_group_alone_with_a_warning(play: Play) -> None:
    seen = play(SessionStart=[group("[", script("bad")), group("startup", script("good"))])

    assert "good" in seen.developer()
    assert "bad" not in seen.developer()
    assert 'invalid matcher "["' in seen.outcome.stderr


@pytest.mark.parametrize("event", ["UserPromptSubmit", "Stop"])
def test_events_without_a_subject_do_not_look_at_the_matcher(play: Play, event: str) -> None:
    seen = play(**{event: [group("[", script()), group("nothing", script())]})

    assert len(seen.payloads(event)) == 2


@pytest.mark.parametrize(
    ("matcher", "hit"), [("Bash", True), ("^Bash$", True), ("exec_command", False), ("shell", False)]
)
def test_shell_commands_are_called_bash(play: Play, matcher: str, hit: bool) -> None:
    seen = play(SHELL, PreToolUse=group(matcher, script()))

    assert len(seen.payloads("PreToolUse")) == hit


@pytest.mark.parametrize("matcher", ["apply_patch", "Write", "Edit", "Edit|Write", "^(apply_patch|Edit)$"])
def test_file_edits_are_called_apply_patch_write_and_edit_and_run_a_handler_once(play: Play, matcher: str) -> None:
    patch = "*** Begin Patch\n*** Add File: a.txt\n+a\n*** End Patch"
    seen = play(
        [[{"patch": patch}], [{"say": "x"}]], PreToolUse=group(matcher, script()), PostToolUse=group(matcher, script())
    )

    [before], [after] = seen.payloads("PreToolUse"), seen.payloads("PostToolUse")
    assert (before["tool_name"], before["tool_input"]) == ("apply_patch", {"command": patch})
    assert (after["tool_name"], after["tool_use_id"]) == ("apply_patch", "call_0_0")
    assert "Success. Updated the following files:\nA a.txt" in after["tool_response"]
