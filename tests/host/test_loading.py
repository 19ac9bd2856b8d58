"""Plugins that misbehave while they are imported leave the program working and show what they did."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from codex_host.plugins import doctor

if TYPE_CHECKING:
    from codex_testkit import Project
    from tests.host.conftest import Codex, Distributions

MOO = """
    from codex_hookspecs import CliCommand, hookimpl

    async def moo(arguments, host):
        print("moo", *host.startup_warnings(), sep="\\n")
        return 0

    @hookimpl
    def cli_commands():
        return [CliCommand(name="moo", help="Moo.", run=moo)]
"""


@pytest.fixture
def moo(distributions: Distributions, codex: Codex) -> Distributions:
    """Have a trusted plugin installed whose command ``moo`` prints the warnings of the start."""
    distributions.add("cow", plugin=MOO, manifest='[commands]\nmoo = "Moo."\n')
    codex("plugins", "trust", "cow")
    return distributions


def add_trusted(distributions: Distributions, codex: Codex, name: str, plugin: str) -> None:
    distributions.add(name, plugin=plugin)
    codex("plugins", "trust", name)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("raise ValueError('no\\nluck')", "plugin noisy is failed: ValueError: no luck ("),
        ("import nowhere.at.all", "plugin noisy is failed: ModuleNotFoundError: No module named 'nowhere' ("),
        ("def f(:", "SyntaxError: invalid syntax"),
        ("import sys; sys.exit(3)", "plugin noisy is failed: SystemExit: 3 ("),
        ("raise SystemExit", "plugin noisy is failed: SystemExit ("),
    ],
)
def test_a_failing_import_is_told_with_its_last_line(moo: Distributions, codex: Codex, source: str, told: str) -> None:
    add_trusted(moo, codex, "noisy", source)

    ran = codex("moo")

    assert ran.status == 0
    assert told in ran.out
    assert "(run: codex plugins doctor noisy)" in ran.out
    assert "Traceback" not in ran.out + ran.err


@pytest.fixture
def own(moo: Distributions, codex: Codex) -> Distributions:
    """Have ``cow`` and ``milk`` count as plugins of the host's own."""
    moo.add_host("codex-cow", "codex-milk")
    manifest = 'hooks = ["cli_commands"]\n[commands]\nmoo = "Moo."\n'
    moo.add("cow", plugin=MOO, manifest=manifest)
    return moo


def test_a_plugin_of_ours_that_is_rarely_needed_is_imported_when_it_is(own: Distributions, codex: Codex) -> None:
    own.add("milk", plugin="print('imported')", manifest='hooks = ["sandbox_launcher"]')

    ran, strict = codex("moo"), codex("--strict-plugins", "moo")

    assert (ran.out, ran.err) == ("moo\n", "")
    assert (strict.out, strict.err) == ("moo\n", "imported\n")


def test_a_plugin_of_ours_that_fails_when_it_is_needed_is_told(own: Distributions, codex: Codex) -> None:
    own.add(
        "milk",
        plugin="print('imported')\nimport nowhere",
        manifest='hooks = ["cli_commands"]\n[commands]\nmilk = "Milk."',
    )

    other, ran, strict = codex("moo"), codex("milk"), codex("--strict-plugins", "moo")

    assert (other.status, other.err) == (0, "")
    assert (ran.status, ran.out) == (1, "")
    assert "the command 'milk' of plugin milk can't be used: plugin milk is failed: ModuleNotFoundError" in ran.err
    assert strict.status == 1
    assert "plugin milk is failed: ModuleNotFoundError: No module named 'nowhere'" in strict.err


def test_a_plugin_of_ours_that_lists_no_hooks_is_imported(own: Distributions, codex: Codex) -> None:
    own.add("milk", plugin="print('imported')")

    assert codex("moo").err == "imported\n"


def test_the_line_that_failed_is_named(moo: Distributions, codex: Codex) -> None:
    add_trusted(moo, codex, "noisy", "import json\n\njson.loads(5)\n")

    assert "json/__init__.py:" in codex("moo").out


def test_a_plugin_that_does_not_fit_is_told_in_its_own_words(moo: Distributions, codex: Codex) -> None:
    add_trusted(moo, codex, "noisy", "from codex_hookspecs import hookimpl\n\n@hookimpl\ndef stop(event): ...\n")

    said = codex("moo").out

    assert "plugin noisy is failed: plugin 'noisy', hook 'stop': found 'def stop', write 'async def stop' (" in said
    assert "third_codex_noisy/plugin.py:3) (run: codex plugins doctor noisy)" in said


def test_a_missing_attribute_of_the_entry_point_is_told(moo: Distributions, codex: Codex) -> None:
    moo.add("noisy", points="[codex.plugins]\nnoisy = third_codex_noisy.plugin:absent\n")
    codex("plugins", "trust", "noisy")

    assert (
        "plugin noisy is failed: AttributeError: module 'third_codex_noisy.plugin' has no attribute" in codex("moo").out
    )


def test_what_an_import_prints_does_not_get_into_the_output(moo: Distributions, codex: Codex) -> None:
    add_trusted(moo, codex, "noisy", "print('good morning')")

    ran = codex("moo")

    assert ran.out == "moo\n"
    assert "good morning" in ran.err


def test_an_interruption_while_importing_ends_the_program(moo: Distributions, codex: Codex) -> None:
    add_trusted(moo, codex, "noisy", "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(9)")

    assert codex("moo").status == 130
    assert "noisy" not in json.loads(codex("plugins", "show", "noisy", "--json").out)["detail"]


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("raise GeneratorExit('done')", "GeneratorExit: done ({file}:1)"),
        ("import asyncio\nraise asyncio.CancelledError", "asyncio.exceptions.CancelledError ({file}:2)"),
        ("class Panic(BaseException): ...\n\nraise Panic('rust')", "third_codex_noisy.plugin.Panic: rust ({file}:3)"),
        ("class Odd(Exception):\n    def __str__(self): raise self\n\nraise Odd", "({file}:4)"),
        ("x = (1,\n", "SyntaxError: '(' was never closed ({file}:1)"),
        ("x = 1\n  y = 2\n", "IndentationError: unexpected indent ({file}:2)"),
        ("import nowhere", "ModuleNotFoundError: No module named 'nowhere' ({file}:1)"),
    ],
)
def test_whatever_an_import_raises_is_told_with_its_place(
    moo: Distributions, codex: Codex, source: str, told: str
) -> None:
    add_trusted(moo, codex, "noisy", source)

    ran = codex("moo")

    assert (ran.status, ran.err) == (0, "")
    assert told.format(file=moo.folder / "third_codex_noisy" / "plugin.py") in ran.out


def test_a_plugin_of_ours_that_is_broken_is_told_with_its_place(own: Distributions, codex: Codex) -> None:
    own.add("milk", plugin="class Panic(BaseException): ...\nraise Panic('rust')")

    ran = codex("moo")

    assert ran.status == 0
    assert "plugin milk is failed: third_codex_milk.plugin.Panic: rust (" in ran.out


def test_a_command_that_the_plugin_fails_to_offer_is_told(moo: Distributions, codex: Codex) -> None:
    moo.add(
        "cat",
        plugin=MOO.replace("return [", "raise ValueError('asleep')\n        return ["),
        manifest="[commands]\nmiau = 'Miau.'",
    )
    codex("plugins", "trust", "cat")

    ran = codex("miau")

    assert ran.status == 1
    assert re.fullmatch(
        r"Error: the command 'miau' of plugin cat can't be used: "
        r"plugin cat \(codex-cat 1\.0\.0\): cli_commands raised ValueError: asleep \(/.*/plugin\.py:10\)\n",
        ran.err,
    )


def test_a_command_that_two_plugins_offer_is_refused_and_both_are_named(moo: Distributions, codex: Codex) -> None:
    moo.add("bull", plugin=MOO, manifest='[commands]\nmoo = "Moo."\n')
    codex("plugins", "trust", "bull")

    ran = codex("moo")

    assert ran.status == 1
    assert ran.err == (
        "Error: plugins bull and cow both offer the command 'moo'; disable one, or say which "
        '(plugin_order.cli_commands = "cow" puts cow first)\n'
    )


def test_a_command_that_raises_is_no_traceback(
    moo: Distributions, codex: Codex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CODEX_LOG", raising=False)
    moo.add(
        "cat",
        plugin=MOO.replace('print("moo"', 'raise ValueError("asleep"')
        .replace('"moo"', '"miau"')
        .replace(', *host.startup_warnings(), sep="\\n"', ""),
        manifest="[commands]\nmiau = 'Miau.'",
    )
    codex("plugins", "trust", "cat")

    ran = codex("miau")

    assert ran.status == 1
    assert re.fullmatch(
        r"Error: plugin cat \(codex-cat 1\.0\.0\): the command miau raised ValueError: asleep \(/.*/plugin\.py:5\)\n",
        ran.err,
    )


def test_how_long_each_plugin_took_to_load_is_kept(moo: Distributions, codex: Codex, home: Path) -> None:
    codex("moo")

    shown = json.loads(codex("plugins", "show", "cow", "--json").out)

    assert shown["loadMs"] > 0


def test_the_doctor_bounds_an_import_that_never_ends(
    moo: Distributions, codex: Codex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "LIMIT", 0.6)
    add_trusted(moo, codex, "noisy", "import threading\nthreading.Event().wait()")

    ran = codex("plugins", "doctor", "noisy")

    assert (ran.status, ran.out) == (1, "noisy: took longer than 0.6 s to be imported and checked\n")


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("import nowhere", "noisy: ModuleNotFoundError: No module named 'nowhere'"),
        ("import os; os._exit(7)", "noisy: the process ended with status 7"),
        ("import sys; sys.exit('bye')", "noisy: SystemExit: bye"),
        (
            "import atexit\nfrom codex_hookspecs import hookimpl\nprint('{}')\natexit.register(print, 'late')\n"
            "@hookimpl\ndef tools(): ...\n",
            "noisy: ok",
        ),
    ],
)
def test_the_doctor_survives_and_tells(moo: Distributions, codex: Codex, source: str, told: str) -> None:
    add_trusted(moo, codex, "noisy", source)

    ran = codex("plugins", "doctor", "noisy")

    assert ran.out.splitlines()[0] == told
    assert ran.status == (0 if told.endswith("ok") else 1)


def test_the_doctor_compares_the_manifest_with_the_plugin(moo: Distributions, codex: Codex) -> None:
    moo.add("noisy", manifest='hooks = ["stop"]')
    codex("plugins", "trust", "noisy")

    ran = codex("plugins", "doctor", "noisy")

    assert ran.out == (
        "noisy: codex-plugin.toml lists the hook stop, which it does not implement; take it off the list\n"
        "  it implements the hook tools, which codex-plugin.toml does not list; add it to hooks there\n"
    )
    assert ran.status == 1


def test_the_doctor_runs_the_checks_of_a_plugin(moo: Distributions, codex: Codex) -> None:
    source = """
        from codex_hookspecs import DoctorCheck, hookimpl

        async def legs():
            return ["three legs"]

        @hookimpl
        def doctor_checks():
            return [DoctorCheck("legs", legs)]
    """
    moo.add("horse", plugin=source)
    codex("plugins", "trust", "horse")

    ran = codex("plugins", "doctor", "horse")

    assert (ran.status, ran.out) == (1, "horse: legs: three legs\n")


def test_the_doctor_does_not_import_what_is_not_trusted(distributions: Distributions, codex: Codex, home: Path) -> None:
    distributions.add("noisy", plugin=f"open({str(home / 'ran')!r}, 'w')")

    ran = codex("plugins", "doctor", "noisy")

    assert ran.out == "noisy: not examined, not trusted yet (run: codex plugins trust noisy)\n"
    assert not (home / "ran").exists()


def test_all_first_party_plugins_are_well(project: Project) -> None:
    ran = project.run("plugins", "doctor")

    ran.assert_success()
    findings = {line.partition(": ")[2] for line in ran.stdout.splitlines() if "remark" not in line}
    assert {finding for finding in findings if not finding.startswith("made for ")} == {"ok"}
