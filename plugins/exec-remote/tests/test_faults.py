"""What a client makes of servers and connections that fail: nothing lost, nothing repeated, or one clear end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from codex_exec_remote import backend, client, process, websocket_link
from codex_exec_remote.environment import RemoteEnvironment
from codex_hookspecs.environments import (
    ExecParams,
    ExecProcess,
    OutputChunk,
    ProcessClosed,
    ProcessEvent,
    ProcessExited,
    ProcessFailed,
)
from codex_hookspecs.errors import EnvironmentLost, ExecError, FileSystemError
from codex_testkit.servers.exec_server_0169 import (
    LIMIT,
    Cut,
    FakeExecServer,
    Refuse,
    cut,
    fake_exec_server,
    refuse,
    silence,
)

pytestmark = pytest.mark.anyio
LOST = "the connection to the exec-server was lost"
FLOW = {"capabilities": {"processFlow": True}}
"""Capabilities of a server that can pause a single process."""


@pytest.fixture
async def fake() -> AsyncIterator[FakeExecServer]:
    async with fake_exec_server() as running:
        yield running


@pytest.fixture
async def remote(fake: FakeExecServer, connected: Callable[..., Any]) -> RemoteEnvironment:
    return await connected(fake.url)


def params(process_id: str = "p", **more: Any) -> ExecParams:
    return ExecParams(**{"process_id": process_id, "argv": ("x",), "cwd": "/", "env": {}, "pipe_stdin": True, **more})


async def events(found: ExecProcess) -> list[ProcessEvent]:
    async with asyncio.timeout(LIMIT):
        return [event async for event in found.events()]


async def text(found: ExecProcess) -> str:
    return b"".join(event.data for event in await events(found) if isinstance(event, OutputChunk)).decode()


async def test_a_connection_cut_in_mid_output_loses_and_repeats_nothing(
    fake: FakeExecServer, remote: RemoteEnvironment
) -> None:
    started = await remote.exec.start(params())
    reading = asyncio.create_task(events(started))
    await fake.say("p", "one ")
    fake.cut()
    await fake.say("p", "two ", tell=False)
    await fake.until(lambda: len(fake.asked("process/read")) == 1)
    await fake.say("p", "three")
    await fake.end("p", 3)

    found = await reading

    assert found == [
        OutputChunk(1, "stdout", data=b"one "),
        OutputChunk(2, "stdout", data=b"two "),
        OutputChunk(3, "stdout", data=b"three"),
        ProcessExited(4, 3),
        ProcessClosed(5),
    ]
    assert [asked["resumeSessionId"] for asked in fake.asked("initialize")] == [None, "session"]


async def test_a_process_that_ended_while_there_was_no_connection_is_over(
    fake: FakeExecServer, remote: RemoteEnvironment
) -> None:
    started = await remote.exec.start(params())
    fake.cut()
    await fake.say("p", "last words", tell=False)
    await fake.end("p", 7, tell=False)

    found = await events(started)

    assert found == [OutputChunk(1, "stdout", data=b"last words"), ProcessExited(2, 7), ProcessClosed(3)]


async def test_output_that_was_not_kept_is_a_failure(fake: FakeExecServer, remote: RemoteEnvironment) -> None:
    started = await remote.exec.start(params())
    fake.cut()
    for word in ("a", "b", "c"):
        await fake.say("p", word, tell=False)
    fake.retained = 2

    found = await events(started)

    assert found == [ProcessFailed("output was lost while there was no connection to the exec-server")]


@pytest.mark.parametrize("carried_out", [False, True])
async def test_a_connection_cut_in_mid_write_writes_once(
    fake: FakeExecServer, remote: RemoteEnvironment, carried_out: bool
) -> None:
    started = await remote.exec.start(params())
    attempts = iter([Cut(), None])

    def write(asked: dict[str, Any]) -> Any:
        fault = next(attempts)
        if fault is None or carried_out:
            fake._process_write(asked)
        if fault is not None:
            raise fault
        return {"status": "accepted"}

    fake.behaviour["process/write"] = write

    status = await started.write(b"hello")

    assert status == "accepted"
    assert fake.processes["p"].written == [b"hello"]
    first, second = fake.asked("process/write")
    assert first["writeId"] == second["writeId"] != ""


@pytest.mark.parametrize("carried_out", [False, True])
async def test_a_connection_cut_during_launch_starts_once(
    fake: FakeExecServer, remote: RemoteEnvironment, carried_out: bool
) -> None:
    attempts = iter([Cut(), None])

    def start(asked: dict[str, Any]) -> Any:
        fault = next(attempts)
        if fault is None or carried_out:
            fake._process_start(asked)
            if carried_out and fault is not None:
                fake.processes["p"].note("output", stream="stdout", chunk="aGk=")
        if fault is not None:
            raise fault
        return {"processId": "p"}

    fake.behaviour["process/start"] = start

    started = await remote.exec.start(params())
    await fake.end("p")

    assert await text(started) == ("hi" if carried_out else "")
    assert len(fake.asked("process/start")) == 2


async def test_a_launch_that_fails_leaves_nothing_behind(fake: FakeExecServer, remote: RemoteEnvironment) -> None:
    fake.behaviour["process/start"] = refuse(-32603, "No such file or directory (os error 2)")
    with pytest.raises(ExecError, match=r"^No such file or directory \(os error 2\)$"):
        await remote.exec.start(params())
    del fake.behaviour["process/start"]

    started = await remote.exec.start(params())
    await fake.end("p")

    assert await events(started) == [ProcessExited(1, 0), ProcessClosed(2)]


async def test_a_launch_without_an_answer_is_given_up_and_taken_back(
    fake: FakeExecServer, remote: RemoteEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backend, "LAUNCH_SECONDS", 0.05)

    fake.behaviour["process/start"] = silence

    with pytest.raises(EnvironmentLost, match=r"did not answer process/start within 0\.05 seconds"):
        await remote.exec.start(params())

    await fake.until(lambda: fake.asked("process/terminate") == [{"processId": "p"}])


async def test_what_is_told_before_the_launch_is_answered_is_not_lost(
    fake: FakeExecServer, remote: RemoteEnvironment
) -> None:
    def start(asked: dict[str, Any]) -> Any:
        result = fake._process_start(asked)
        told = {"processId": "p", "seq": 1, "stream": "stdout", "chunk": "aGk="}
        fake.processes["p"].note("output")
        fake.early.append({"method": "process/output", "params": told})
        return result

    fake.behaviour["process/start"] = start

    started = await remote.exec.start(params())
    await fake.end("p")

    assert await text(started) == "hi"


async def test_a_session_that_is_gone_fails_every_process_and_the_next_one_gets_a_new_session(
    fake: FakeExecServer, connected: Callable[..., Any]
) -> None:
    fake.info = FLOW
    remote = await connected(fake.url)
    started = [await remote.exec.start(params(name)) for name in ("p", "q")]

    def initialize(asked: dict[str, Any]) -> Any:
        if asked["resumeSessionId"] is not None:
            raise Refuse(-32600, "unknown session id session")
        return {"sessionId": "another", "environmentInfo": {}}

    fake.behaviour["initialize"] = initialize
    fake.cut()

    ends = [await events(each) for each in started]
    again = await remote.exec.start(params("r"))
    await fake.end("r")

    assert ends == [[ProcessFailed(f"{LOST} and could not be resumed")]] * 2
    assert await events(again) == [ProcessExited(1, 0), ProcessClosed(2)]


async def test_a_session_that_is_still_attached_is_tried_again(fake: FakeExecServer, remote: RemoteEnvironment) -> None:
    started = await remote.exec.start(params())
    refusals = iter([Refuse(-32010, "session is already attached to another connection")] * 2)

    def initialize(asked: dict[str, Any]) -> Any:
        for refusal in refusals:
            raise refusal
        return fake._initialize(asked)

    fake.behaviour["initialize"] = initialize
    fake.cut()
    await fake.until(lambda: bool(fake.asked("process/read")))
    await fake.end("p")

    assert await events(started) == [ProcessExited(1, 0), ProcessClosed(2)]


async def test_a_server_that_is_gone_is_a_failure_after_a_while(
    connected: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "RESUME_SECONDS", 0.2)
    async with fake_exec_server() as fake:
        remote = await connected(fake.url)
        started = await remote.exec.start(params())
        fake.cut()

    found = await events(started)

    assert found == [ProcessFailed(f"{LOST} and could not be resumed")]
    with pytest.raises(EnvironmentLost, match=f"{LOST} and could not be resumed"):
        await started.write(b"x")
    with pytest.raises(EnvironmentLost, match=r"Connection refused \(os error 111\)$"):
        await remote.exec.start(params())
    with pytest.raises(FileSystemError, match="Connection refused"):
        await remote.files.read_file("/a")


async def test_a_connection_that_keeps_breaking_is_given_up(fake: FakeExecServer, remote: RemoteEnvironment) -> None:
    started = await remote.exec.start(params())

    fake.behaviour["process/read"] = cut
    fake.cut()

    found = await events(started)

    assert found == [ProcessFailed(f"{LOST} and could not be resumed")]


@pytest.mark.parametrize(
    "garbage",
    [
        "no JSON",
        "[]",
        '{"method": "process/output", "params": {"processId": "p", "seq": 1, "stream": "stdout", "chunk": "!"}}',
        "[" * 100_000,
    ],
    ids=["text", "list", "base64", "deep"],
)
async def test_an_invalid_message_renews_the_connection_and_loses_nothing(
    fake: FakeExecServer, remote: RemoteEnvironment, garbage: str
) -> None:
    started = await remote.exec.start(params())
    await fake.say("p", "a", tell=False)
    await fake.send(garbage)
    await fake.until(lambda: len(fake.asked("process/read")) == 1)
    await fake.end("p")

    assert await text(started) == "a"
    assert len(fake.connections) == 2


async def test_foreign_messages_are_passed_over(fake: FakeExecServer, remote: RemoteEnvironment) -> None:
    started = await remote.exec.start(params())
    for message in (
        {"method": "process/output", "params": {"processId": "unknown", "seq": 1}},
        {"method": "process/output", "params": None},
        {"method": "new/thing", "params": {}},
        {"id": 10**30, "result": {}},
        {"id": "x", "method": "ask/something", "params": {}},
    ):
        await fake.send(message)
    await fake.end("p")

    assert await events(started) == [ProcessExited(1, 0), ProcessClosed(2)]
    assert len(fake.connections) == 1


async def test_events_come_in_order_and_once_whatever_the_wire_does(
    fake: FakeExecServer, remote: RemoteEnvironment
) -> None:
    started = await remote.exec.start(params())
    for word in ("a", "b", "c"):
        await fake.say("p", word, tell=False)
    await fake.end("p", tell=False)
    told = fake.processes["p"].events

    for index in (4, 2, 2, 0, 1, 0, 3):
        await fake.tell(*told[index])

    assert [event.seq for event in await events(started)] == [1, 2, 3, 4, 5]  # type: ignore[union-attr]
    assert fake.asked("process/read") == []


async def test_an_event_that_stays_away_is_asked_for(
    fake: FakeExecServer, remote: RemoteEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "GAP_SECONDS", 0.02)
    started = await remote.exec.start(params())
    await fake.say("p", "a", tell=False)
    await fake.end("p")

    assert await events(started) == [OutputChunk(1, "stdout", data=b"a"), ProcessExited(2, 0), ProcessClosed(3)]


async def test_a_server_that_does_not_respond_is_disconnected(
    fake: FakeExecServer, connected: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket_link, "KEEPALIVE_SECONDS", 0.05)
    remote = await connected(fake.url)
    started = await remote.exec.start(params())
    fake.connections[-1].transport.pause_reading()
    await fake.until(lambda: len(fake.connections) == 2)
    await fake.end("p")

    assert await events(started) == [ProcessExited(1, 0), ProcessClosed(2)]


async def test_a_server_that_does_not_answer_a_termination_is_asked_on_a_new_connection(
    fake: FakeExecServer, remote: RemoteEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "TERMINATE_SECONDS", 0.2)
    started = await remote.exec.start(params())

    def terminate(asked: dict[str, Any]) -> Any:
        return silence(asked) if len(fake.connections) == 1 else fake._process_terminate(asked)

    fake.behaviour["process/terminate"] = terminate

    assert await started.terminate()


async def test_a_server_that_is_gone_is_not_waited_for_again_and_again(
    connected: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "TERMINATE_SECONDS", 0.1)
    async with fake_exec_server() as fake:
        remote = await connected(fake.url)
        started = await remote.exec.start(params())
        fake.cut()
    loop = asyncio.get_running_loop()
    begun = loop.time()

    assert not await started.terminate()
    await remote.aclose()

    assert loop.time() - begun < 2.0


async def test_a_server_that_never_finishes_the_handshake_is_given_up(
    fake: FakeExecServer, connected: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "INITIALIZE_SECONDS", 0.05)

    fake.behaviour["initialize"] = silence

    with pytest.raises(EnvironmentLost, match=r"failed to connect .*no answer to initialize in time"):
        await connected(fake.url)


async def test_a_slow_reader_stops_the_reading_for_a_while(fake: FakeExecServer, remote: RemoteEnvironment) -> None:
    started = await remote.exec.start(params())
    follow = started.events()
    block = "x" * 6000
    telling = asyncio.create_task(_flood(fake, block, 3000))

    first = await anext(follow)
    await asyncio.wait((telling,), timeout=0.3)
    held = (await started.read()).next_seq
    rest = [event async for event in follow]

    assert held < 1500
    assert isinstance(first, OutputChunk)
    assert sum(isinstance(event, OutputChunk) for event in rest) == 2999
    await telling


async def test_a_process_is_started_beside_one_whose_reader_is_behind(
    fake: FakeExecServer, remote: RemoteEnvironment
) -> None:
    started = await remote.exec.start(params())
    follow = started.events()
    telling = asyncio.create_task(_flood(fake, "x" * 6000, 1000))
    await anext(follow)
    await asyncio.wait((telling,), timeout=0.3)

    await remote.exec.start(params("q"))

    assert len(fake.connections) == 2
    telling.cancel()
    await asyncio.gather(telling, return_exceptions=True)


@pytest.mark.parametrize(("info", "connections"), [({}, 3), (FLOW, 1)], ids=["cannot", "can"])
async def test_processes_share_a_session_where_the_server_can_pause_one_of_them(
    fake: FakeExecServer, connected: Callable[..., Any], info: dict[str, Any], connections: int
) -> None:
    fake.info = info
    remote = await connected(fake.url)

    for name in ("p", "q", "r"):
        await remote.exec.start(params(name))

    assert len(fake.connections) == connections


async def test_a_session_whose_process_is_over_is_used_again(fake: FakeExecServer, remote: RemoteEnvironment) -> None:
    for name in ("p", "q", "r"):
        started = await remote.exec.start(params(name))
        await fake.end(name)
        await events(started)

    assert len(fake.connections) == 1


async def _flood(fake: FakeExecServer, block: str, count: int) -> None:
    connection = fake.connections[-1]
    for _ in range(count):
        method, told = fake.processes["p"].note("output", stream="stdout", chunk=block)
        await connection.send(fake_json(method, told))
    for kind in ("exited", "closed"):
        await connection.send(fake_json(*fake.processes["p"].note(kind, exitCode=0)))


def fake_json(method: str, told: dict[str, Any]) -> str:
    import json

    return json.dumps({"method": method, "params": told})


async def test_binary_frames_are_messages_too(fake: FakeExecServer, remote: RemoteEnvironment) -> None:
    started = await remote.exec.start(params())
    for method, told in (fake.processes["p"].note(kind, exitCode=0) for kind in ("exited", "closed")):
        await fake.connections[-1].send(fake_json(method, told).encode())

    assert await events(started) == [ProcessExited(1, 0), ProcessClosed(2)]


async def test_an_answer_that_comes_twice_counts_once(fake: FakeExecServer, remote: RemoteEnvironment) -> None:
    fake.behaviour["fs/getMetadata"] = lambda _asked: {"isDirectory": True, "isFile": False}
    await remote.files.metadata("/a")
    for number in (0, 1, 0, 1):
        await fake.send({"id": number, "result": {"isFile": True}})

    found = await remote.files.metadata("/a")

    assert (found.is_directory, found.is_file) == (True, False)
    assert len(fake.connections) == 1


async def telling(fake: FakeExecServer, words: str) -> None:
    await fake.say("p", words)
    await fake.end("p")


@pytest.mark.parametrize("wrong", [{"id": None, "result": {}}, {"id": 1.5, "result": {}}, {"id": [], "error": {}}, {}])
async def test_answers_without_an_id_are_survived(
    fake: FakeExecServer, remote: RemoteEnvironment, monkeypatch: pytest.MonkeyPatch, wrong: dict[str, Any]
) -> None:
    monkeypatch.setattr(process, "GAP_SECONDS", 0.02)
    started = await remote.exec.start(params())
    await fake.say("p", "a", tell=False)
    await fake.send(wrong)
    await fake.end("p", 4)

    assert (await events(started))[-2:] == [ProcessExited(2, 4), ProcessClosed(3)]


async def test_a_frame_of_more_than_sixteen_mebibytes_is_taken(fake: FakeExecServer, remote: RemoteEnvironment) -> None:
    started = await remote.exec.start(params())
    size = 20 * 1024 * 1024

    await asyncio.gather(reading := asyncio.create_task(text(started)), telling(fake, "x" * size))

    assert len(reading.result()) == size
    assert len(fake.connections) == 1


async def test_a_message_without_end_is_not_taken(fake: FakeExecServer, remote: RemoteEnvironment) -> None:
    started = await remote.exec.start(params())
    await fake.say("p", "a", tell=False)

    async def endless() -> None:
        part = " " * (4 * 1024 * 1024)
        await fake.connections[0].send(part for _ in range(100))

    sending = asyncio.create_task(endless())
    await fake.until(lambda: len(fake.connections) == 2)
    await fake.until(lambda: bool(fake.asked("process/read")))
    await fake.end("p")

    assert await text(started) == "a"
    await asyncio.gather(sending, return_exceptions=True)


async def test_the_wall_clock_does_not_matter(
    fake: FakeExecServer, remote: RemoteEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    import time

    real, jumps = time.time, iter(range(10**9))
    monkeypatch.setattr(time, "time", lambda: real() + (-1) ** next(jumps) * 10.0**6)
    started = await remote.exec.start(params())
    await fake.say("p", "one ")
    fake.cut()
    await fake.say("p", "two", tell=False)
    await fake.until(lambda: len(fake.asked("process/read")) == 1)
    await fake.end("p", 3)

    assert await text(started) == "one two"
    assert len(fake.asked("initialize")) == 2


async def test_a_suspended_client_keeps_its_connection(
    fake: FakeExecServer, connected: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket_link, "KEEPALIVE_SECONDS", 0.1)
    remote = await connected(fake.url)
    started = await remote.exec.start(params())
    loop = asyncio.get_running_loop()
    clock, ahead = loop.time, 0.0
    monkeypatch.setattr(loop, "time", lambda: clock() + ahead)

    for _ in range(3):
        ahead += 3600.0
        await fake.say("p", "a")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 0.15)
    await fake.end("p")

    assert await text(started) == "aaa"
    assert len(fake.connections) == 1
