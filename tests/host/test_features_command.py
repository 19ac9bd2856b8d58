"""``codex features``: switches, their stages, warnings and where they are written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from codex_host.features import FeatureSwitches

if TYPE_CHECKING:
    from tests.host.conftest import Codex


def listed(codex: Codex, *options: str) -> dict[str, tuple[str, str]]:
    """Return stage and value of every feature as the program lists them."""
    rows = [line.split("  ") for line in codex(*options, "features", "list").out.splitlines()]
    cells = [[cell.strip() for cell in row if cell.strip()] for row in rows]
    return {key: (stage, value) for key, stage, value in cells}


def test_all_features_are_listed_by_key_in_columns(codex: Codex) -> None:
    lines = codex("features", "list").out.splitlines()
    keys = [line.split()[0] for line in lines]

    assert keys == sorted(keys)
    assert len({line.index("stable") for line in lines if "stable" in line}) == 1
    assert all(line.endswith(("true", "false")) for line in lines)


@pytest.mark.parametrize(
    ("key", "stage", "value"),
    [
        ("plugins", "stable", "true"),
        ("hooks", "stable", "true"),
        ("undo", "stable", "false"),
        ("js_repl", "experimental", "false"),
        ("web_search_cached", "deprecated", "false"),
        ("sqlite", "removed", "true"),
        ("code_mode", "under development", "false"),
    ],
)
def test_stage_and_default(codex: Codex, key: str, stage: str, value: str) -> None:
    assert listed(codex)[key] == (stage, value)


def test_flags_beat_profile_beats_file_beats_default(codex: Codex, home: Path) -> None:
    (home / "config.toml").write_text("[features]\nundo = true\n[profiles.p.features]\nundo = false\n")

    assert listed(codex)["undo"][1] == "true"
    assert listed(codex, "-p", "p")["undo"][1] == "false"
    assert listed(codex, "-p", "p", "--enable", "undo")["undo"][1] == "true"


def test_a_removed_feature_is_accepted_without_effect(codex: Codex) -> None:
    assert listed(codex, "--disable", "sqlite", "--enable", "remote_models")["sqlite"][1] == "true"
    assert listed(codex, "--enable", "remote_models")["remote_models"][1] == "false"


def test_a_feature_turns_on_what_it_needs(codex: Codex) -> None:
    assert listed(codex, "--enable", "code_mode_only")["code_mode"][1] == "true"
    assert listed(codex, "--enable", "enable_fanout", "--disable", "multi_agent")["multi_agent"][1] == "true"


def test_enabling_writes_the_key_and_keeps_the_rest(codex: Codex, home: Path) -> None:
    (home / "config.toml").write_text("# mine\nmodel = 'm'\n")

    ran = codex("features", "enable", "undo")

    assert (ran.status, ran.out) == (0, "Enabled feature `undo` in config.toml.\n")
    assert (home / "config.toml").read_text() == "# mine\nmodel = 'm'\n\n[features]\nundo = true\n"


def test_disabling_what_is_off_by_itself_leaves_no_key(codex: Codex, home: Path) -> None:
    codex("features", "enable", "undo")

    ran = codex("features", "disable", "undo")

    assert (ran.status, ran.out) == (0, "Disabled feature `undo` in config.toml.\n")
    assert "undo" not in (home / "config.toml").read_text()


def test_disabling_what_is_on_by_itself_writes_false(codex: Codex, home: Path) -> None:
    codex("features", "disable", "plugins")

    assert "plugins = false" in (home / "config.toml").read_text()
    assert listed(codex)["plugins"][1] == "false"


def test_a_profile_gets_its_own_switch(codex: Codex, home: Path) -> None:
    (home / "config.toml").write_text("[profiles.p]\n")

    codex("-p", "p", "features", "enable", "undo")

    assert listed(codex)["undo"][1] == "false"
    assert listed(codex, "-p", "p")["undo"][1] == "true"


def test_an_alias_is_written_as_the_key_it_stands_for(codex: Codex, home: Path) -> None:
    ran = codex("features", "disable", "codex_hooks")

    assert ran.out == "Disabled feature `hooks` in config.toml.\n"
    assert "hooks = false" in (home / "config.toml").read_text()


@pytest.mark.parametrize("command", ["enable", "disable"])
def test_switching_replaces_an_alias_that_stands_in_the_file(codex: Codex, home: Path, command: str) -> None:
    before = "true" if command == "disable" else "false"
    (home / "config.toml").write_text(f"[features]\nmemory_tool = {before}\ncodex_hooks = {before}\n")

    codex("features", command, "memories")
    codex("features", command, "hooks")

    after = "false" if command == "disable" else "true"
    assert listed(codex)["memories"][1] == after
    assert listed(codex)["hooks"][1] == after


def test_enabling_unfinished_work_warns(codex: Codex, home: Path) -> None:
    ran = codex("features", "enable", "code_mode")

    assert ran.status == 0
    assert ran.out.splitlines()[1] == (
        "Under-development features enabled: code_mode. Under-development features are incomplete and may behave "
        "unpredictably. To suppress this warning, set `suppress_unstable_features_warning = true` in "
        f"{home}/config.toml."
    )


def test_an_unknown_feature_is_refused(codex: Codex, home: Path) -> None:
    ran = codex("features", "enable", "nosuch")

    assert (ran.status, ran.err) == (1, "Error: Unknown feature flag: nosuch (codex features list shows them all)\n")
    assert not (home / "config.toml").exists()


@pytest.mark.parametrize("line", ["nosuch", "enable", "disable a b", "list all"])
def test_arguments_that_do_not_fit_end_with_status_two(codex: Codex, line: str) -> None:
    ran = codex("features", *line.split())

    assert ran.status == 2
    assert "Usage: codex features" in ran.err


@pytest.mark.parametrize("line", ["--help", "-h", "help"])
def test_the_commands_explain_themselves(codex: Codex, line: str) -> None:
    ran = codex("features", line)

    assert (ran.status, ran.err) == (0, "")
    assert "Usage: codex features [COMMAND]" in ran.out


def test_switches_warn_of_aliases_and_unfinished_work_unless_told_not_to() -> None:
    switches = FeatureSwitches({"codex_hooks": True, "code_mode": True, "artifact": True, "undo": True})

    assert switches.warnings("/h/config.toml", suppressed=True) == [
        "`[features].codex_hooks` is deprecated. Use `[features].hooks` instead."
    ]
    assert "enabled: artifact, code_mode. " in switches.warnings("/h/config.toml", suppressed=False)[1]


def test_an_unknown_feature_is_off() -> None:
    assert not FeatureSwitches({"made_up": False}).enabled("made_up")
    assert not FeatureSwitches({}).enabled("made_up")
