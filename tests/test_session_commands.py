"""The commands for saved sessions, in the whole program with sessions on disk."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from codex_testkit.servers.responses import ResponsesServer

PROGRAM = Path(sys.executable).with_name("codex")
LIMIT = 60
NOBODY = "01999999-9999-7999-8999-999999999999"
PATCH = "*** Begin Patch\n*** Add File: new.txt\n+hello\n*** End Patch"


class Sessions:
    """The program in a home of its own."""

    def __init__(self, folder: Path, server: ResponsesServer) -> None:
        self.ws = folder / "ws"
        self.home = folder / "home"
        for each in (self.ws, self.home):
            each.mkdir()
        (self.ws / ".git").mkdir()
        (self.ws / ".git" / "HEAD").touch()
        (self.home / "config.toml").write_text(
            'model = "gpt-5.2-codex"\nmodel_provider = "mock"\n[model_providers.mock]\nname = "mock"\n'
            f'base_url = "{server.url}"\nwire_api = "responses"\n'
        )
        self.server = server
        self.environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "CODEX_HOME": str(self.home)}

    def __call__(self, *words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(PROGRAM), *words],
            cwd=cwd or self.ws,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )

    def begin(self, prompt: str, *steps: list[dict[str, Any]]) -> str:
        """Run a turn of a new session and return its id."""
        self.server.play([*steps, [{"say": "done"}]])
        ran = self("exec", "--json", "--yolo", prompt)
        assert ran.returncode == 0, ran.stderr
        thread_id: str = json.loads(ran.stdout.splitlines()[0])["thread_id"]
        return thread_id

    def name(self, thread_id: str, name: str) -> None:
        entry = {"id": thread_id, "thread_name": name, "updated_at": "2026-01-01T00:00:00Z"}
        with (self.home / "session_index.jsonl").open("a") as index:
            index.write(json.dumps(entry) + "\n")


@pytest.fixture
def codex(tmp_path: Path) -> Iterator[Sessions]:
    with ResponsesServer() as server:
        yield Sessions(tmp_path, server)


def test_sessions_are_archived_and_brought_back_by_id_and_by_name(codex: Sessions) -> None:
    one, two = codex.begin("one"), codex.begin("two")
    codex.name(two, "second")

    done = codex("archive", one, "second")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"Archived session {one}.\nArchived session {two} (second).\n"
    assert "No sessions of this directory" in codex("resume").stdout
    for command in ("resume", "fork"):
        told = codex("exec", command, one, "hi")
        assert (told.returncode, told.stdout) == (1, "")
        assert told.stderr.endswith(f"Error: session {one} is archived; bring it back with: codex unarchive {one}\n")
        put_away = codex(command, "second")
        assert (put_away.returncode, put_away.stdout) == (1, "")
        assert put_away.stderr == f"Error: session `second` is archived; bring it back with: codex unarchive {two}\n"
        again = codex(command, one)
        assert again.stderr == f"Error: session {one} is archived; bring it back with: codex unarchive {one}\n"
    again = codex("archive", one)
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr == f"Error: there is no session {one}, or it is archived already\n"
    listed = codex("resume", "--archived").stdout
    assert one in listed
    assert two in listed
    assert "Bring one back with: codex unarchive SESSION" in listed
    assert "(codex resume --archived lists them)" in codex("unarchive", "third").stderr
    back = codex("unarchive", "second", one)
    assert (back.returncode, back.stdout) == (0, f"Unarchived session {two} (second).\nUnarchived session {one}.\n")
    assert codex("unarchive", one).stderr == f"Error: there is no archived session {one}\n"


def test_those_that_are_there_are_archived_and_the_others_told(codex: Sessions) -> None:
    one = codex.begin("one")

    done = codex("archive", "nosuch", one, NOBODY)

    assert (done.returncode, done.stdout) == (1, f"Archived session {one}.\n")
    assert done.stderr.splitlines() == [
        "Error: no session is named `nosuch`; give a name or a whole id (codex resume --all lists them)",
        f"Error: there is no session {NOBODY}, or it is archived already",
    ]


def test_a_name_of_several_sessions_is_refused_with_their_ids(codex: Sessions) -> None:
    ids = [codex.begin("one"), codex.begin("two")]
    for each in ids:
        codex.name(each, "same")

    done = codex("archive", "same")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: 2 sessions are named `same`; give the whole id of one:\n")
    assert all(f"\n  {each}" in done.stderr for each in ids)


@pytest.mark.parametrize("command", ["resume", "fork"])
def test_the_command_that_goes_on_with_a_session_is_shown(codex: Sessions, command: str) -> None:
    first, last = codex.begin("fix the tests"), codex.begin("write docs")
    codex.name(first, "tests")

    listed = codex(command)
    assert (listed.returncode, listed.stderr) == (0, "")
    assert [line.split()[0] for line in listed.stdout.splitlines()[1:3]] == [last, first]
    assert "write docs" in listed.stdout
    assert listed.stdout.endswith(f"\n\nGo on with one: codex exec {command} SESSION PROMPT\n")
    for words, wanted in (
        (["--last"], f"{last} PROMPT"),
        (["--last", "go on"], f"{last} 'go on'"),
        (["tests"], f"{first} PROMPT"),
        ([first, "it's"], f"""{first} 'it'"'"'s'"""),
    ):
        told = codex(command, *words)
        assert (told.returncode, told.stdout) == (2, "")
        assert told.stderr == (
            f"error: codex {command} needs the terminal interface, which is not part of this version\n\n"
            f"  tip: run a turn with: codex exec {command} {wanted}\n"
        )
    assert codex(command, "nosuch").returncode == 1
    assert "there is no session of this directory" in codex(command, "--last", cwd=codex.home).stderr
    assert last in codex(command, "--last", "--all", cwd=codex.home).stderr


def test_a_session_is_named_by_the_start_of_its_id(codex: Sessions) -> None:
    one = codex.begin("one")

    told = codex("resume", one[:13].upper())
    short = codex("archive", one[:7])
    missing = codex("resume", NOBODY)
    assert codex("apply", NOBODY).stderr == missing.stderr
    done = codex("archive", one[:8])

    assert f"codex exec resume {one} PROMPT" in told.stderr
    assert short.stderr.startswith(f"Error: no session is named `{one[:7]}`; give a name or a whole id")
    assert (missing.returncode, missing.stderr) == (
        1,
        f"Error: there is no session {NOBODY} (codex resume --all lists them)\n",
    )
    assert (done.returncode, done.stdout) == (0, f"Archived session {one} ({one[:8]}).\n")


@pytest.mark.usefixtures("this_machine")
def test_changes_of_a_session_are_applied_where_they_are_missing(codex: Sessions, tmp_path: Path) -> None:
    thread_id = codex.begin("add it", [{"patch": PATCH}])
    assert (codex.ws / "new.txt").read_text() == "hello\n"
    other = tmp_path / "other"
    (other / ".git").mkdir(parents=True)

    present = codex("apply", thread_id)
    check = codex("apply", "--check", thread_id, cwd=other)
    assert (present.returncode, present.stdout) == (0, "The files have these changes already.\n")
    assert (check.returncode, check.stdout) == (0, f"1 change can be applied in {other}:\n  new.txt\n")
    assert not (other / "new.txt").exists()

    done = codex("a", thread_id, cwd=other)
    assert (done.returncode, done.stdout) == (0, f"1 change applied in {other}:\n  new.txt\n")
    assert (other / "new.txt").read_text() == "hello\n"

    (other / "new.txt").write_text("mine\n")
    conflict = codex("apply", thread_id, cwd=other)
    assert (conflict.returncode, conflict.stdout) == (1, "")
    assert f"Error: the changes don't fit the files in {other}; nothing was changed:\n" in conflict.stderr
    assert (other / "new.txt").read_text() == "mine\n"


def test_a_session_without_changes_is_told(codex: Sessions) -> None:
    thread_id = codex.begin("say")

    done = codex("apply", thread_id)

    assert (done.returncode, done.stderr) == (
        1,
        f"Error: no turn of session {thread_id} has changed files with patches\n",
    )


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("archive", "required arguments were not provided:\n  <SESSION>"),
        ("apply", "required arguments were not provided:\n  <SESSION>"),
        ("apply a b", "unexpected argument 'b' found"),
        ("apply --chek a", "a similar argument exists: '--check'"),
        ("archiv x", "a similar subcommand exists: 'archive'"),
        ("resume --lst", "a similar argument exists: '--last'"),
    ],
)
def test_a_slip_ends_with_status_two(codex: Sessions, line: str, told: str) -> None:
    ran = codex(*line.split())

    assert (ran.returncode, ran.stdout) == (2, "")
    assert told in ran.stderr


def test_a_session_is_forked_with_and_without_a_turn(codex: Sessions) -> None:
    first = codex.begin("first")

    codex.server.play([[{"say": "done"}]] * 3)
    forked = codex("exec", "fork", "--json", first, "second")
    only = codex("exec", "fork", "--json", first)
    copy = json.loads(only.stdout)["thread_id"]
    told = codex("exec", "fork", first)
    codex("exec", "resume", copy, "third")
    resumed = json.dumps(codex.server.turns[-1].body["input"])
    codex("exec", "resume", first, "fourth")
    original = json.dumps(codex.server.turns[-1].body["input"])

    events = [json.loads(line) for line in forked.stdout.splitlines()]
    assert (forked.returncode, only.returncode, told.returncode) == (0, 0, 0)
    assert [event["type"] for event in events] == ["thread.started", "turn.started", "item.completed", "turn.completed"]
    assert len({first, copy, events[0]["thread_id"]}) == 3
    assert (told.stdout, "session id: " in told.stderr, "\nuser\n" in told.stderr) == ("", True, False)
    assert [word in resumed for word in ("first", "second", "third", "fourth")] == [True, False, True, False]
    assert [word in original for word in ("first", "second", "third", "fourth")] == [True, False, False, True]


def test_a_session_that_can_not_be_forked_is_told(codex: Sessions) -> None:
    assert codex("exec", "fork", "nosuch", "x").stderr == "Error: no session is named `nosuch`; give its whole id\n"
    told = codex("exec", "fork", NOBODY, "x")
    assert (told.returncode, told.stdout) == (1, "")
    assert told.stderr == f"Error: thread/fork: thread/fork failed: no rollout found for thread id {NOBODY}\n"
    assert codex("exec", "fork").returncode == 2


def test_a_new_session_in_place_of_a_missing_last_one_is_told(codex: Sessions) -> None:
    codex.server.play([[{"say": "done"}]])

    done = codex("exec", "resume", "--json", "--last", "hi")

    assert done.returncode == 0
    assert (
        done.stderr
        == "There is no session of this directory (--all: of any directory) to resume; a new one is started.\n"
    )


def test_sessions_of_a_server_elsewhere_are_archived(codex: Sessions, tmp_path: Path) -> None:
    one = codex.begin("one")
    socket = tmp_path / "s"
    other = tmp_path / "other"
    other.mkdir()
    server = subprocess.Popen(
        [str(PROGRAM), "app-server", "--listen", f"unix://{socket}"],
        cwd=codex.ws,
        env=codex.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + LIMIT
        while not socket.exists():
            assert server.poll() is None
            assert time.monotonic() < until
            time.sleep(0.05)
        codex.environ["CODEX_HOME"] = str(other)
        remote = ("--remote", f"unix://{socket}")

        elsewhere = {"cwd": other}
        listed = codex(*remote, "resume", **elsewhere)
        newest = codex(*remote, "resume", "--last", **elsewhere)
        named = codex(*remote, "-C", str(codex.ws), "resume", "--last", **elsewhere)
        nothing = codex(*remote, "-C", str(other), "resume", **elsewhere)
        done = codex(*remote, "archive", one)
        again = codex(*remote, "archive", one)

        program = f"codex --remote unix://{socket}"
        assert one in listed.stdout
        assert f"Go on with one: {program} exec resume SESSION PROMPT" in listed.stdout
        for each in (newest, named):
            assert f"{program} exec resume {one} PROMPT" in each.stderr
        assert nothing.stdout == f"No sessions of {other} (--all: of all directories).\n"
        for words in (("resume", one), ("exec", "--skip-git-repo-check", "resume", one, "hi")):
            assert f"bring it back with: {program} unarchive {one}\n" in codex(*remote, *words).stderr
        assert f"({program} resume --all lists them)" in codex(*remote, "archive", "nosuch").stderr
        assert (done.returncode, done.stdout) == (0, f"Archived session {one}.\n")
        assert again.stderr == f"Error: there is no session {one}, or it is archived already\n"
    finally:
        server.terminate()
        server.wait(LIMIT)


def test_the_messages_of_a_turn_are_shown(codex: Sessions) -> None:
    codex.server.play([[{"say": "hello\x1b[2J"}]])

    done = codex("debug", "app-server", "send-message-v2", "hi there")

    assert (done.returncode, done.stderr) == (0, "")
    lines = [line[2:] for line in done.stdout.splitlines()]
    assert {line[0] for line in done.stdout.splitlines()} == {"<", ">"}
    messages = []
    decoder = json.JSONDecoder()
    text = "\n".join(lines)
    while text:
        message, end = decoder.raw_decode(text)
        messages.append(message)
        text = text[end:].lstrip()
    methods = [message.get("method") for message in messages]
    assert methods[0] == "initialize"
    assert [methods.index(each) for each in ("initialized", "thread/start", "turn/start", "item/completed")] == sorted(
        methods.index(each) for each in ("initialized", "thread/start", "turn/start", "item/completed")
    )
    assert methods[-1] == "turn/completed"
    assert "\x1b" not in done.stdout
    assert codex("debug").returncode == 2
    assert codex("debug", "models").returncode == 2
