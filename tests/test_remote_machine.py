"""The suite can be turned to another machine: hosts with local commands run them there."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from codex_exec_local import plugin as exec_local
from codex_testkit.remote_machine import URL_VARIABLE, VARIABLE, remote_machine, with_remote
from codex_testkit.servers.exec_client import ExecServerAt
from codex_tool_exec import plugin as tool_exec

pytestmark = pytest.mark.anyio
CONTAINER = shutil.which("bwrap") is not None


DOCKER = """#!/bin/sh
# As much of docker as is asked of it, without a container.
case "$1" in
    exec) shift 3; PATH={codex}:$PATH exec "$@" ;;
    inspect) echo 127.0.0.1 ;;
esac
"""


@pytest.mark.parametrize("way", ["1", "bwrap"] if CONTAINER else ["1"])
async def test_hosts_with_local_commands_run_them_on_the_other_machine(
    host: Any, model: Any, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    scripted = model([{"call": "exec_command", "call_id": "c", "args": {"cmd": "echo at $(hostname)"}}], "done")
    with remote_machine(way) as url:
        monkeypatch.setenv(VARIABLE, way)
        monkeypatch.setenv(URL_VARIABLE, url)

        turn = await host(plugins=[exec_local, tool_exec], model=scripted).turn("go")

        environments = turn.thread.host.environments
        assert (await environments.of(turn.thread)).remote
        assert way == "1" or "at remote" in scripted.output("c")


def test_hosts_without_local_commands_stay_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "1")
    monkeypatch.setenv(URL_VARIABLE, "ws://127.0.0.1:1")

    assert with_remote([tool_exec], {"A": "1"}) == ([tool_exec], {"A": "1"})


def test_a_word_that_is_not_known_is_refused() -> None:
    with pytest.raises(ValueError, match="allowed are 1, bwrap, netns, 0118, docker:NAME and the address of a server"):
        remote_machine("docker").__enter__()


async def test_a_server_in_a_container_ends_with_the_suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    docker = tmp_path / "docker"
    docker.write_text(DOCKER.format(codex=Path(sys.executable).parent))
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    with remote_machine("docker:name") as url:
        async with ExecServerAt(url).client() as client:
            await client.start("p", ["/bin/sh", "-c", "echo up"])
            said = await client.output("p")

    assert said == b"up\n"
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))


async def test_tests_about_this_machine_stay_on_it(
    host: Any, model: Any, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setenv(VARIABLE, "1")
    monkeypatch.setenv(URL_VARIABLE, "ws://127.0.0.1:1")
    request.getfixturevalue("this_machine")

    turn = await host(plugins=[exec_local, tool_exec], model=model("done")).turn("go")

    assert not (await turn.thread.host.environments.of(turn.thread)).remote
