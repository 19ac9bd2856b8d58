"""A server of 0.118 (March 2026): no sessions, plain paths, notifications that may lack the output."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from codex_exec_remote.environment import RemoteEnvironment
from codex_hookspecs.environments import ExecParams, OutputChunk, ProcessClosed, ProcessExited, ProcessFailed
from codex_hookspecs.errors import EnvironmentLost, ExecError, FileSystemError
from codex_testkit.servers.exec_server_0169 import LIMIT, Cut, FakeExecServer, fake_exec_server, refuse

pytestmark = pytest.mark.anyio
LOST = "the connection to the exec-server was lost"


@pytest.fixture
async def fake() -> AsyncIterator[FakeExecServer]:
    async with fake_exec_server("A") as running:
        yield running


@pytest.fixture
async def remote(fake: FakeExecServer, connected: Callable[..., Any]) -> RemoteEnvironment:
    return await connected(fake.url, {"PATH": "/bin"})


def params(process_id: str = "p", **more: Any) -> ExecParams:
    return ExecParams(**{"process_id": process_id, "argv": ("x",), "cwd": "/w", "env": {}, "tty": True, **more})


async def test_bytes_that_notifications_do_not_carry_are_read(fake: FakeExecServer, remote: RemoteEnvironment) -> None:
    started = await remote.exec.start(params())
    for word in ("a", "b"):
        await fake.say("p", word, tell=False)
        await fake.tell("process/output", {"processId": "p", "seq": len(fake.processes["p"].events)})
    await fake.end("p", 3)

    async with asyncio.timeout(LIMIT):
        found = [event async for event in started.events()]

    assert found == [
        OutputChunk(1, "stdout", data=b"a"),
        OutputChunk(2, "stdout", data=b"b"),
        ProcessExited(3, 3),
        ProcessClosed(4),
    ]
    assert fake.asked("process/start")[0]["cwd"] == "/w"


async def test_bytes_that_notifications_carry_are_not_read_again(
    fake: FakeExecServer, remote: RemoteEnvironment
) -> None:
    started = await remote.exec.start(params())
    await fake.say("p", "a")
    await fake.end("p")

    async with asyncio.timeout(LIMIT):
        found = [event.seq async for event in started.events()]  # type: ignore[union-attr]

    assert found == [1, 2, 3]
    assert fake.asked("process/read") == []


async def test_a_lost_connection_is_the_end_of_its_processes_and_nothing_is_written_twice(
    fake: FakeExecServer, remote: RemoteEnvironment
) -> None:
    started = await remote.exec.start(params())

    def write(asked: dict[str, Any]) -> Any:
        fake.processes["p"].written.append(asked["chunk"])
        raise Cut

    fake.behaviour["process/write"] = write

    with pytest.raises(EnvironmentLost, match=f"^{LOST}$"):
        await started.write(b"x")

    assert [event async for event in started.events()] == [ProcessFailed(LOST)]
    assert len(fake.processes["p"].written) == 1
    assert len(fake.asked("initialize")) == 1


async def test_the_next_process_gets_a_new_connection(fake: FakeExecServer, remote: RemoteEnvironment) -> None:
    started = await remote.exec.start(params())
    fake.cut()
    async with asyncio.timeout(LIMIT):
        assert [event async for event in started.events()] == [ProcessFailed(LOST)]

    await remote.exec.start(params("q"))

    assert len(fake.connections) == 2


async def test_an_interrupt_goes_through_the_terminal(fake: FakeExecServer, remote: RemoteEnvironment) -> None:
    await (await remote.exec.start(params())).interrupt()

    assert fake.processes["p"].written == [b"\x03"]


async def test_an_interrupt_of_a_process_without_terminal_is_refused(
    fake: FakeExecServer, remote: RemoteEnvironment
) -> None:
    started = await remote.exec.start(params(tty=False))

    with pytest.raises(ExecError, match="can't interrupt processes"):
        await started.interrupt()


def says(fake: FakeExecServer, text: str) -> Callable[[Any], Any]:
    """Return a behaviour of starts: a process says something and ends."""

    def start(asked: dict[str, Any]) -> Any:
        result = fake._process_start(asked)
        process = fake.processes[asked["processId"]]
        process.note("output", stream="stdout", chunk=_base64(text))
        process.note("exited", exitCode=0)
        process.note("closed")
        fake.early += [{"method": method, "params": told} for method, told in process.events]
        return result

    return start


async def test_the_machine_is_asked_what_it_is(fake: FakeExecServer, remote: RemoteEnvironment) -> None:
    fake.behaviour["process/start"] = says(fake, "Linux\n/w\n/home/a\n/bin/bash\n/tmp\n")

    found = await remote.facts()

    assert (found.os, found.shell, found.home, found.cwd) == ("linux", "/bin/bash", "/home/a", "/w")
    assert await remote.facts() is found


async def test_files_have_plain_paths(fake: FakeExecServer, remote: RemoteEnvironment) -> None:
    fake.behaviour["fs/getMetadata"] = lambda _asked: {"isDirectory": False, "isFile": True}
    fake.behaviour["fs/readFile"] = lambda _asked: {"dataBase64": _base64("hello")}

    content = await remote.files.read_file("/a b", limit=4)

    assert content == b"hell"
    assert fake.asked("fs/readFile") == [{"path": "/a b"}]


async def test_symlinks_are_resolved_by_a_program_of_the_machine(
    fake: FakeExecServer, remote: RemoteEnvironment
) -> None:
    fake.behaviour["fs/getMetadata"] = lambda _asked: {"isDirectory": True, "isFile": False}
    fake.behaviour["process/start"] = says(fake, "/c\n")

    assert await remote.files.canonicalize("/a/../b/.") == "/c"
    assert fake.asked("process/start")[0]["argv"][-1] == "/a/../b/."


async def test_a_path_whose_symlinks_can_not_be_resolved_is_an_error(
    fake: FakeExecServer, remote: RemoteEnvironment
) -> None:
    fake.behaviour["fs/getMetadata"] = lambda _asked: {"isDirectory": True, "isFile": False}
    fake.behaviour["process/start"] = says(fake, "realpath: not found\n")

    with pytest.raises(FileSystemError, match="could not resolve the symlinks"):
        await remote.files.canonicalize("/a/../b/.")


async def test_a_missing_file_is_told_by_its_code(fake: FakeExecServer, remote: RemoteEnvironment) -> None:
    fake.behaviour["fs/getMetadata"] = refuse(-32004, "not found")

    with pytest.raises(FileSystemError, match=r"^No such file or directory \(os error 2\)$") as caught:
        await remote.files.read_file("/a")

    assert caught.value.errno == 2


def _base64(text: str) -> str:
    from base64 import b64encode

    return b64encode(text.encode()).decode()
