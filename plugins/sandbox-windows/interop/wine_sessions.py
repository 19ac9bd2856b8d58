"""The Windows code works under Wine: named pipes, jobs, restricted tokens, pseudo consoles, the runner program."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from prepare import PLACE, ROOT

LIMIT = 120
Ask = Callable[..., dict]


@pytest.fixture(scope="session")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    folders = [ROOT / "plugins/sandbox-windows/src", ROOT / "hookspecs/src", PLACE / "libraries"]
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path_factory.mktemp("home")),
        "WINEPREFIX": str(PLACE / "prefix"),
        "WINEDEBUG": "-all",
        "DISPLAY": "",
        "PYTHONPATH": ";".join("Z:" + str(folder).replace("/", "\\") for folder in folders),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = ["timeout", "900", "wine", str(PLACE / "cp311/python.exe"), str(Path(__file__).with_name("driver.py"))]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, env=env, text=True, **pipes) as driver:

        def play(*command: str, **more) -> dict:
            request = {"command": command, **more.pop("request", {})}
            driver.stdin.write(json.dumps({"request": request, **more}) + "\n")
            driver.stdin.flush()
            return json.loads(driver.stdout.readline())

        yield play
        driver.stdin.close()
        driver.wait(LIMIT)
    subprocess.run(["wineserver", "-k"], env=env, check=False, timeout=LIMIT)


def test_a_command_runs_and_its_output_and_exit_come_through_named_pipes(ask: Ask) -> None:
    answer = ask("cmd.exe", "/c", "echo out&echo err>&2&exit 7")

    assert (answer["stdout"], answer["stderr"]) == ("out\r\n", "err\r\n")
    assert (answer["exit"], answer["runner"], answer["timed_out"]) == (7, 7, False)


def test_input_goes_in_and_ends(ask: Ask) -> None:
    script = "import sys; print(sys.stdin.read()[::-1])"
    steps = [("write", base64.b64encode(b"abc").decode()), ("close_stdin", [])]

    answer = ask("python", "-c", script, request={"stdin_open": True}, steps=steps)

    assert answer["stdout"] == "cba\r\n"


def test_arguments_arrive_as_they_were_given(ask: Ask) -> None:
    given = ["", "a b", 'say "hi"', "back\\slash\\", 'x\\"y', "ü"]

    answer = ask("python", "-X", "utf8", "-c", "import sys, json; print(json.dumps(sys.argv[1:]))", *given)

    assert json.loads(answer["stdout"]) == given


def test_the_environment_is_what_was_asked_for(ask: Ask) -> None:
    script = "import os; print(os.environ['GREETING'], 'USERPROFILE' in os.environ)"

    answer = ask("python", "-c", script, request={"env": {"GREETING": "hallo", "SYSTEMROOT": "C:\\windows"}})

    assert answer["stdout"].split() == ["hallo", "False"]


def test_a_large_output_comes_whole(ask: Ask) -> None:
    answer = ask("python", "-c", "import sys; sys.stdout.write('x' * 3_000_000)")

    assert len(answer["stdout"]) == 3_000_000


def test_a_command_that_takes_too_long_ends_with_192(ask: Ask) -> None:
    script = "import time; print(1, flush=True); time.sleep(60)"

    answer = ask("python", "-c", script, request={"timeout_ms": 4000})

    assert (answer["exit"], answer["timed_out"], answer["runner"]) == (192, True, 192)


def test_what_a_command_started_ends_with_it_in_its_job(ask: Ask) -> None:
    script = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); print(1)"

    answer = ask("python", "-c", script)

    # The child keeps the output open, so that EOF comes only when the whole job has ended.
    assert answer["exit"] == 0
    assert answer["seconds"] < 30


def test_a_command_is_terminated_on_request(ask: Ask) -> None:
    script = "import time; print(1, flush=True); time.sleep(60)"

    answer = ask("python", "-c", script, then={"stdout": [("terminate", [])]})

    assert answer["exit"] == 1
    assert answer["seconds"] < 30


def test_a_pseudo_console_shows_what_is_written_to_it(ask: Ask) -> None:
    answer = ask("cmd.exe", "/c", "echo hello> CON&exit 5", request={"tty": True}, steps=[("resize", [30, 100])])

    assert "hello" in answer["stdout"]
    assert (answer["stderr"], answer["exit"]) == ("", 5)


def test_a_command_that_can_not_be_started_is_a_structured_result(ask: Ask) -> None:
    answer = ask("no-such-program.exe")

    assert answer["error"].startswith(
        "the command was not run: sandbox-windows: runner error: start no-such-program.exe:"
    )


def test_an_identifier_that_is_none_keeps_the_command_from_running(ask: Ask) -> None:
    answer = ask("cmd.exe", "/c", "exit", request={"cap_sids": ["nonsense"]})

    assert "runner error: read the SID nonsense" in answer["error"]


def test_a_pipe_that_another_process_opened_is_refused(ask: Ask) -> None:
    assert "not by the runner 1" in ask("cmd.exe", pretend=True)["error"]


def test_a_runner_that_never_comes_is_waited_for_in_bounds(ask: Ask) -> None:
    answer = ask(unanswered=True)

    assert answer["error"] == "the runner did not open its pipes"
    assert 1 <= answer["seconds"] < 10
    assert answer["threads"] == 1
