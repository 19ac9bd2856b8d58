"""Nothing but the protocol gets to standard output; closed, full and broken descriptors are borne."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from lasting_programs import SAID, SCRIPTED, TURN, LastingProgram

pytestmark = pytest.mark.usefixtures("this_machine")
STRAYS = {
    "import": "os.write(1, b'import\\n'); print('printed at import'); subprocess.run(['echo', 'child at import'])",
    "tools": "os.write(1, b'tools\\n'); print('printed'); subprocess.run(['echo', 'child']); subprocess.run(['cat'])",
    "rpc_methods": "subprocess.run(['echo', 'child of methods']); subprocess.run(['cat'])",
    "stop": "os.write(1, b'stop\\n'); os.system('echo shell'); print('dunder', file=sys.__stdout__, flush=True)",
}
NOISY = (
    f"import os, subprocess, sys\n{STRAYS['import']}\n"
    f"@hookimpl\ndef tools(thread):\n    {STRAYS['tools']}\n    return []\n"
    f"@hookimpl\ndef rpc_methods():\n    {STRAYS['rpc_methods']}\n    return []\n"
    f"@hookimpl\nasync def stop(event):\n    {STRAYS['stop']}\n"
)
WORDS = ("import", "printed at import", "child at import", "tools", "printed", "child", "stop", "shell", "dunder")
OPENING = [
    {"method": "initialize", "id": 1, "params": {"clientInfo": {"name": "t", "version": "1", "title": None}}},
    {"method": "initialized"},
    {"method": "thread/start", "id": 2, "params": {}},
]
COMMANDS = (("--version",), ("hooks", "list"), ("app-server",), TURN)


@pytest.fixture(scope="module")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> LastingProgram:
    return LastingProgram(tmp_path_factory.mktemp("noisy") / "place", NOISY)


def run(program: LastingProgram, *arguments: str, stdin: str = "", shell: str = "") -> subprocess.CompletedProcess[str]:
    """Run the program to its end.

    :param shell: redirections, if any.
    """
    command = shlex.join([program.program, *arguments])
    return subprocess.run(
        ["/bin/bash", "-c", f"{command} {shell}"], cwd=program.work, env=program.environ, input=stdin,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_what_plugins_and_their_children_write_stays_out_of_an_answer(noisy: LastingProgram) -> None:
    done = run(noisy, *TURN, stdin="more to read")

    assert (done.returncode, done.stdout) == (0, f"{SAID}\n")
    assert [word for word in WORDS if f"{word}\n" not in done.stderr] == []
    assert "<stdin>\nmore to read\n</stdin>\n" in done.stderr


def test_and_out_of_json_lines(noisy: LastingProgram) -> None:
    done = run(noisy, *TURN, "--json")

    kinds = [json.loads(line)["type"] for line in done.stdout.splitlines()]
    assert kinds == ["thread.started", "turn.started", "item.completed", "turn.completed"]


def test_and_out_of_the_app_servers_messages_whose_input_nobody_else_reads(noisy: LastingProgram) -> None:
    asked = "".join(f"{json.dumps(message)}\n" for message in OPENING)

    done = run(noisy, *SCRIPTED, "app-server", stdin=asked)

    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["id"] for answer in answers if "id" in answer] == [1, 2]
    assert "child of methods\n" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX descriptors")
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[-1])
def test_closed_descriptors_are_borne(tmp_path: Path, command: tuple[str, ...]) -> None:
    program = LastingProgram(tmp_path / "place")
    closing = {"0": "0<&-", "1": "1>&-", "2": "2>&-"}
    for closed in ("0", "1", "2", "12", "012"):
        more = "" if "0" in closed else " </dev/null"

        done = run(program, *command, shell=" ".join(closing[number] for number in closed) + more)

        assert (done.returncode, done.stderr.count("rror")) == (0, 0), (closed, done.stderr)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize(
    "command",
    [*(command for command in COMMANDS if command != ("app-server",)), ("plugins", "list", "--json")],
    ids=lambda c: c[-1],
)
def test_output_that_finds_no_room_is_one_error(tmp_path: Path, command: tuple[str, ...]) -> None:
    program = LastingProgram(tmp_path / "place")

    done = run(program, *command, shell="</dev/null >/dev/full")

    assert done.returncode == 1
    [told] = [line for line in done.stderr.splitlines() if "rror" in line or "Traceback" in line]
    assert told.startswith("Error: writing to standard output: No space left on device")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[-1])
def test_a_reader_that_leaves_early_is_no_error(tmp_path: Path, command: tuple[str, ...]) -> None:
    program = LastingProgram(tmp_path / "place")

    done = run(program, *command, shell="</dev/null | true; exit ${PIPESTATUS[0]}")

    assert done.returncode in (0, 1)
    assert "rror" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_the_wait_for_a_prompt(tmp_path: Path, number: signal.Signals, status: int) -> None:
    program = LastingProgram(tmp_path / "place").start(stdin=subprocess.PIPE)
    program.told("Reading additional input from stdin...")
    time.sleep(0.1)

    program.send(number)

    assert program.ended(5) == status
    assert "Traceback" not in program.err
