"""``codex plugins``: what is listed and shown, in which words, and with which exit status."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import termios
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from codex_host import __version__

if TYPE_CHECKING:
    from tests.host.conftest import Codex, Distributions


def row(codex: Codex, name: str, *options: str) -> str:
    """Return the line of one plugin in the listing, with single blanks."""
    lines = codex(*options, "plugins", "list").out.splitlines()
    return " ".join(next(line for line in lines if line.split()[0] == name).split())


def test_the_listing_has_aligned_columns_and_every_plugin_once(codex: Codex) -> None:
    head, *rows = codex("plugins", "list").out.splitlines()

    names = [line.split()[0] for line in rows]
    assert head.split() == ["NAME", "VERSION", "SOURCE", "STATUS", "LOAD", "HOOKS"]
    assert names == sorted(names)
    assert len(names) == len(set(names))
    column = head.index("STATUS")
    assert all(line[column - 1] == " " and line[column] != " " for line in rows)


def test_on_a_terminal_every_plugin_takes_one_line(home: Path, place: Path) -> None:
    width = 80
    terminal, inner = pty.openpty()
    termios.tcsetwinsize(inner, (24, width))
    program = Path(sys.executable).with_name("codex")
    given = {"PATH": os.environ["PATH"], "HOME": str(home), "CODEX_HOME": str(home)}
    listing = subprocess.Popen(
        [program, "plugins", "list"], cwd=place, env=given, stdin=inner, stdout=inner, stderr=inner
    )
    os.close(inner)
    shown = b""
    with suppress(OSError):  # The end of a terminal is an error.
        while part := os.read(terminal, 1 << 16):
            shown += part
    os.close(terminal)
    assert listing.wait(60) == 0

    lines = shown.decode().splitlines()
    assert [line.split()[0] for line in lines if len(line) > width] == []
    assert any(line.endswith("…") for line in lines)
    assert "exec-local" in [line.split()[0] for line in lines]


def test_trust_is_completed_with_plugins_that_need_it(distributions: Distributions, codex: Codex) -> None:
    distributions.add("noisy")

    script = codex("completion", "bash").out

    assert "'<foreign-plugins>') _codex_reply noisy" in script


def test_no_words_mean_the_listing(codex: Codex) -> None:
    assert codex("plugins").out == codex("plugins", "list").out


def test_first_party_plugins_come_from_the_host(codex: Codex) -> None:
    assert row(codex, "tool-plan").startswith(f"tool-plan {__version__} codex-host enabled ")
    assert row(codex, "tool-plan").endswith(" tools")


def test_a_new_plugin_is_listed_with_what_to_do(distributions: Distributions, codex: Codex) -> None:
    distributions.add("noisy", version="2.0")

    assert row(codex, "noisy") == "noisy 2.0 codex-noisy not trusted (run: codex plugins trust noisy) - -"


@pytest.mark.parametrize(
    ("commands", "told"),
    [
        (["trust"], "enabled, trusted"),
        (["trust", "disable"], "disabled: switched off in the configuration (run: codex plugins enable noisy)"),
        (["trust", "disable", "enable"], "enabled, trusted"),
        (["trust", "distrust"], "not trusted (run: codex plugins trust noisy)"),
    ],
)
def test_the_listing_follows_the_commands(
    distributions: Distributions, codex: Codex, commands: list[str], told: str
) -> None:
    distributions.add("noisy")

    statuses = [codex("plugins", command, "noisy").status for command in commands]

    assert set(statuses) == {0}
    assert row(codex, "noisy") == f"noisy 1.0.0 codex-noisy {told} - -"


def test_a_feature_that_is_off_is_named(distributions: Distributions, codex: Codex) -> None:
    distributions.add("noisy")

    assert "disabled: the feature plugins is off (run: codex features enable plugins)" in row(
        codex, "noisy", "--disable", "plugins"
    )


def test_the_listing_is_there_as_json(distributions: Distributions, codex: Codex) -> None:
    distributions.add("noisy")

    facts = {plugin["name"]: plugin for plugin in json.loads(codex("plugins", "list", "--json").out)}

    assert facts["tool-plan"]["status"] == "enabled"
    assert facts["noisy"]["status"] == "untrusted"
    assert facts["noisy"]["remedy"] == "codex plugins trust noisy"
    assert facts["noisy"]["entryPoint"] == "third_codex_noisy.plugin"


def test_all_that_is_known_of_a_plugin_is_shown(distributions: Distributions, codex: Codex) -> None:
    folder = distributions.add(
        "noisy",
        manifest='description = "Makes noise."\nhooks = ["stop", "tools"]\n[settings]\nvolume = "how loud"\n'
        '[commands]\nmoo = "Moo."\n',
    )

    shown = codex("plugins", "show", "noisy")

    assert shown.status == 0
    assert shown.out.splitlines() == [
        "name: noisy",
        "version: 1.0.0",
        "distribution: codex-noisy",
        "firstParty: False",
        "status: untrusted",
        "detail: not trusted yet",
        "remedy: codex plugins trust noisy",
        "description: Makes noise.",
        "entryPoint: third_codex_noisy.plugin",
        f"folder: {folder}",
        "hooks: stop, tools",
        "commands:",
        "  moo: Moo.",
        "settings:",
        "  volume: how loud",
    ]


@pytest.mark.parametrize("command", ["show", "trust", "distrust", "enable", "disable", "doctor"])
def test_a_plugin_that_is_not_installed_is_told_with_those_that_are(codex: Codex, command: str) -> None:
    ran = codex("plugins", command, "nosuch")

    assert ran.status == 1
    assert ran.err.startswith("Error: plugin 'nosuch' is not installed; installed are: app-server, ")


def test_a_name_that_is_nearly_a_plugin_s_is_told_with_that_one(codex: Codex) -> None:
    ran = codex("plugins", "show", "app-servr")

    assert ran.err == "Error: plugin 'app-servr' is not installed; did you mean 'app-server'?\n"


def test_trust_of_changed_files_tells_of_their_hooks_only(distributions: Distributions, codex: Codex) -> None:
    source = (
        "from codex_hookspecs import hookimpl\n\n@hookimpl(tryfirst=True)\nasync def stop(event):\n    return None\n"
    )
    for name in ("alpha", "zeta"):
        distributions.add(name, plugin=source, manifest='hooks = ["stop", "session_start"]')
        assert codex("plugins", "trust", name).status == 0
    assert "session_start: called after alpha" in codex("plugins", "trust", "zeta").out
    distributions.add("zeta", plugin=source, manifest='hooks = ["stop"]')

    shown, trusted = codex("plugins", "show", "zeta").out, codex("plugins", "trust", "zeta").out

    assert "hooks: stop\n" in shown
    assert "stop: called after alpha" in trusted
    assert "session_start" not in shown + trusted


def test_the_doctor_tells_of_the_order_that_one_plugin_asks_for(distributions: Distributions, codex: Codex) -> None:
    distributions.add("seating", manifest='hooks = ["tools"]\nbefore = ["tool-nonsuch"]')
    codex("plugins", "trust", "seating")

    asked, other = codex("plugins", "doctor", "seating"), codex("plugins", "doctor", "tool-plan")

    told = "plugin seating: codex-plugin.toml has before = 'tool-nonsuch', which is not installed"
    assert (asked.status, told in asked.out) == (1, True)
    assert (other.status, told in other.out) == (0, False)


@pytest.mark.parametrize(
    "line",
    [
        "nosuch",
        "show",
        "show a b",
        "trust",
        "list extra",
        "list --nonsense",
        "trust a --json",
        "enable a b",
        "doctor a b",
    ],
)
def test_arguments_that_do_not_fit_end_with_status_two(codex: Codex, line: str) -> None:
    ran = codex("plugins", *line.split())

    assert (ran.status, ran.out) == (2, "")
    assert "Usage: codex plugins " in ran.err


@pytest.mark.parametrize("line", ["--help", "help", "-h", "list --help"])
def test_the_commands_explain_themselves(codex: Codex, line: str) -> None:
    ran = codex("plugins", *line.split())

    assert (ran.status, ran.err) == (0, "")
    assert "Usage: codex plugins " in ran.out


def test_trust_of_what_comes_with_the_host_is_not_needed(codex: Codex, home: Path) -> None:
    ran = codex("plugins", "trust", "tool-plan")

    assert (ran.status, ran.out) == (0, "tool-plan comes with codex-host and needs no trust.\n")
    assert not (home / "plugins" / "trust.json").exists()


def test_what_cannot_be_used_cannot_be_trusted(distributions: Distributions, codex: Codex) -> None:
    distributions.add("noisy", manifest=None)

    ran = codex("plugins", "trust", "noisy")

    assert ran.status == 1
    assert "plugin noisy can't be used: " in ran.err


def test_switching_writes_the_users_file_and_says_where(codex: Codex, home: Path) -> None:
    (home / "config.toml").write_text("# mine\n")

    ran = codex("plugins", "disable", "tool-plan")

    assert ran.out == f"Disabled plugin tool-plan in {home}/config.toml.\n"
    assert (home / "config.toml").read_text() == "# mine\n\n[plugins.tool-plan]\nenabled = false\n"


def test_switching_for_a_project_is_kept_in_the_users_file(codex: Codex, home: Path, place: Path) -> None:
    (place / "inner").mkdir()

    ran = codex("-C", "inner", "plugins", "disable", "tool-plan", "--project")

    assert ran.out == f"Disabled plugin tool-plan for {place} in {home}/config.toml.\n"
    assert (home / "config.toml").read_text() == f'[projects."{place}".plugins.tool-plan]\nenabled = false\n'
    assert not (place / ".codex").exists()


def test_the_commands_work_although_the_configuration_is_broken(codex: Codex, home: Path) -> None:
    (home / "config.toml").write_text("= broken")

    listed, switched = codex("plugins", "list"), codex("plugins", "disable", "tool-plan")

    assert listed.status == 0
    assert listed.err.startswith(f"warning: the configuration is ignored here: {home}/config.toml: is not TOML")
    assert "tool-plan" in listed.out
    assert switched.status == 1
    assert "config.toml: is not TOML" in switched.err
    assert (home / "config.toml").read_text() == "= broken"


def test_the_commands_never_import_a_plugin(distributions: Distributions, codex: Codex) -> None:
    distributions.add("noisy", plugin="raise SystemError('imported')")

    for command in ("list", "show noisy", "trust noisy", "disable noisy", "enable noisy", "distrust noisy"):
        assert codex("plugins", *command.split()).status == 0

    assert "third_codex_noisy.plugin" not in sys.modules


def test_the_doctor_knows_what_the_command_line_sets(codex: Codex) -> None:
    given = 'environments.there.url="ws://127.0.0.1:9"'

    found = codex("-c", given, "plugins", "doctor", "exec-remote")
    nothing = codex("plugins", "doctor", "exec-remote")

    assert (found.status, nothing.status) == (1, 0)
    assert "environment there: failed to connect" in found.out
