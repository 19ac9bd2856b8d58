"""Arguments for the Windows API have the right format."""

from __future__ import annotations

import ctypes
import sys
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex_sandbox_windows.access import cap_sid, icacls_calls
from codex_sandbox_windows.command_line import command_line, environment_block
from codex_sandbox_windows.names import pipe_access, pipe_names, runner_arguments
from codex_sandbox_windows.runner_program import main
from codex_sandbox_windows.windows import api


def split(line: str) -> list[str]:
    """Split a line as the Microsoft C runtime does."""
    arguments, current, quoted, started, at = [], "", False, False, 0
    while at < len(line):
        slashes = len(line[at:]) - len(line[at:].lstrip("\\"))
        if slashes and line[at + slashes : at + slashes + 1] == '"':
            current += "\\" * (slashes // 2)
            at += slashes
            started = True
            if slashes % 2:
                current += '"'
                at += 1
            continue
        character = line[at]
        at += 1
        if character == '"':
            quoted, started = not quoted, True
        elif character in " \t" and not quoted:
            if started:
                arguments.append(current)
            current, started = "", False
        else:
            current += character
            started = True
    return [*arguments, current] if started else arguments


@given(st.lists(st.text(st.sampled_from('a \\"\t'), max_size=8), max_size=5))
def test_a_command_line_is_split_into_its_arguments_again(arguments: list[str]) -> None:
    assert split(command_line(arguments)) == arguments


def test_arguments_are_quoted_only_if_necessary() -> None:
    assert command_line(["cmd", r"C:\a\b", "a b\\", ""]) == 'cmd C:\\a\\b "a b\\\\" ""'


def test_an_environment_is_sorted_without_regard_to_case_and_ends_with_an_empty_line() -> None:
    assert environment_block({"b": "2", "A": "1", "C": ""}) == "A=1\0b=2\0C=\0\0"
    assert environment_block({}) == "\0\0"


def test_pipes_have_random_names_of_128_bits() -> None:
    pipe_in, pipe_out = pipe_names()

    assert pipe_in.removesuffix("-in") == pipe_out.removesuffix("-out")
    assert len(pipe_in) == len("\\\\.\\pipe\\codex-runner-") + 32 + 3
    assert pipe_in not in pipe_names()
    assert runner_arguments("a", "b") == ["--pipe-in=a", "--pipe-out=b"]
    assert pipe_access("S-1-5-7") == "D:(A;;GA;;;S-1-5-7)"


def test_writing_is_granted_to_both_sids_and_denied_for_read_only_paths() -> None:
    assert icacls_calls(["C:\\w"], ["C:\\w\\.git"], ["S-1", "S-2"]) == [
        ["icacls", "C:\\w", "/grant", "*S-1:(OI)(CI)M", "*S-2:(OI)(CI)M", "/Q"],
        ["icacls", "C:\\w\\.git", "/deny", "*S-1:(OI)(CI)(W,D,DC)", "*S-2:(OI)(CI)(W,D,DC)", "/Q"],
    ]


def test_the_sid_of_restricted_tokens_is_generated_once(tmp_path: Path) -> None:
    first = cap_sid(str(tmp_path))

    assert first.startswith("S-1-5-21-")
    assert len(first.split("-")) == 8
    assert cap_sid(str(tmp_path)) == first


@pytest.mark.skipif(ctypes.sizeof(ctypes.c_void_p) != 8, reason="sizes of 64-bit machines")
@pytest.mark.parametrize(
    ("structure", "size"),
    [
        (api.SecurityAttributes, 24), (api.StartupInfo, 104), (api.StartupInfoEx, 112), (api.ProcessInformation, 24),
        (api.JobLimits, 144), (api.SidAndAttributes, 16),
    ],
)  # fmt: skip
def test_structures_have_the_sizes_of_the_windows_api(structure: type, size: int) -> None:
    assert ctypes.sizeof(structure) == size


@pytest.mark.parametrize("name", ["console", "desktops", "jobs", "logon", "pipes", "processes", "tokens"])
def test_the_windows_modules_can_be_imported_everywhere(name: str) -> None:
    assert import_module(f"codex_sandbox_windows.windows.{name}")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "runner: no pipe-in provided\n"),
        (["--pipe-in=a"], "runner: no pipe-out provided\n"),
        (["--pipe-out=a"], "runner: no pipe-in provided\n"),
    ],
)
def test_a_runner_needs_both_pipes(arguments: list[str], text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 1
    assert capsys.readouterr().err == text


@pytest.mark.skipif(sys.platform == "win32", reason="tests another platform")
def test_a_runner_on_another_platform_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--pipe-in=a", "--pipe-out=b"]) == 1
    assert capsys.readouterr().err == "runner: it runs on Windows only\n"
