"""The command line: options anywhere, clear error messages."""

from __future__ import annotations

import tomllib
from importlib.resources import files

import pytest

import codex_exec_cli
from codex_exec_cli.options import COMMANDS, OPTIONS, UsageError, parse


def refusal(*words: str) -> str:
    with pytest.raises(UsageError) as caught:
        parse(words)
    return str(caught.value)


def test_the_order_of_the_typescript_sdk_is_accepted() -> None:
    words = (
        "--experimental-json --model m --sandbox workspace-write --add-dir /a --add-dir /b --skip-git-repo-check "
        "--output-schema s.json resume 01a20248-1563-78c1-9ed2-8f218306b201 --image a.png --image b.png"
    )

    options = parse(words.split())

    assert options.json
    assert options.skip_git_check
    assert (options.model, options.sandbox, options.output_schema) == ("m", "workspace-write", "s.json")
    assert options.add_dirs == ["/a", "/b"]
    assert (options.command, options.session) == ("resume", "01a20248-1563-78c1-9ed2-8f218306b201")
    assert options.images == ["a.png", "b.png"]
    assert options.prompt is None


def test_options_may_follow_the_prompt() -> None:
    options = parse(["do it", "--json", "-o", "out.txt", "--color=never"])

    assert (options.prompt, options.json, options.output_file, options.color) == ("do it", True, "out.txt", "never")


@pytest.mark.parametrize("words", [["-mx", "p"], ["-m=x", "p"], ["--model=x", "p"], ["p", "-m", "x"]])
def test_a_value_can_be_given_in_every_usual_syntax(words: list[str]) -> None:
    options = parse(words)

    assert (options.model, options.prompt) == ("x", "p")


def test_images_take_every_value_up_to_the_next_option() -> None:
    options = parse(["-i", "a.png,b.png", "c.png", "--json", "prompt"])

    assert options.images == ["a.png", "b.png", "c.png"]
    assert options.prompt == "prompt"
    assert parse(["-i", "a.png", "swallowed"]).prompt is None


@pytest.mark.parametrize("word", ["--image=a.png", "-ia.png", "-i=a.png"])
def test_an_attached_image_value_does_not_take_the_prompt(word: str) -> None:
    options = parse([word, "prompt"])

    assert (options.images, options.prompt) == (["a.png"], "prompt")


def test_options_before_the_command_apply_and_its_own_take_precedence() -> None:
    options = parse(["--model", "b", "-i", "c", "--", "hi"], ["--model=a", "--image=a,b", "--oss", "--search"])

    assert (options.model, options.images, options.oss) == ("b", ["a", "b", "c"], True)


@pytest.mark.parametrize(
    ("before", "own", "expected"),
    [
        (["--full-auto"], [], (None, True, False)),
        (["--full-auto"], ["--yolo"], (None, False, True)),
        (["--yolo"], ["-s", "read-only"], ("read-only", False, False)),
        (["--sandbox=workspace-write"], ["review"], ("workspace-write", False, False)),
    ],
)
def test_access_options_of_the_command_take_precedence(
    before: list[str], own: list[str], expected: tuple[str | None, bool, bool]
) -> None:
    options = parse([*own, "hi"], before)

    assert (options.sandbox, options.full_auto, options.bypass_sandbox) == expected


def test_a_misspelt_option_is_an_error_with_a_suggestion() -> None:
    with pytest.raises(UsageError) as caught:
        parse(["--jsn"])

    assert "tip: a similar argument exists: '--json'" in str(caught.value)


def test_after_two_dashes_everything_is_the_prompt() -> None:
    assert parse(["--json", "--", "--not-an-option"]).prompt == "--not-an-option"
    assert parse(["--", "resume"]).command == ""


def test_a_session_is_distinguished_from_a_prompt() -> None:
    assert (parse(["resume", "id", "p"]).session, parse(["resume", "id", "p"]).prompt) == ("id", "p")
    assert (parse(["resume", "--last", "p"]).session, parse(["resume", "--last", "p"]).prompt) == (None, "p")
    assert parse(["before", "resume", "--last"]).prompt == "before"
    assert parse(["resume", "--last", "-"]).prompt == "-"


def test_an_option_after_the_command_overrides_the_one_before() -> None:
    assert parse(["-m", "a", "resume", "-m", "b", "id"]).model == "b"


def test_global_options_that_the_host_has_applied_are_accepted() -> None:
    options = parse(["-c", "a=1", "--enable", "f", "-p", "x", "-C", "/w", "prompt", "--disable=g"])

    assert options.prompt == "prompt"


def test_the_error_for_an_unknown_option_is_that_of_codex() -> None:
    assert refusal("--nope", "x") == (
        "error: unexpected argument '--nope' found\n\n"
        "  tip: to pass '--nope' as a value, use '-- --nope'\n\n"
        "Usage: codex exec [OPTIONS] [PROMPT] [COMMAND]\n\n"
        "For more information, try '--help'.\n"
    )


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("x y", "unexpected argument 'y' found"),
        ("-m", "a value is required for '--model <MODEL>' but none was supplied"),
        ("-m --json", "a value is required for '--model <MODEL>' but none was supplied"),
        ("-i", "a value is required for '--image <FILE>...' but none was supplied"),
        ("-m a -m b", "the argument '--model <MODEL>' cannot be used multiple times"),
        ("--json=1 x", "unexpected value '1' for '--json' found; no more were expected"),
        ("-s all x", "invalid value 'all' for '--sandbox <SANDBOX_MODE>'\n  [possible values: read-only, "),
        ("--color=blue x", "invalid value 'blue' for '--color <COLOR>'\n  [possible values: always, never, auto]"),
        (
            "--full-auto --yolo x",
            "the argument '--full-auto' cannot be used with '--dangerously-bypass-approvals-and-sandbox'",
        ),
        ("fork", "the following required arguments were not provided:\n  <SESSION>"),
        ("fork --last x", "unexpected argument '--last' found"),
        (
            "--oss --local-provider foo x",
            "invalid value 'foo' for '--local-provider <OSS_PROVIDER>'\n  [possible values: ",
        ),
        ("review --uncommitted --base b", "the argument '--uncommitted' cannot be used with '--base <BRANCH>'"),
        ("--last x", "unexpected argument '--last' found"),
    ],
)
def test_an_error_is_named(words: str, complaint: str) -> None:
    assert refusal(*words.split()).startswith(f"error: {complaint}")


def test_invalid_utf8_is_refused() -> None:
    assert "invalid UTF-8 was detected in one or more arguments" in refusal("--json", "a\udcff")


def test_an_error_shows_the_usage_of_its_command() -> None:
    assert "Usage: codex exec resume [OPTIONS] [SESSION] [PROMPT]" in refusal("resume", "--nope")


@pytest.mark.parametrize(
    ("words", "tip"),
    [
        ("-a never hi", "put it in front of exec: codex -a never exec …"),
        ("--search hi", "put it in front of exec: codex --search exec …"),
        ("--remote=unix://s hi", "put it in front of exec: codex --remote unix://s exec …"),
        ("--remote", "put it in front of exec: codex --remote ADDR exec …"),
        ("resume --no-alt-screen a", "put it in front of exec: codex --no-alt-screen exec resume …"),
        ("fork --last hi", "name the session by its id or name; codex fork --last shows that of the newest one"),
        ("--last hi", "it is an option of codex exec resume"),
        ("hi there you -m x", "to give a prompt of several words, quote it: codex exec 'hi there you'"),
        ("resume a hi there", "to give a prompt of several words, quote it: codex exec resume a 'hi there'"),
    ],
)
def test_a_wrong_command_line_is_told_with_the_right_one(words: str, tip: str) -> None:
    assert f"\n\n  tip: {tip}\n\nUsage: codex exec" in refusal(*words.split())


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_the_manifest_declares_every_option_with_its_values(command: str) -> None:
    declared = tomllib.loads((files(codex_exec_cli) / "codex-plugin.toml").read_text())["commands"]["exec"]
    table = declared["commands"][command].get("options", {}) if command else declared["options"]
    options = {names_of(heading): fact for heading, fact in table.items()}
    known = {frozenset(option.names): option for option in OPTIONS if option.command == command and option.target}

    assert options.keys() == known.keys()
    for names, option in known.items():
        fact = options[names]
        if option.choices:
            assert tuple(fact["values"]) == option.choices


def names_of(heading: str) -> frozenset[str]:
    return frozenset(word.strip(",") for word in heading.split() if word.startswith("-"))
