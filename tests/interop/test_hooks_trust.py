"""Which hooks wait for a review, and how its result is kept."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from interop.clients import Codex
from interop.hook_runs import Play, document, group

HANDLER = {"type": "command", "command": "cat > /dev/null; echo r\u00e4n"}
NORMAL = {"async": False, "command": HANDLER["command"], "timeout": 600, "type": "command"}


def digest(value: object) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def trusting(play: Play, snake: str, **state: object) -> str:
    """Trust the project and say something about its first hook."""
    file = play.stage.ws / ".codex" / "hooks.json"
    lines = [f"{key} = {json.dumps(value)}" for key, value in state.items()]
    return "\n".join(
        [
            f'\n[projects.{json.dumps(str(play.stage.ws))}]\ntrust_level = "trusted"\n',
            f"[hooks.state.{json.dumps(f'{file}:{snake}:0:0')}]",
            *lines,
        ]
    )


@pytest.mark.parametrize(
    ("event", "snake", "written", "hashed"),
    [
        ("UserPromptSubmit", "user_prompt_submit", HANDLER, {"hooks": [NORMAL]}),
        (
            "UserPromptSubmit",
            "user_prompt_submit",
            {**HANDLER, "statusMessage": "x", "timeout": 7},
            {"hooks": [{**NORMAL, "statusMessage": "x", "timeout": 7}]},
        ),
        ("UserPromptSubmit", "user_prompt_submit", group("abc", HANDLER), {"hooks": [NORMAL]}),
        ("SessionStart", "session_start", group("startup", HANDLER), {"hooks": [NORMAL], "matcher": "startup"}),
        ("SessionStart", "session_start", group("", HANDLER), {"hooks": [NORMAL], "matcher": ""}),
        ("SessionStart", "session_start", {**HANDLER, "timeout": 0}, {"hooks": [{**NORMAL, "timeout": 1}]}),
        (
            "SessionStart",
            "session_start",
            {**HANDLER, "commandWindows": "dir", "additionalContextLimit": 99},
            {"hooks": [{**NORMAL, "additionalContextLimit": 99}]},
        ),
    ],
    ids=["plain", "all keys", "matcher of no use", "matcher", "empty matcher", "floor", "windows and limit"],
)
def test_a_hook_of_a_trusted_project_runs_when_its_hash_was_accepted(
    play: Play, event: str, snake: str, written: dict[str, Any], hashed: dict[str, Any]
) -> None:
    accepted = digest({"event_name": snake, **hashed})
    seen = play(project=document(**{event: written}), config=trusting(play, snake, trusted_hash=accepted), trust=False)

    assert "r\u00e4n" in seen.developer()


@pytest.mark.parametrize("state", [{}, {"trusted_hash": "sha256:00"}], ids=["new", "changed"])
def test_a_hook_of_a_trusted_project_waits_for_its_review(play: Play, state: dict[str, object]) -> None:
    seen = play(
        project=document(UserPromptSubmit=HANDLER),
        config=trusting(play, "user_prompt_submit", **state),
        trust=False,
    )

    assert "r\u00e4n" not in seen.developer()
    assert seen.final == "final words"


def test_an_accepted_hash_does_not_make_an_untrusted_project_run_anything(play: Play) -> None:
    accepted = digest({"event_name": "user_prompt_submit", "hooks": [NORMAL]})
    config = trusting(play, "user_prompt_submit", trusted_hash=accepted).replace('"trusted"', '"untrusted"')
    seen = play(project=document(UserPromptSubmit=HANDLER), config=config, trust=False)

    assert "r\u00e4n" not in seen.developer()


def test_a_hook_that_is_switched_off_does_not_run_even_without_review(play: Play) -> None:
    config = trusting(play, "user_prompt_submit", enabled=False)
    seen = play(project=document(UserPromptSubmit=HANDLER), config=config)

    assert "r\u00e4n" not in seen.developer()


@pytest.mark.parametrize("codex", ["ours"], indirect=True)
def test_a_hook_of_the_user_needs_no_review_in_ours(codex: Codex, play: Play) -> None:
    seen = play(UserPromptSubmit=HANDLER, trust=False)

    assert "r\u00e4n" in seen.developer()


@pytest.mark.parametrize("codex", ["ours"], indirect=True)
def test_ours_says_which_hook_it_skipped_and_what_changes_that(codex: Codex, play: Play) -> None:
    project = document(UserPromptSubmit=HANDLER)
    seen = play(project=project, config=trusting(play, "user_prompt_submit"), trust=False)
    as_json = play(None, "--json", trust=False)

    for text in (seen.outcome.stderr, as_json.outcome.stdout):
        assert "user_prompt_submit:0:0" in text
        assert "codex hooks trust" in text


@pytest.mark.parametrize("codex", ["ours"], indirect=True)
def test_a_review_in_ours_lasts_until_the_hook_changes(codex: Codex, play: Play) -> None:
    play.prepare(
        None,
        project=document(UserPromptSubmit=HANDLER),
        config=f'\n[projects.{json.dumps(str(play.stage.ws))}]\ntrust_level = "trusted"\n',
    )

    reviewed = play.stage.run(codex, "hooks", "trust", "--all")
    after = play(trust=False)
    Play.write(play.stage.ws / ".codex" / "hooks.json", document(UserPromptSubmit={**HANDLER, "command": "echo new"}))
    changed = play(trust=False)

    assert reviewed.status == 0
    assert "r\u00e4n" in after.developer()
    assert "new" not in changed.developer()
