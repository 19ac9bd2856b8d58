"""What people type reaches the model: options in every place, reviews with a schema, input that is held open."""

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
PIXEL = (
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000000020001e221bc33"
    "0000000049454e44ae426082"
)
LIMIT = 60


class Typed:
    """The program in a home of its own, with a model server that answers ``done``."""

    def __init__(self, folder: Path, server: ResponsesServer) -> None:
        self.ws = folder / "ws"
        self.ws.mkdir()
        (self.ws / ".git").mkdir()
        (self.ws / ".git" / "HEAD").touch()
        (self.ws / "p.png").write_bytes(bytes.fromhex(PIXEL))
        home = folder / "home"
        home.mkdir()
        (home / "config.toml").write_text(
            'model = "gpt-5.2-codex"\nmodel_provider = "mock"\n[model_providers.mock]\nname = "mock"\n'
            f'base_url = "{server.url}"\nwire_api = "responses"\n'
        )
        self.server = server
        self.environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "CODEX_HOME": str(home)}

    def start(self, *words: str, **options: Any) -> subprocess.Popen[bytes]:
        self.server.play([[{"say": "done"}]])
        given = {"cwd": self.ws, "env": self.environ, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
        return subprocess.Popen([str(PROGRAM), *words], **given)

    def __call__(self, *words: str) -> dict[str, Any]:
        """Run it and return the request that the model got."""
        process = self.start(*words, stdin=subprocess.DEVNULL)
        _, told = process.communicate(timeout=LIMIT)
        assert process.returncode == 0, told.decode()
        return self.request()

    def request(self) -> dict[str, Any]:
        found: dict[str, Any] = self.server.turns[-1].body
        return found


@pytest.fixture
def codex(tmp_path: Path) -> Iterator[Typed]:
    with ResponsesServer() as server:
        yield Typed(tmp_path, server)


def said(request: dict[str, Any]) -> str:
    return json.dumps(request["input"])


def test_options_in_front_of_exec_count_and_its_own_win(codex: Typed) -> None:
    assert codex("-m", "gpt-5.1", "exec", "hi")["model"] == "gpt-5.1"
    assert codex("--model=gpt-5.1", "exec", "-m", "gpt-5.2", "hi")["model"] == "gpt-5.2"
    assert said(codex("-i", "p.png", "exec", "hi")).count('"input_image"') == 1
    assert said(codex("-i", "p.png", "exec", "-i", "p.png", "--", "hi")).count('"input_image"') == 2


@pytest.mark.parametrize(
    ("words", "mode"),
    [
        (["-s", "danger-full-access", "-a", "never", "exec", "hi"], "danger-full-access"),
        (["--full-auto", "exec", "hi"], "workspace-write"),
        (["--yolo", "exec", "-s", "read-only", "hi"], "read-only"),
        (["--search", "--no-alt-screen", "exec", "hi"], "read-only"),
        (["-s", "workspace-write", "--add-dir", "/srv", "exec", "hi"], "workspace-write"),
    ],
)
def test_access_given_in_front_of_exec_is_that_of_the_turn(codex: Typed, words: list[str], mode: str) -> None:
    text = said(codex(*words))

    assert f"Sandbox mode is `{mode}`" in text
    assert ("/srv" in text) is ("/srv" in words)


@pytest.mark.parametrize("word", ["--image=p.png", "-ip.png", "-i=p.png"])
def test_a_prompt_behind_an_image_in_one_word_is_the_prompt(codex: Typed, word: str) -> None:
    request = codex("exec", word, "look")

    assert '"text": "look"' in said(request)
    assert said(request).count('"input_image"') == 1


@pytest.mark.parametrize("words", [["exec", "review"], ["review"]])
def test_a_review_answers_in_the_form_that_was_asked_for(codex: Typed, words: list[str]) -> None:
    schema = {"type": "object", "properties": {}, "additionalProperties": False}
    (codex.ws / "s.json").write_text(json.dumps(schema))

    request = codex(*words, "--uncommitted", "--output-schema", "s.json")

    assert request["text"]["format"]["schema"] == schema


def test_input_that_a_caller_holds_open_is_not_waited_for_forever(codex: Typed) -> None:
    begun = time.monotonic()
    process = codex.start("exec", "hi", stdin=subprocess.PIPE)
    assert process.wait(LIMIT) == 0

    assert process.stderr is not None
    assert "Standard input is open but silent; going on" in process.stderr.read().decode()
    assert time.monotonic() - begun > 10
    assert '"text": "hi"' in said(codex.request())
    process.communicate()


def test_a_slow_command_in_front_of_the_pipe_is_waited_for(codex: Typed) -> None:
    slow = subprocess.Popen(["sh", "-c", "sleep 12; echo late news"], stdout=subprocess.PIPE)
    process = codex.start("exec", "hi", stdin=slow.stdout)
    assert slow.stdout is not None
    slow.stdout.close()
    assert process.wait(LIMIT) == 0

    assert "late news" in said(codex.request())
    process.communicate()
    slow.wait(LIMIT)
