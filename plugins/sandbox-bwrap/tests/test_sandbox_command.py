"""``codex sandbox`` parses its command line, chooses its policy and reports errors clearly."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from codex_hookspecs.errors import ConfigError
from codex_hookspecs.sandbox import FileSystemEntry, SpecialPath
from codex_sandbox_bwrap import fast_command
from codex_sandbox_bwrap.binary import probe_binary
from codex_sandbox_bwrap.options import Options, parse
from codex_sandbox_bwrap.policy_option import choose_policy
from codex_sandbox_bwrap.programs import find_command
from codex_sandboxing.profiles import read_profile

needs_bwrap = pytest.mark.skipif(shutil.which("bwrap") is None, reason="bwrap is not installed")


class Table:
    """A configuration that is a plain table."""

    def __init__(self, **table: Any) -> None:
        self.table = table

    def get(self, key: str, default: Any = None) -> Any:
        return self.table.get(key, default)


def chosen(table: dict[str, Any], *arguments: str) -> Any:
    return choose_policy(parse(["linux", *arguments, "--", "ls"]), Table(**table), "/w")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["linux", "ls", "-l", "--help"], Options("linux", ("ls", "-l", "--help"))),
        (["linux", "--full-auto", "--", "ls"], Options("linux", ("ls",), full_auto=True)),
        (["landlock", "-P", ":workspace", "ls"], Options("linux", ("ls",), profile=":workspace")),
        (["linux", "--permissions=x", "--", "-odd"], Options("linux", ("-odd",), profile="x")),
        (["seatbelt", "ls"], Options("macos", ("ls",))),
    ],
)
def test_a_command_line_is_read_up_to_the_command(arguments: list[str], wanted: Options) -> None:
    assert parse(arguments) == wanted


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["bsd", "ls"], "codex sandbox takes linux, macos or windows, found 'bsd'"),
        ([], "codex sandbox takes linux, macos or windows, and a command"),
        (["linux"], "codex sandbox linux got no command to run"),
        (["linux", "--"], "codex sandbox linux got no command to run"),
        (["linux", "--nope", "ls"], "unexpected argument '--nope' found; put -- in front of the command"),
        (["linux", "-P"], "a value is required for '-P <PROFILE>'"),
        (["linux", "--full-auto", "-P", "x", "ls"], "the argument '--full-auto' cannot be used with"),
    ],
)
def test_a_wrong_command_line_is_an_error(arguments: list[str], problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(arguments)

    assert str(caught.value).startswith(problem)


def test_a_wrong_command_line_exits_with_status_two(tmp_path: Path) -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("codex"), "sandbox", "linux", "--nope", "--", "ls"],
        cwd=tmp_path,
        env={**os.environ, "CODEX_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(
        "Error: unexpected argument '--nope' found; put -- in front of the command\n\nUsage: "
    )


def test_the_policy_comes_from_the_option_or_else_from_the_configuration() -> None:
    full = {"sandbox_mode": "danger-full-access"}

    assert chosen({}).policy.kind == "readOnly"
    assert chosen({}, "--full-auto").policy.kind == "workspaceWrite"
    assert chosen(full).policy.kind == "dangerFullAccess"
    assert chosen(full, "--full-auto").policy.kind == "workspaceWrite"
    assert chosen(full, "-P", ":read-only").policy.kind == "readOnly"
    assert chosen({"default_permissions": ":workspace"}).policy.kind == "workspaceWrite"
    assert chosen({"sandbox_workspace_write": {"network_access": True}}, "--full-auto").policy.network_access


def test_profiles_of_the_configuration_are_read() -> None:
    table = {"filesystem": {":root": "read", ":project_roots": {".": "write", "secret": "none"}, "/srv": "write"}}

    found = read_profile(table, "permissions.mine")

    assert found.network == "restricted"
    assert found.file_system.entries == (
        FileSystemEntry(SpecialPath("root"), "read"),
        FileSystemEntry(SpecialPath("project_roots"), "write"),
        FileSystemEntry(SpecialPath("project_roots", "secret"), "none"),
        FileSystemEntry("/srv", "write"),
    )


@pytest.mark.parametrize(
    ("profile", "problem"),
    [
        ("x", "permissions.p is 'x', expected a table"),
        ({"filesystem": 1}, "permissions.p.filesystem is 1, expected a table"),
        ({"filesystem": {"rel": "read"}}, "a permission profile has the path 'rel'"),
        ({"filesystem": {"/a/*.env": "read"}}, "permissions.p.filesystem has the pattern '/a/*.env' with access read"),
        ({"filesystem": {"/a": "all"}}, "permissions.p.filesystem./a is 'all', allowed: none, read, write"),
        ({"filesystem": {":project_roots": {"../x": "read"}}}, "permissions.p.filesystem.:project_roots has '../x'"),
        ({"filesystem": {":tmpdir": {"x": "read"}}}, "permissions.p.filesystem.:tmpdir has 'x'"),
        ({"network": "some"}, 'the network policy is "some", allowed: restricted, enabled'),
    ],
)
def test_a_wrong_profile_is_one_clear_line(profile: Any, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        chosen({"permissions": {"p": profile}}, "-P", "p")

    assert str(caught.value).startswith(problem)
    assert "\n" not in str(caught.value)


def test_an_unknown_profile_names_those_there_are() -> None:
    with pytest.raises(ConfigError, match="there are: :read-only, :workspace, :danger-full-access, mine"):
        chosen({"permissions": {"mine": {}}}, "-P", "other")
    with pytest.raises(ConfigError, match="permission profile '' not found"):
        chosen({}, "-P", "")


def test_programs_are_found_as_a_shell_finds_them(tmp_path: Path) -> None:
    program, text = tmp_path / "program", tmp_path / "text"
    program.write_text("")
    program.chmod(0o755)
    text.write_text("")
    text.chmod(0o644)

    assert find_command("program", f"/nowhere:{tmp_path}", "/") == str(program)
    assert find_command("./program", "", str(tmp_path)) == f"{tmp_path}/./program"
    assert find_command("program", "/nowhere", "/") == 127
    assert find_command("./text", "", str(tmp_path)) == 126
    assert find_command("./none", "", str(tmp_path)) == 127


@needs_bwrap
@pytest.mark.parametrize(
    ("arguments", "config", "used"),
    [
        (("linux", "--full-auto", "--", "true"), "", True),
        (("linux", "--", "true"), 'model = "x"', True),
        (("linux", "--", "true"), 'sandbox_mode = "danger-full-access"', False),
        (("linux", "--", "true"), "[plugins.sandbox-bwrap]\nenabled = false", False),
        (("linux", "-P", ":workspace", "--", "true"), "", False),
        (("linux", "true"), "", False),
        (("macos", "--", "true"), "", False),
        (("linux", "--", "no-such-program"), "", False),
        (("linux", "--"), "", False),
    ],
)
def test_the_fast_command_is_used_only_where_nothing_else_affects_the_policy(
    arguments: tuple[str, ...], config: str, used: bool, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "config.toml").write_text(config)
    probe_binary(str(shutil.which("bwrap")), str(home))
    # It copies its process, to have somebody who cleans up after it.
    code = "import sys; from codex_sandbox_bwrap.fast_command import run; print(run(sys.argv[2:], sys.argv[1]))"

    done = subprocess.run(
        [sys.executable, "-I", "-c", code, str(home), *arguments],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert (done.stdout, done.stderr) == (f"{0 if used else None}\n", "")


@needs_bwrap
def test_a_configuration_of_the_project_rules_out_the_fast_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ws" / ".codex").mkdir(parents=True)
    (tmp_path / "ws" / ".codex" / "config.toml").write_text("")
    probe_binary(str(shutil.which("bwrap")), str(tmp_path))
    monkeypatch.chdir(tmp_path / "ws")

    assert fast_command.run(("linux", "--", "true"), str(tmp_path)) is None
    assert os.listdir(tmp_path / "ws") == [".codex"]


@needs_bwrap
def test_a_pipe_as_configuration_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    probe_binary(str(shutil.which("bwrap")), str(tmp_path))
    os.mkfifo(tmp_path / "config.toml")
    monkeypatch.chdir(tmp_path)

    assert fast_command.run(("linux", "--", "true"), str(tmp_path)) is None


def test_the_fast_command_imports_no_slow_libraries() -> None:
    code = (
        "import sys; before = set(sys.modules); import codex_host.cli, codex_host.fast_commands;"
        "import codex_sandbox_bwrap.fast_command; print(*sorted(set(sys.modules) - before))"
    )

    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, timeout=30, check=True)

    modules = set(done.stdout.split())
    assert modules & {"attrs", "asyncio", "collections", "contextlib", "enum", "functools", "re", "typing"} == set()
    assert len(modules) < 50


@needs_bwrap
def test_the_default_policy_is_that_of_the_help(tmp_path: Path) -> None:
    project, home = tmp_path / "project", tmp_path / "home"
    (project / ".git").mkdir(parents=True)
    (project / ".git" / "HEAD").touch()
    home.mkdir()

    def codex(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [Path(sys.executable).with_name("codex"), "sandbox", *words],
            cwd=project,
            env={"PATH": os.environ["PATH"], "HOME": str(home), "CODEX_HOME": str(home), "COLUMNS": "110"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    told = " ".join(codex("--help").stdout.split()).replace("- ", "-")  # A line may end behind a hyphen.
    unknown = [codex("linux", "touch", "unknown").returncode for _ in range(2)]
    (home / "config.toml").write_text(f'[projects."{project}/"]\ntrust_level = "trusted"\n')
    trusted = [codex("linux", "touch", "trusted").returncode for _ in range(2)]

    assert "by default it is workspace-write in a project that you trust, and read-only anywhere else" in told
    assert (unknown, trusted) == ([1, 1], [0, 0])
    assert not (project / "unknown").exists()
    assert (project / "trusted").exists()
