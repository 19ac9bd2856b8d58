"""The program's own command line: global options, help, exit statuses."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from codex_hookspecs.errors import ConfigError
from codex_host import __version__
from codex_host.known_commands import own_program
from codex_host.options import Trailing, parse

if TYPE_CHECKING:
    from codex_testkit import Project
    from tests.host.conftest import Codex, Distributions

MOO = """
    from codex_hookspecs import CliCommand, hookimpl

    async def moo(arguments, host):
        print(list(arguments), host.config.get("model"))
        return 0

    @hookimpl
    def cli_commands():
        return [CliCommand(name="moo", help="", run=moo)]
"""


# --- taking options out of a command line


@pytest.mark.parametrize(
    "line",
    [
        "-c model=a exec hi",
        "exec -c model=a hi",
        "exec hi -c model=a",
        "-cmodel=a exec hi",
        "-c=model=a exec hi",
        "--config model=a exec hi",
        "--config=model=a exec hi",
        "exec --config=model=a hi",
    ],
)
def test_global_options_may_stand_anywhere_and_in_every_form(line: str) -> None:
    options = parse(line.split(), cwd="/")

    assert options.overrides == {"model": "a"}
    assert (options.command, options.rest) == ("exec", ["hi"])


def test_everything_behind_two_dashes_is_left_alone() -> None:
    options = parse(["exec", "--", "-c", "model=a", "--no-plugins"], cwd="/")

    assert options.rest == ["--", "-c", "model=a", "--no-plugins"]
    assert options.overrides == {}


@pytest.mark.parametrize(
    ("line", "rest", "overrides"),
    [
        ("box linux -c a=1 -P x bash -c b -C d", "linux -P x bash -c b -C d", {"a": 1}),
        ("box -c a=1 linux -c b=2 -v bash -c c", "linux -v bash -c c", {"a": 1, "b": 2}),
        ("box -P x linux -c a=1 bash -c b", "-P x linux bash -c b", {"a": 1}),
        ("box linux -- -c b", "linux -- -c b", {}),
        ("box", "", {}),
    ],
)
def test_a_command_line_of_the_users_is_left_alone(line: str, rest: str, overrides: dict[str, int]) -> None:
    options = parse(line.split(), cwd="/", trailing={"box": Trailing(2, ("-P",))}.get)

    assert options.rest == rest.split()
    assert options.overrides == overrides


def test_a_plugin_says_where_a_command_line_of_the_users_begins(distributions: Distributions, codex: Codex) -> None:
    distributions.add(
        "cow", plugin=MOO, manifest='[commands]\nmoo = { help = "", trailing = 2, options = { "-n N" = "" } }'
    )
    codex("plugins", "trust", "cow")

    ran = codex("moo", "a", "-n", "b", "-c", "model=x", "c", "-c", "d")

    assert (ran.out, ran.err) == ("['a', '-n', 'b', 'c', '-c', 'd'] x\n", "")
    assert "moo" not in codex("--help").out


def test_a_link_with_the_name_of_a_command_is_that_command(distributions: Distributions, codex: Codex) -> None:
    distributions.add("cow", plugin=MOO, manifest='[commands]\nmoo = "Moo."')
    codex("plugins", "trust", "cow")
    programs = Path(sys.executable).parent
    for name in ("moo", "quack"):
        (programs / name).symlink_to("codex")

    done = [
        subprocess.run([programs / name, *words], capture_output=True, text=True, timeout=60, check=False)
        for name, *words in (("moo", "a", "b"), ("quack", "moo"), ("moo", "moo"))
    ]

    assert [each.stdout for each in done] == ["['a', 'b'] None\n", "[] None\n", "['moo'] None\n"]


def test_later_options_win() -> None:
    options = parse(["-c", "a=1", "--enable", "undo", "-c", "a=2", "--disable", "undo", "exec"], cwd="/")

    assert options.overrides == {"a": 2, "features.undo": False}


def test_directories_are_taken_one_from_the_other() -> None:
    assert parse(["-C", "a", "exec", "-C", "../b"], cwd="/x").cwd == "/x/b"
    assert parse(["--cd=/y"], cwd="/x").cwd == "/y"


def test_a_link_to_a_directory_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")

    assert parse(["-C", "link"], cwd=str(tmp_path.resolve())).cwd == str(tmp_path.resolve() / "real")


def test_options_of_the_sub_command_are_left_to_it() -> None:
    options = parse(["exec", "--json", "-o", "file", "-h", "-V", "-", "--unknown=1"], cwd="/")

    assert options.rest == ["--json", "-o", "file", "-h", "-V", "-", "--unknown=1"]
    assert not options.help


def test_aliases_of_features_become_their_keys() -> None:
    assert parse(["--enable", "codex_hooks"], cwd="/").overrides == {"features.hooks": True}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("-c", "a value is required for '-c' but none was supplied"),
        ("exec --profile", "a value is required for '--profile'"),
        ("--nonsense", "unexpected argument '--nonsense' found"),
        ("-x exec", "unexpected argument '-x' found"),
        ("-c model", "'model' is not of the form key=value"),
        ("--enable zzz", "Unknown feature flag: zzz (codex features list shows them all)"),
    ],
)
def test_a_wrong_command_line_is_told(line: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(line.split(), cwd="/")

    assert told in str(caught.value)


# --- running


@pytest.mark.parametrize("line", ["--version", "-V", "-c a=b --version"])
def test_the_version_is_printed(codex: Codex, line: str) -> None:
    ran = codex(*line.split())

    assert (ran.status, ran.out, ran.err) == (0, f"codex-host {__version__}\n", "")


@pytest.mark.parametrize("line", ["", "--help", "-h", "help"])
def test_help_lists_the_commands_of_the_host_and_of_plugins(codex: Codex, line: str) -> None:
    ran = codex(*line.split())

    assert ran.status == 0
    assert "Usage: codex [OPTIONS] COMMAND [ARGS]" in ran.out
    for command in ("exec", "plugins", "features"):
        assert f"\n  {command} " in ran.out


@pytest.mark.parametrize("line", ["--nonsense", "-c model exec", "exec --profile", "nosuch"])
def test_a_command_line_that_is_none_ends_with_status_two_and_usage(codex: Codex, line: str) -> None:
    ran = codex(*line.split())

    assert ran.status == 2
    assert ran.out == ""
    assert ran.err.startswith("error: ")
    assert "Usage: codex [OPTIONS] COMMAND [ARGS]" in ran.err
    assert "Traceback" not in ran.err


def test_an_unknown_sub_command_is_named(codex: Codex) -> None:
    assert codex("nosuch").err.startswith("error: unrecognized subcommand 'nosuch'\n")


@pytest.mark.parametrize("option", ["--enable", "--disable"])
def test_an_unknown_feature_ends_with_status_one(codex: Codex, option: str) -> None:
    ran = codex(option, "zzz", "exec", "hi")

    assert (ran.status, ran.err) == (1, "Error: Unknown feature flag: zzz (codex features list shows them all)\n")


def test_an_unknown_profile_ends_with_status_one(codex: Codex) -> None:
    ran = codex("-p", "nosuch", "exec", "hi")

    assert (ran.status, ran.err) == (1, "Error: config profile `nosuch` not found; there are: none\n")


def test_broken_configuration_ends_with_status_one_file_and_line(codex: Codex, home: Path) -> None:
    (home / "config.toml").write_text("a = 1\nb = \n")

    ran = codex("exec", "hi")

    assert ran.status == 1
    assert ran.err == f"Error: {home}/config.toml: is not TOML: Invalid value (at line 2, column 5)\n"


@pytest.mark.usefixtures("this_machine")
def test_a_missing_working_directory_is_told(codex: Codex) -> None:
    ran = codex("-C", "/nowhere/at/all", "exec", "hi")

    assert ran.status == 1
    assert ran.err == "Error: working directory /nowhere/at/all does not exist or is not a directory\n"


@pytest.mark.usefixtures("this_machine")
@pytest.mark.parametrize("listen", ["stdio://", "ws://127.0.0.1:0", "unix://socket"])
def test_an_app_server_with_a_broken_configuration_ends_before_it_listens(
    codex: Codex, home: Path, listen: str
) -> None:
    (home / "config.toml").write_text("a = 1\nb = \n")

    ran = codex("app-server", "--listen", listen)

    assert (ran.status, ran.out) == (1, "")
    assert ran.err == f"Error: {home}/config.toml: is not TOML: Invalid value (at line 2, column 5)\n"


@pytest.mark.parametrize("line", ["exec hi", "plugins list", "features list", "--help"])
def test_a_home_that_is_no_directory_is_told(
    codex: Codex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    (tmp_path / "file").write_text("")
    for value in (tmp_path / "missing", tmp_path / "file"):
        monkeypatch.setenv("CODEX_HOME", str(value))

        ran = codex(*line.split())

        assert (ran.status, ran.err) == (1, f"Error: CODEX_HOME is '{value}', which is not a directory\n")


def test_a_home_that_cannot_be_made_is_told(codex: Codex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "user").mkdir()
    (tmp_path / "user" / ".codex").write_text("")
    monkeypatch.delenv("CODEX_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "user"))

    ran = codex("plugins", "list")

    assert ran.status == 1
    assert ran.err == f"Error: {tmp_path}/user/.codex can't be made: File exists; set CODEX_HOME to a directory\n"


def test_the_default_home_is_made(codex: Codex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CODEX_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "user"))

    assert codex("plugins", "list").status == 0
    assert (tmp_path / "user" / ".codex").is_dir()


def test_a_relative_home_is_taken_from_where_the_program_starts(
    codex: Codex, home: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODEX_HOME", os.path.relpath(home, place))

    codex("-C", "/", "features", "enable", "undo")

    assert (home / "config.toml").read_text() == "[features]\nundo = true\n"


def test_a_working_directory_that_is_gone_is_told(project: Project) -> None:
    code = (
        "import os, sys; os.mkdir('gone'); os.chdir('gone'); os.rmdir('../gone'); os.execv(sys.argv[1], sys.argv[1:])"
    )
    program = str(Path(sys.executable).with_name("codex"))

    done = subprocess.run(
        [sys.executable, "-c", code, program, "features", "list"],
        cwd=project.root,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (1, "Error: the working directory does not exist any more\n")


def test_a_reader_that_goes_away_is_no_traceback(project: Project) -> None:
    program = str(Path(sys.executable).with_name("codex"))
    reading, writing = os.pipe()
    os.close(reading)

    done = subprocess.run(
        [program, "features", "list"],
        env={**os.environ, "CODEX_HOME": str(project.home)},
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)

    assert (done.returncode, done.stderr) == (1, "")


def test_the_version_costs_no_library(project: Project) -> None:
    code = (
        "import sys; from codex_host.cli import main; main(['--version']); "
        "print(sorted({'asyncio', 'importlib.metadata', 'stevedore', 'cattrs', 'attrs', 'pluggy'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "[]"


# --- helping people who type


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("--modle x exec hi", "tip: a similar argument exists: '--model'"),
        ("exce hi", "tip: a similar subcommand exists: 'exec'"),
        ("help exce", "tip: a similar subcommand exists: 'exec'"),
        ("help nope", "unrecognized subcommand 'nope'\n\n  tip: list the commands with codex --help"),
        (
            "help proto",
            "the command 'proto' is not part of this version\n\n  tip: serve programs with codex app-server",
        ),
        ("version", "tip: show the version with codex --version"),
        ("generate-ts", "tip: write the types with codex app-server generate-ts --out DIR"),
        ("responses-api-proxy", "the command 'responses-api-proxy' is not part of this version"),
        ("--remote unix://a --remote unix://b resume", "the argument '--remote <ADDR>' cannot be used multiple times"),
        (
            "--remote-auth-token-env A --remote-auth-token-env=A resume",
            "the argument '--remote-auth-token-env <ENV_VAR>' cannot be used multiple times",
        ),
        ("explain", "tip: the terminal interface is not part of this version; to give a prompt: codex exec explain"),
        ("-m gpt-5", "a subcommand is required"),
        ("-- hello", "to give a prompt: codex exec hello"),
        ("login", "set OPENAI_API_KEY"),
        ("mcp list", "the command 'mcp' is not part of this version"),
        ("-a sometimes exec hi", "[possible values: untrusted, on-failure, on-request, never]"),
        ("--oss=1 exec hi", "unexpected value '1' for '--oss'"),
        ("plugins list --jsn", "tip: a similar argument exists: '--json'"),
        ("plugins lst", "tip: a similar subcommand exists: 'list'"),
        ("plugins show", "required arguments were not provided:\n  <PLUGIN>"),
        ("plugins show a b", "unexpected argument 'b' found"),
        ("exec-server --ws-issuer --ws-audience x", "a value is required for '--ws-issuer <ISSUER>'"),
        ("features lst", "tip: a similar subcommand exists: 'list'"),
        (
            "hooks",
            "'codex hooks' requires a subcommand but one was not provided\n  [subcommands: list, trust, untrust]",
        ),
        ("features enable", "required arguments were not provided:\n  <FEATURE>"),
    ],
)
def test_a_slip_ends_with_status_two_and_what_was_meant(codex: Codex, line: str, told: str) -> None:
    ran = codex(*line.split())

    assert ran.status == 2
    assert told in ran.err


@pytest.mark.parametrize(
    ("line", "usage"),
    [
        ("help exec", "Usage: codex exec [OPTIONS]"),
        ("help exec review", "Usage: codex exec review"),
        ("help plugins", "Usage: codex plugins [COMMAND]"),
        ("help plugins show", "Usage: codex plugins show [OPTIONS] PLUGIN"),
        ("plugins show --help", "Usage: codex plugins show [OPTIONS] PLUGIN"),
        ("features list --help", "Usage: codex features list"),
        ("features enable -h", "Usage: codex features enable FEATURE"),
        ("features help", "Usage: codex features [COMMAND]"),
    ],
)
def test_help_is_that_of_the_command(codex: Codex, line: str, usage: str) -> None:
    ran = codex(*line.split())

    assert (ran.status, ran.err) == (0, "")
    assert usage in ran.out


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("-C a -C b exec hi", "the argument '--cd <DIR>' cannot be used multiple times"),
        ("exec --profile=a -p b hi", "the argument '--profile <CONFIG_PROFILE>' cannot be used multiple times"),
        ("-a never -anever exec hi", "'--ask-for-approval <APPROVAL_POLICY>' cannot be used multiple times"),
        ("--search --search exec hi", "the argument '--search' cannot be used multiple times"),
        (
            "-a never --yolo exec hi",
            "the argument '--ask-for-approval <APPROVAL_POLICY>' cannot be used with "
            "'--dangerously-bypass-approvals-and-sandbox'",
        ),
        (
            "--dangerously-bypass-approvals-and-sandbox -a never exec hi",
            "the argument '--dangerously-bypass-approvals-and-sandbox' cannot be used with "
            "'--ask-for-approval <APPROVAL_POLICY>'",
        ),
    ],
)
def test_options_that_contradict_one_another_are_refused(codex: Codex, line: str, told: str) -> None:
    ran = codex(*line.split())

    assert (ran.status, ran.out) == (2, "")
    assert told in ran.err


def test_options_of_the_interactive_program_are_kept_for_the_command(codex: Codex) -> None:
    line = ["-m", "a", "-sread-only", "-a", "never", "--image=b", "-i", "c", "--full-auto", "--search", "exec", "hi"]
    options = parse(line, cwd="/")

    assert (options.command, options.rest) == ("exec", ["hi"])
    assert options.overrides == {"approval_policy": "never", "web_search": "live"}
    assert options.interactive == [
        "--model=a",
        "--sandbox=read-only",
        "--image=b",
        "--image=c",
        "--full-auto",
        "--search",
    ]


def test_an_option_that_has_no_effect_on_a_command_is_told(codex: Codex) -> None:
    ran = codex("-m", "a", "features", "list")

    assert ran.status == 0
    assert ran.err == "warning: --model has no effect on codex features\n"


def test_what_an_error_quotes_is_shown_and_not_obeyed(codex: Codex) -> None:
    assert "unrecognized subcommand '^[[2J'" in codex("\x1b[2J").err


def test_what_a_plugin_says_of_itself_is_shown_and_not_obeyed(codex: Codex, distributions: Distributions) -> None:
    distributions.add("noisy", version="1\x1b[2J", manifest='commands = { "moo" = "M\\u001b[2Joo\\u202e\\nexec  Run" }')

    assert "Trusted plugin noisy (codex-noisy 1^[[2J," in codex("plugins", "trust", "noisy").out
    assert "M^[[2Joo<U+202E>^Jexec  Run\n" in codex("--help").out


def test_help_lists_the_commands_that_would_run(codex: Codex, distributions: Distributions) -> None:
    distributions.add("cow", manifest='hooks = ["cli_commands"]\ncommands = { moo = "Moo." }')
    distributions.add("yak", manifest='hooks = ["cli_commands"]\ncommands = { moo = "Grunt.", grunt = "Grunt." }')
    unlisted = codex("--help").out

    codex("plugins", "trust", "cow")
    trusted = codex("--help").out
    codex("plugins", "trust", "yak")
    both = codex("--help").out
    chosen = codex("-c", 'plugin_order.cli_commands="yak"', "--help").out

    assert "moo" not in unlisted
    assert "  moo          Moo.\n" in trusted
    assert "grunt" not in trusted
    assert "  moo          offered by cow and yak; neither is used\n" in both
    assert "  moo          Grunt.\n" in chosen


def test_the_page_about_the_command_line_names_every_option_and_command(codex: Codex) -> None:
    page = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text()
    program = own_program()

    names = [name for option in (*program.options, *program.root.options) for name in option.names]
    listed = [line.split()[0] for line in codex("--help").out.splitlines() if re.match(r"  [a-z]", line)]

    assert len(listed) > 10
    assert [name for name in names if f"`{name}`" not in page and f"`{name} " not in page] == []
    assert [name for name in listed if name != "help" and f"`codex {name}" not in page] == []


def test_a_declared_command_is_checked_and_described_without_being_imported(
    codex: Codex, distributions: Distributions
) -> None:
    manifest = """hooks = ["cli_commands"]
[commands.moo]
help = "Moo."
group = "Farm"
arguments = { "[COW]" = "Who" }
options = { "--tone TONE" = { help = "How", values = ["low", "high"] }, "--secret" = "" }
[commands.moo.commands.loudly]
help = "Moo loudly."
"""
    distributions.add("cow", plugin="raise RuntimeError('imported')", manifest=manifest)
    assert "moo" not in codex("--help").out
    assert "moo" not in codex("completion").out
    codex("plugins", "trust", "cow")

    assert "\nFarm:\n  moo " in codex("--help").out
    shown = codex("moo", "loudly", "--help")
    assert (shown.status, shown.err) == (0, "")
    assert shown.out.startswith("Moo loudly.\n\nUsage: codex moo loudly [OPTIONS]\n")
    assert "--tone TONE  How [possible values: low, high]\n" in shown.out
    assert "--secret" not in shown.out
    assert codex("help", "moo", "loudly").out == shown.out
    assert codex("moo", "help", "loudly").out == shown.out
    assert "moo loudly" in codex("completion", "bash").out


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("moo --ton low", "a similar argument exists: '--tone'"),
        ("moo --tone", "a value is required for '--tone <TONE>' but none was supplied"),
        ("moo --tone=lo", "a similar value exists: 'low'"),
        ("moo loudly x", "unexpected argument 'x' found\n\nUsage: codex moo loudly [OPTIONS]\n"),
        ("moo a b", "unexpected argument 'b' found"),
    ],
)
def test_what_a_manifest_does_not_declare_is_refused(
    codex: Codex, distributions: Distributions, line: str, told: str
) -> None:
    manifest = """[commands.moo]
help = "Moo."
arguments = { "[COW]" = "Who" }
options = { "--tone TONE" = { help = "How", values = ["low", "high"] } }
commands = { loudly = "Moo loudly." }
"""
    distributions.add("cow", plugin=MOO, manifest=manifest)
    codex("plugins", "trust", "cow")

    ran = codex(*line.split())

    assert (ran.status, ran.out) == (2, "")
    assert told in ran.err
    assert codex("moo", "daisy", "--tone", "low").out.startswith("['daisy', '--tone', 'low']")


def test_an_unknown_feature_is_told_with_a_similar_one(codex: Codex) -> None:
    for words in (("--enable", "shell_tol", "features", "list"), ("features", "enable", "shell_tol")):
        ran = codex(*words)

        assert (ran.status, ran.err) == (1, "Error: Unknown feature flag: shell_tol; did you mean shell_tool?\n")


@pytest.mark.parametrize(
    ("line", "usage"),
    [
        ("app-server", "Usage: codex app-server [OPTIONS] [COMMAND]"),
        ("plugins", "Usage: codex plugins [COMMAND]"),
        ("debug", "Usage: codex debug COMMAND"),
    ],
)
def test_usage_tells_whether_a_command_can_be_left_out(codex: Codex, line: str, usage: str) -> None:
    assert usage in codex(line, "--help").out
    assert f"{usage}\n" in codex(line, "nosuch").err


def test_without_words_the_commands_are_listed_in_short(codex: Codex) -> None:
    short, full = codex(), codex("--help")

    assert (short.status, short.err) == (0, "")
    assert "  exec " in short.out
    assert "--config" not in short.out
    assert short.out.endswith("\n\ncodex --help also describes the options, codex help COMMAND a command.\n")
    assert full.out.startswith(short.out.rpartition("\n\n")[0])
    assert "--config" in full.out
