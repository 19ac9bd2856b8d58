"""Threads on disk as a person meets them: kept whatever happens to their files, found again, or told why not."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CODEX = str(Path(sys.executable).with_name("codex"))
LIMIT = 60
ZEROS = 3 * 1024**3


class Home:
    """A home with a work tree, and the program in it."""

    def __init__(self, folder: Path) -> None:
        self.codex = folder / ".codex"
        self.codex.mkdir()
        self.work = folder / "work"
        self.work.mkdir()
        self.env = {"HOME": str(folder), "CODEX_HOME": str(self.codex), "PATH": "/usr/bin:/bin"}

    def run(
        self, *steps: Any, words: tuple[str, ...] = ("exec",), before: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run a turn whose model does the steps, one in each response.

        :param before: what a shell does before it becomes the program.
        """
        script = self.codex.parent / "script.json"
        script.write_text(json.dumps([[step] for step in (*steps, {"say": "done"})]))
        arguments = [*words, "--json", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox"]
        arguments += ["-c", "model_provider=scripted", "-c", f"model_providers.scripted.script={str(script)!r}", "go"]
        return subprocess.run(
            ["/bin/sh", "-c", f"{before or ':'}; exec {shlex.join([CODEX, *arguments])}"],
            cwd=self.work,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )

    def rollouts(self) -> list[Path]:
        return sorted(path for path in self.codex.glob("sessions/*/*/*/*") if path.name.endswith(".jsonl"))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def events(run: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run.stdout.splitlines()]


def older(path: Path) -> None:
    """Make a file look as if it was written a minute ago."""
    moment = time.time() - 60
    os.utime(path, (moment, moment))


def damaged_line(path: Path) -> None:
    path.write_bytes(b"{" + path.read_bytes()[60:])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def a_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def zeros(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(ZEROS)


def nested_too_deeply(path: Path) -> None:
    path.write_bytes(b'{"type":"session_meta","payload":' + b"[" * 5000 + b"]" * 5000 + b"}\n" + path.read_bytes())
    path.write_bytes(path.read_bytes().partition(b"\n")[0] + b"\n")


DAMAGES = (damaged_line, emptied, a_directory, a_pipe, zeros, nested_too_deeply)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_newest_thread_that_can_not_be_read_is_not_passed_over(home: Home, damage: Callable[[Path], None]) -> None:
    assert home.run().returncode == 0
    (first,) = home.rollouts()
    older(first)
    assert home.run().returncode == 0
    (newest,) = set(home.rollouts()) - {first}
    damage(newest)
    before = first.read_bytes()

    last = home.run(words=("exec", "resume", "--last"))
    by_id = home.run(words=("exec", "resume", newest.name[-42:-6]))

    for run in (last, by_id):
        assert (run.returncode, run.stdout) == (1, "")
        assert run.stderr.count("\n") == 1
        assert str(newest) in run.stderr
    assert home.rollouts() == sorted([first, newest])
    assert first.read_bytes() == before
    assert home.run(words=("exec", "resume", first.name[-42:-6])).returncode == 0


@pytest.mark.parametrize("damage", DAMAGES)
def test_an_older_thread_that_can_not_be_read_is_in_nobodys_way(home: Home, damage: Callable[[Path], None]) -> None:
    assert home.run().returncode == 0
    (first,) = home.rollouts()
    damage(first)
    older(first)
    assert home.run().returncode == 0

    last = home.run(words=("exec", "resume", "--last"))

    assert last.returncode == 0
    assert len(home.rollouts()) == 2


def test_a_home_whose_threads_can_not_be_listed_gives_one_error(home: Home) -> None:
    assert home.run().returncode == 0
    (home.codex / "session_index.jsonl").mkdir()

    run = home.run(words=("exec", "resume", "--last"))

    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.count("\n") == 1
    assert "session_index.jsonl: Is a directory" in run.stderr


def keeps_all(path: Path) -> None:
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["type"] for line in lines].count("session_meta") == 1
    assert lines[0]["type"] == "session_meta"
    assert [line["payload"]["message"] for line in lines if line["payload"].get("type") == "agent_message"] == ["done"]
    kinds = [line["payload"].get("type") for line in lines if line["type"] == "response_item"]
    assert kinds.count("function_call") == kinds.count("function_call_output") == 1
    assert [line["payload"]["type"] for line in lines if line["type"] == "event_msg"][-1] == "task_complete"


FILE = "f=$(ls {sessions}/*/*/*/*)"


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("rm -r {sessions}", "was deleted"),
        (f"{FILE}; rm $f", "was deleted"),
        ("mv {sessions} {sessions}.old", "was deleted or moved"),
        (f"{FILE}; rm $f; echo other > $f", "was replaced"),
        (f"{FILE}; rm $f; mkdir $f", "was replaced"),
        (f"{FILE}; rm $f; mkfifo $f", "was replaced"),
        (f"{FILE}; cp $f $f.x; mv $f.x $f", "was replaced"),
        (f"{FILE}; rm $f; ln -s /dev/full $f", "was replaced"),
    ],
)
def test_a_thread_whose_file_goes_away_in_a_turn_is_kept_all_the_same(home: Home, command: str, told: str) -> None:
    run = home.run({"sh": command.format(sessions=home.codex / "sessions")})

    assert run.returncode == 0
    (path,) = home.rollouts()
    keeps_all(path)
    assert path.stat().st_mode & 0o777 == 0o600
    warnings = [event["item"]["message"] for event in events(run) if event.get("item", {}).get("type") == "error"]
    assert [told in warning and str(path) in warning for warning in warnings] == [True]
    assert home.run(words=("exec", "resume", "--last")).returncode == 0
    assert len(home.rollouts()) == 1


@pytest.mark.parametrize("command", ["chmod -R a-w {sessions}", f"{FILE}; chmod 400 $f"])
def test_a_thread_that_became_read_only_in_a_turn_is_kept_by_whoever_has_it_open(home: Home, command: str) -> None:
    run = home.run({"sh": command.format(sessions=home.codex / "sessions")})

    assert run.returncode == 0
    keeps_all(home.rollouts()[0])


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("rm -r {sessions}; echo in the way > {sessions}", "restoring the thread's file"),
        (f"{FILE}; : > $f", "program truncated it"),
    ],
)
def test_a_turn_whose_thread_can_not_be_kept_fails(home: Home, command: str, told: str) -> None:
    run = home.run({"sh": command.format(sessions=home.codex / "sessions")})

    assert run.returncode == 1
    assert events(run)[-1]["type"] == "turn.failed"
    assert told in events(run)[-1]["error"]["message"]


def test_a_turn_on_a_full_disk_fails_and_leaves_whole_lines(home: Home) -> None:
    run = home.run({"sh": "head -c 30000 /dev/zero | tr '\\0' x"}, before="ulimit -f 20")

    assert run.returncode == 1
    assert events(run)[-1]["type"] == "turn.failed"
    assert "File too large" in events(run)[-1]["error"]["message"]
    (path,) = home.rollouts()
    lines = path.read_bytes()
    assert lines.endswith(b"\n")
    assert all(json.loads(line) for line in lines.splitlines())


def test_a_thread_that_could_not_be_begun_leaves_no_file(home: Home) -> None:
    run = home.run(before="ulimit -f 2")

    assert run.returncode == 1
    assert "File too large" in events(run)[-1]["error"]["message"]
    assert home.rollouts() == []


def test_who_resumes_a_damaged_thread_is_warned_once_of_what_is_left_out(home: Home) -> None:
    assert home.run({"sh": "true"}).returncode == 0
    (path,) = home.rollouts()
    lines = path.read_bytes().splitlines(keepends=True)
    lines[3] = lines[3][:20] + b"\n"
    lines[5] = b"\0" * 40 + b"\n"
    path.write_bytes(b"".join(lines))

    run = home.run({"sh": "true"}, words=("exec", "resume", "--last"))

    assert run.returncode == 0
    warnings = [event["item"]["message"] for event in events(run) if event.get("item", {}).get("type") == "error"]
    told = f"reading the thread's file {path}: skipped 2 broken lines; the thread goes on without them"
    assert warnings == [told]


def test_a_torn_last_line_is_no_damage_that_is_told(home: Home) -> None:
    assert home.run().returncode == 0
    (path,) = home.rollouts()
    with path.open("ab") as file:
        file.write(b'{"timestamp":"2026-')

    run = home.run(words=("exec", "resume", "--last"))

    assert run.returncode == 0
    assert [event for event in events(run) if event.get("item", {}).get("type") == "error"] == []
