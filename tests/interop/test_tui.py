"""The real terminal interfaces, of both releases, on our app-server."""

from __future__ import annotations

import json
import re
import subprocess
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from codex_responses.script.steps import Step, round_events
from codex_testkit.servers.responses import ResponsesServer
from interop.clients import OURS, REAL_118, REAL_169, Codex, Stage
from interop.conftest import need
from interop.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

CONFIG = """model = "gpt-5.4"
approval_policy = "on-request"
sandbox_mode = "workspace-write"
"""
SHELL = {
    "cmd": "echo from-the-shell > made.txt; cat made.txt",
    "sandbox_permissions": "require_escalated",
    "justification": "it lays the first stone",
}
PATCH = "*** Begin Patch\n*** Add File: $OUTSIDE/tower.txt\n+stone upon stone\n*** End Patch"
READY = {"0.118.0": "100% left", "0.169.0": "? for shortcuts"}


class Model(ResponsesServer):
    """Plays its script for the conversation; a request for a title of it, which 0.169 makes beside, gets one."""

    def answer(self, body: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
        if "title" in json.dumps(body.get("text") or {}):
            return round_events([Step("say", '{"title": "Tower"}')], 0, model=str(body.get("model", "")))
        return super().answer(body)


@pytest.fixture
def model() -> Iterator[Model]:
    with Model() as running:
        yield running


@pytest.fixture(params=[REAL_118, REAL_169], ids=lambda codex: codex.name)
def tui(request: pytest.FixtureRequest) -> Codex:
    codex: Codex = request.param
    need(codex.path, f"codex {codex.name}")
    return codex


@pytest.fixture
def stage(folder: Path, model: Model, tui: Codex) -> Stage:
    stage = Stage(folder, model.url)
    stage.set_up(tui, CONFIG)
    with (stage.home / "config.toml").open("a") as file:
        file.write(f'\n[projects."{stage.ws}"]\ntrust_level = "trusted"\n')
    return stage


@contextmanager
def serving(stage: Stage) -> Iterator[str]:
    """Run our app-server on a websocket and give its URL."""
    with subprocess.Popen(
        [str(OURS.path), "app-server", "--listen", "ws://127.0.0.1:0"],
        cwd=stage.ws, env=stage.environment(), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stderr is not None
        found = None
        while found is None:
            found = re.search(r"listening on: (ws://\S+)", process.stderr.readline())
        drain = threading.Thread(target=process.stderr.read)
        drain.start()
        try:
            yield found[1]
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
            drain.join()


def opened(tui: Codex, stage: Stage, url: str, *words: str) -> Terminal:
    switches = ["--disable", "daemon_auto_start"] if tui is REAL_169 else []
    return Terminal([str(tui.path), *words, "--remote", url, *switches], cwd=stage.ws, environ=stage.environment())


def leave(terminal: Terminal) -> None:
    terminal.press("C-c")
    terminal.wait_for("status 0")


def test_a_turn_with_a_command_a_patch_and_approvals(tui: Codex, stage: Stage, model: Model) -> None:
    outside = stage.folder / "outside"
    outside.mkdir()
    model.play([[{"call": "exec_command", "args": SHELL}], [{"patch": PATCH.replace("$OUTSIDE", str(outside))}],
                [{"say": "The **tower** stands."}]])  # fmt: skip
    with serving(stage) as url, opened(tui, stage, url) as terminal:
        terminal.wait_for(READY[tui.name])
        terminal.say("build the tower")
        asked = terminal.wait_for("Would you like to run the following command?", "1. Yes, proceed")
        assert "it lays the first stone" in asked
        terminal.press("y")
        edits = terminal.wait_for("Would you like to make the following edits?")
        assert "from-the-shell" in edits
        terminal.press("y")
        done = terminal.wait_for("The tower stands.")
        leave(terminal)

    assert "You approved codex to run echo from-the-shell" in done
    assert "Added" in done
    assert "stone upon stone" in done
    assert (outside / "tower.txt").read_text() == "stone upon stone\n"
    assert (stage.ws / "made.txt").read_text() == "from-the-shell\n"


def test_threads_are_listed_and_resumed(tui: Codex, stage: Stage, model: Model) -> None:
    model.play([[{"say": "first answer"}], [{"say": "second answer"}]])
    with serving(stage) as url:
        with opened(tui, stage, url) as terminal:
            terminal.wait_for(READY[tui.name])
            terminal.say("where are the wards")
            terminal.wait_for("first answer")
            leave(terminal)
        with opened(tui, stage, url, "resume") as terminal:
            terminal.wait_for("Resume a previous session", " ago")
            terminal.press("Enter")
            terminal.wait_for("first answer", READY[tui.name].split()[-1])
            terminal.say("and the gates")
            terminal.wait_for("second answer")
            leave(terminal)

    assert [len(list(stage.home.glob("sessions/*/*/*/*.jsonl")))] == [1] or tui is REAL_169
    said = json.dumps(model.turns[-1].body["input"])
    assert "where are the wards" in said
    assert "first answer" in said


def test_a_refused_command_is_not_run_and_a_turn_can_be_interrupted(tui: Codex, stage: Stage, model: Model) -> None:
    model.play(
        [
            [{"call": "exec_command", "args": SHELL}],
            [{"sh": {"cmd": "sleep 60", "yield_time_ms": 30000}}],
            [{"say": "never said"}],
        ]
    )
    with serving(stage) as url, opened(tui, stage, url) as terminal:
        terminal.wait_for(READY[tui.name])
        terminal.say("build the tower")
        terminal.wait_for("Would you like to run the following command?")
        terminal.press("Escape")
        terminal.wait_for("You canceled the request to run")
        terminal.say("then wait")
        terminal.wait_for("esc to interrupt")
        terminal.press("Escape")
        terminal.wait_for("interrupted")
        leave(terminal)

    assert not (stage.ws / "made.txt").exists()


def test_a_request_to_compact_is_told_of_and_the_conversation_goes_on(tui: Codex, stage: Stage, model: Model) -> None:
    model.play([[{"say": "first answer"}], [{"say": "second answer"}]])
    with serving(stage) as url, opened(tui, stage, url) as terminal:
        terminal.wait_for(READY[tui.name])
        terminal.say("where are the wards")
        terminal.wait_for("first answer")
        terminal.say("/compact")
        terminal.wait_for("compaction is not part of this version")
        terminal.say("and the gates")
        terminal.wait_for("second answer")
        leave(terminal)

    said = json.dumps(model.turns[-1].body["input"])
    assert "where are the wards" in said
    assert "first answer" in said
