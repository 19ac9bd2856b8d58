"""Which of the installed plugins run: facts, configuration, trust, needs, quarantine."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from codex_host.platform import PLATFORM

if TYPE_CHECKING:
    from tests.host.conftest import Codex, Distributions

MOO = """
    from codex_hookspecs import CliCommand, hookimpl

    async def moo(arguments, host):
        print("moo", *arguments)
        return 0

    @hookimpl
    def cli_commands():
        return [CliCommand(name="moo", help="Moo.", run=moo)]
"""
MOO_MANIFEST = '[commands]\nmoo = "Moo."\n'


@pytest.fixture
def moo(distributions: Distributions) -> Distributions:
    """Have a plugin ``cow`` installed that offers the command ``moo``."""
    distributions.add("cow", plugin=MOO, manifest=MOO_MANIFEST)
    return distributions


def facts(codex: Codex, name: str, *options: str) -> dict:
    """Return what the program says of one plugin."""
    return json.loads(codex(*options, "plugins", "show", name, "--json").out)


def trust_project(home: Path, place: Path) -> None:
    (home / "config.toml").write_text(f'[projects."{place}"]\ntrust_level = "trusted"\n')


@pytest.mark.parametrize(
    ("manifest", "status", "detail"),
    [
        (None, "incompatible", "codex-plugin.toml is missing; a plugin needs one (api = 1)"),
        ("= broken", "incompatible", "codex-plugin.toml can't be read: Invalid statement (at line 3, column 1)"),
        ("colour = 1", "incompatible", "unknown key 'colour', allowed are"),
        (
            'platforms = ["beos"]',
            "incompatible",
            "platforms = ['beos'], allowed is a list out of linux, macos, windows",
        ),
        ('hooks = "stop"', "incompatible", "hooks = 'stop', allowed is a list of names"),
        ("[settings]\nsince = 2020-01-01", "incompatible", "allowed is a table with a line of text for each"),
        (
            "[commands]\nmoo = 5",
            "incompatible",
            "commands.moo is a line of help or a table with help",
        ),
        ("commands = 5", "incompatible", "commands = 5, allowed is a table with a line of help for each"),
        ("[commands]\nmoo = { help = 1 }", "incompatible", "commands.moo is a line of help or a table with help"),
        ("[commands]\nmoo = { trailing = 1 }", "incompatible", "commands.moo is a line of help or a table with help"),
        ('[commands]\nmoo = { help = "", trailing = 0 }', "incompatible", "commands.moo.trailing is a number from 1"),
        ('[commands]\nmoo = { help = "", trailing = true }', "incompatible", "commands.moo.trailing is a number"),
        (
            '[commands]\nmoo = { help = "", x = 1 }',
            "incompatible",
            "out of alias, arguments, commands, group, help, needs_command, notes, options, own_options",
        ),
        ('[commands]\n"m o" = ""', "incompatible", "the name of a command is letters, digits, - and _"),
        ('[commands.moo]\nhelp = ""\noptions = ["-x"]', "incompatible", "commands.moo.options is a table of lines"),
        ('[commands.moo]\nhelp = ""\noptions = { x = "" }', "incompatible", """'x' is not like "-m, --model MODEL\""""),
        ('[commands.moo]\nhelp = ""\narguments = { x = "" }', "incompatible", "'x' is not like [PROMPT]"),
        (
            '[commands.moo]\nhelp = ""\noptions = { "-x" = { help = "", values = ["a"] } }',
            "incompatible",
            "commands.moo.options: '-x' has values, but no placeholder for them",
        ),
        (
            '[commands.moo]\nhelp = ""\noptions = { "-x Y" = { help = "", values = ["$(id)"] } }',
            "incompatible",
            "commands.moo.options: the values of '-x Y' are a list of words",
        ),
        (
            '[commands.moo]\nhelp = ""\n[commands.moo.commands]\nin = 5',
            "incompatible",
            "commands.moo.commands.in is a line",
        ),
        ('needs = ["absent"]', "untrusted", "not trusted yet"),
    ],
)
def test_a_manifest_is_checked_before_anything_is_imported(
    distributions: Distributions, codex: Codex, manifest: str | None, status: str, detail: str
) -> None:
    distributions.add("noisy", plugin="raise SystemError", manifest=manifest)

    shown = facts(codex, "noisy")

    assert shown["status"] == status
    assert detail in shown["detail"]


def test_a_wheel_that_lost_its_manifest_is_told_how_to_keep_it(distributions: Distributions, codex: Codex) -> None:
    distributions.add("noisy", manifest=None)

    detail = facts(codex, "noisy")["detail"]

    assert """[tool.setuptools.package-data] has to have third_codex_noisy = ["codex-plugin.toml"]""" in detail


def test_a_manifest_of_another_name_is_refused(distributions: Distributions, codex: Codex) -> None:
    (distributions.add("noisy") / "codex-plugin.toml").write_text('name = "quiet"\napi = 1\n')

    assert "name = 'quiet', allowed is the entry-point name 'noisy'" in facts(codex, "noisy")["detail"]


def test_a_plugin_for_other_contracts_is_refused(distributions: Distributions, codex: Codex) -> None:
    (distributions.add("noisy") / "codex-plugin.toml").write_text('name = "noisy"\napi = 99\n')

    shown = facts(codex, "noisy")

    assert shown["status"] == "incompatible"
    assert shown["detail"] == "written for api 99 of the contracts, this host has 1"


def test_a_plugin_of_another_platform_is_left_out_without_a_warning(moo: Distributions, codex: Codex) -> None:
    other = "windows" if PLATFORM != "windows" else "linux"
    moo.add("alien", manifest=f'platforms = ["{other}"]')
    codex("plugins", "trust", "cow")

    strict = codex("--strict-plugins", "moo")

    assert facts(codex, "alien")["detail"] == f"made for {other}, this is {PLATFORM}"
    assert (strict.status, strict.out) == (0, "moo\n")


def test_a_new_third_party_plugin_does_not_run_before_it_is_trusted(moo: Distributions, codex: Codex) -> None:
    before = codex("moo")
    trusted = codex("plugins", "trust", "cow")
    after = codex("moo", "loudly")

    assert before.status == 1
    assert "comes from plugin cow, which is untrusted: not trusted yet" in before.err
    assert trusted.out.startswith("Trusted plugin cow (codex-cow 1.0.0, sha256:")
    assert (after.status, after.out) == (0, "moo loudly\n")


@pytest.mark.parametrize("change", ["edited", "added", "deleted"])
def test_changed_files_are_asked_about_again(moo: Distributions, codex: Codex, change: str) -> None:
    folder = moo.folder / "third_codex_cow"
    (folder / "sound.txt").write_text("moo")
    codex("plugins", "trust", "cow")

    if change == "edited":
        (folder / "sound.txt").write_text("mow")
    elif change == "added":
        (folder / "more.py").write_text("")
    else:
        (folder / "sound.txt").unlink()

    assert facts(codex, "cow")["detail"].startswith("its files changed since it was trusted: ")
    assert codex("moo").status == 1
    codex("plugins", "trust", "cow")
    assert codex("moo").status == 0


def test_a_touched_file_with_the_same_content_is_still_trusted(moo: Distributions, codex: Codex) -> None:
    codex("plugins", "trust", "cow")

    os.utime(moo.folder / "third_codex_cow" / "plugin.py", (1, 1))

    assert facts(codex, "cow")["status"] == "enabled"


def test_what_python_compiles_is_no_change(moo: Distributions, codex: Codex) -> None:
    codex("plugins", "trust", "cow")

    assert codex("moo").status == 0
    assert codex("moo").status == 0


def test_another_version_is_asked_about_again(moo: Distributions, codex: Codex) -> None:
    codex("plugins", "trust", "cow")

    moo.remove("codex-cow")
    moo.add("cow", plugin=MOO, manifest=MOO_MANIFEST, version="2.0")

    assert facts(codex, "cow")["detail"] == "version 1.0.0 was trusted, this is 2.0"


def test_another_distribution_does_not_inherit_trust(moo: Distributions, codex: Codex) -> None:
    codex("plugins", "trust", "cow")

    moo.remove("codex-cow")
    moo.add("cow", distribution="evil-cow", plugin=MOO, manifest=MOO_MANIFEST)

    assert facts(codex, "cow")["detail"] == "trusted was codex-cow, this is evil-cow"


def test_trust_is_taken_back(moo: Distributions, codex: Codex) -> None:
    codex("plugins", "trust", "cow")

    taken = codex("plugins", "distrust", "cow")

    assert taken.out == (
        "Plugin cow is not trusted any more.\n"
        "Every run warns of it while it is installed and enabled (run: codex plugins disable cow).\n"
    )
    assert codex("moo").status == 1


def test_strict_plugins_and_a_doctor_who_is_asked_for_it_fail_for_a_plugin_that_is_not_trusted(
    moo: Distributions, codex: Codex
) -> None:
    codex("plugins", "trust", "cow")
    moo.add("noisy")

    strict, lax, doctor = codex("--strict-plugins", "moo"), codex("moo"), codex("plugins", "doctor", "noisy")
    codex("plugins", "disable", "noisy")
    disabled = codex("--strict-plugins", "moo")

    told = "not trusted yet (run: codex plugins trust noisy)"
    assert (strict.status, lax.status, doctor.status, disabled.status) == (1, 0, 1, 0)
    assert strict.err.endswith(f"plugin noisy is untrusted: {told}\n")
    assert doctor.out == f"noisy: not examined, {told}\n"


def test_trusting_an_incompatible_plugin_says_that_it_does_not_run(distributions: Distributions, codex: Codex) -> None:
    folder = distributions.add("cow")
    (folder / "codex-plugin.toml").write_text('name = "cow"\napi = 2\n')

    trusted = codex("plugins", "trust", "cow")

    assert trusted.status == 0
    assert trusted.out.endswith(
        "It does not run all the same, it is incompatible: written for api 2 of the contracts, this host has 1.\n"
    )


@pytest.mark.parametrize("content", ["", "[]", '{"cow": 1}', '{"cow": {"version": 5, "states": []}}'])
def test_a_damaged_trust_file_trusts_nobody(moo: Distributions, codex: Codex, home: Path, content: str) -> None:
    codex("plugins", "trust", "cow")
    (home / "plugins" / "trust.json").write_text(content)

    assert facts(codex, "cow")["status"] == "untrusted"


def test_trust_that_cannot_be_kept_is_an_error(moo: Distributions, codex: Codex, home: Path) -> None:
    (home / "plugins").write_text("in the way")

    refused = codex("plugins", "trust", "cow")

    assert refused.status == 1
    assert "trust can't be kept" in refused.err


def test_the_user_switches_a_plugin_off_and_on(moo: Distributions, codex: Codex) -> None:
    codex("plugins", "trust", "cow")
    codex("plugins", "disable", "cow")
    off = codex("moo")
    codex("plugins", "enable", "cow")

    assert "which is disabled: switched off in the configuration" in off.err
    assert codex("moo").status == 0


def test_the_user_switches_a_plugin_off_in_one_project(moo: Distributions, codex: Codex) -> None:
    codex("plugins", "trust", "cow")
    codex("plugins", "disable", "cow", "--project")

    assert codex("moo").status == 1
    assert codex("-C", "/", "moo").status == 0
    assert codex("-c", "plugins.cow.enabled=true", "moo").status == 0


def test_a_trusted_project_can_switch_no_plugin_off(moo: Distributions, codex: Codex, home: Path, place: Path) -> None:
    codex("plugins", "trust", "cow")
    trust_project(home, place)
    (place / ".codex").mkdir()
    (place / ".codex/config.toml").write_text("features.plugins = false\n[plugins.cow]\nenabled = false\n")

    assert codex("moo").status == 0


def test_the_user_switches_on_in_one_project_what_is_off_elsewhere(moo: Distributions, codex: Codex) -> None:
    codex("plugins", "trust", "cow")
    codex("plugins", "disable", "cow")

    codex("plugins", "enable", "cow", "--project")

    assert codex("moo").status == 0
    assert codex("-C", "/", "moo").status == 1


@pytest.mark.parametrize("options", [["--no-plugins"], ["--disable", "plugins"], ["-c", "features.plugins=false"]])
def test_third_party_plugins_are_left_out_as_a_whole(moo: Distributions, codex: Codex, options: list[str]) -> None:
    codex("plugins", "trust", "cow")

    refused = codex(*options, "moo")

    assert refused.status == 1
    assert "which is disabled" in refused.err
    assert facts(codex, "tool-plan", *options)["status"] == "enabled"


def test_a_first_party_plugin_can_be_switched_off(codex: Codex) -> None:
    codex("plugins", "disable", "exec-cli")

    refused = codex("exec", "hello")

    assert refused.status == 1
    assert refused.err == (
        "Error: the command 'exec' comes from plugin exec-cli, which is disabled: switched off in the configuration "
        "(run: codex plugins enable exec-cli)\n"
    )


def test_what_needs_a_plugin_that_is_off_is_off(codex: Codex) -> None:
    codex("plugins", "disable", "app-server")

    refused = codex("exec", "hello")

    assert "plugin exec-cli, which is disabled: it needs app-server, which is disabled" in refused.err


def test_needs_reach_through_several_plugins(distributions: Distributions, codex: Codex) -> None:
    for name, needed in (("first", "second"), ("second", "third"), ("third", "fourth")):
        distributions.add(name, manifest=f'needs = ["{needed}"]')
        codex("plugins", "trust", name)

    assert facts(codex, "third")["detail"] == "it needs fourth, which is not installed"
    assert facts(codex, "second")["detail"] == "it needs third, which is incompatible"
    assert facts(codex, "first")["detail"] == "it needs second, which is incompatible"


def test_plugins_that_need_each_other_are_loaded(distributions: Distributions, codex: Codex) -> None:
    for name, needed in (("left", "right"), ("right", "left")):
        distributions.add(name, manifest=f'needs = ["{needed}"]')
        codex("plugins", "trust", name)

    assert facts(codex, "left")["status"] == facts(codex, "right")["status"] == "enabled"


def test_strict_plugins_end_the_program_when_one_cannot_be_loaded(moo: Distributions, codex: Codex) -> None:
    moo.add("noisy", plugin="import nowhere_to_be_found")
    for name in ("cow", "noisy"):
        codex("plugins", "trust", name)

    strict, lax = codex("--strict-plugins", "moo"), codex("moo")

    assert strict.status == 1
    assert "plugin noisy is failed: ModuleNotFoundError: No module named 'nowhere_to_be_found'" in strict.err
    assert lax.status == 0


def quarantine(home: Path, **plugins: dict) -> None:
    (home / "plugins").mkdir(exist_ok=True)
    (home / "plugins" / "ledger.json").write_text(json.dumps(plugins))


def test_a_quarantined_hook_is_told_until_the_plugin_is_enabled(moo: Distributions, codex: Codex, home: Path) -> None:
    codex("plugins", "trust", "cow")
    kept = {"load_ms": 1.0, "quarantined": {"stop": "stop raised ValueError 3x"}, "version": "1.0.0"}
    quarantine(home, cow=kept)

    listed, strict = codex("plugins", "list"), codex("--strict-plugins", "moo")
    enabled = codex("plugins", "enable", "cow")

    told = "quarantined: stop raised ValueError 3x (run: codex plugins enable cow)"
    assert f"enabled, trusted, {told}" in listed.out
    assert f"plugin cow is {told}" in strict.err
    assert "The quarantine of cow is over." in enabled.out
    assert codex("--strict-plugins", "moo").status == 0


def test_a_quarantine_that_an_earlier_release_kept_counts_for_its_hook(
    moo: Distributions, codex: Codex, home: Path
) -> None:
    codex("plugins", "trust", "cow")
    quarantine(home, cow={"load_ms": 1.0, "quarantined": "cli_commands raised ValueError 3x", "version": "1.0.0"})

    assert "quarantined: cli_commands raised ValueError 3x" in codex("plugins", "list").out


def test_why_a_plugin_failed_the_last_time_is_listed(distributions: Distributions, codex: Codex, home: Path) -> None:
    distributions.add("shy", plugin="import nowhere_to_be_found")
    codex("plugins", "trust", "shy")

    codex("features", "list")
    before = codex("plugins", "list")
    codex("exec", "hi")
    after = codex("plugins", "list")

    assert "failed" not in before.out
    assert "failed: ModuleNotFoundError: No module named 'nowhere_to_be_found'" in after.out
    assert "(run: codex plugins doctor shy)" in after.out


def test_a_new_version_ends_a_quarantine(moo: Distributions, codex: Codex, home: Path) -> None:
    codex("plugins", "trust", "cow")
    quarantine(home, cow={"load_ms": 1.0, "quarantined": "stop raised ValueError 3x", "version": "0.9"})

    assert codex("moo").status == 0
    assert json.loads((home / "plugins" / "ledger.json").read_text())["cow"]["quarantined"] == {}


@pytest.mark.parametrize("content", ["", "[]", '{"cow": []}', '{"cow": {"load_ms": "fast", "quarantined": 7}}'])
def test_a_damaged_ledger_counts_for_nothing(moo: Distributions, codex: Codex, home: Path, content: str) -> None:
    codex("plugins", "trust", "cow")
    (home / "plugins" / "ledger.json").write_text(content)

    assert codex("moo").status == 0
