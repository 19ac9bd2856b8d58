"""Sessions of exec-servers: what outlives a connection and what does not (§3 of the protocol)."""

from __future__ import annotations

import asyncio
import re
import time
from typing import TYPE_CHECKING

import pytest

from interop.exec_server import ABSENT, Refused, appears, b64, client, ended, launch, output, uri, wire

if TYPE_CHECKING:
    from pathlib import Path

    from interop.exec_server import Server, Wire

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
RETENTION = 80.0


async def resumed(one: Wire, session: str) -> None:
    """Initialize as soon as the server has noticed that the old connection is gone, and say nothing more."""
    for _ in range(100):
        try:
            found = await one.call("initialize", {"clientName": "interop", "resumeSessionId": session})
        except Refused as error:
            if error.code != -32010:
                raise
            await asyncio.sleep(0.02)
            continue
        assert found["sessionId"] == session
        return
    raise AssertionError("the session stayed attached")


async def come_back(one: Wire, session: str) -> None:
    await resumed(one, session)
    await one.send({"method": "initialized"})


@pytest.mark.parametrize("resume", [ABSENT, None])
async def test_initialize_gives_a_session_and_facts(served: Server, resume: object) -> None:
    params = {"clientName": "interop"} if resume is ABSENT else {"clientName": "interop", "resumeSessionId": resume}
    async with wire(served.url) as one:
        found = await one.call("initialize", params)
        await one.send({"method": "initialized"})

        assert UUID.fullmatch(found["sessionId"])
        assert found["environmentInfo"] == await one.call("environment/info")


async def test_initialize_works_once_a_connection(served: Server) -> None:
    async with client(served.url) as one:
        found = await one.fault("initialize", {"clientName": "interop"})

        assert found == (-32600, "initialize may only be sent once per connection")
        assert await one.alive()


async def test_an_initialize_that_failed_may_be_repeated(served: Server) -> None:
    async with wire(served.url) as one:
        await one.fault("initialize", {})
        await one.fault("initialize", {"clientName": "interop", "resumeSessionId": "none"})
        await one.initialize()

        assert await one.run("p", "true") == (0, b"")


@pytest.mark.parametrize("session", ["none", "", "00000000-0000-4000-8000-000000000000"])
async def test_an_unknown_session_is_refused(served: Server, session: str) -> None:
    async with wire(served.url) as one:
        found = await one.fault("initialize", {"clientName": "interop", "resumeSessionId": session})

        assert found == (-32600, f"unknown session id {session}")


async def test_a_session_that_has_a_connection_is_refused(served: Server) -> None:
    async with client(served.url) as one, wire(served.url) as other:
        found = await other.fault("initialize", {"clientName": "interop", "resumeSessionId": one.session})

        assert found == (-32010, f"session {one.session} is already attached to another connection")
        assert await one.run("p", "true") == (0, b"")


async def test_process_ids_are_of_one_session(served: Server) -> None:
    async with client(served.url) as one, client(served.url) as other:
        await one.start("p", "sleep", "60")
        assert (await other.fault("process/read", {"processId": "p"}))[0] == -32600
        assert await other.call("process/terminate", {"processId": "p"}) == {"running": False}
        assert await other.run("p", "echo", "mine") == (0, b"mine\n")

        assert not one.of("p")
        assert await one.call("process/terminate", {"processId": "p"}) == {"running": True}


@pytest.mark.parametrize("cut", [False, True], ids=["closed", "cut"])
async def test_a_session_goes_on_without_its_connection_and_what_was_missed_is_read(
    served: Server, folder: Path, cut: bool
) -> None:
    go, done = folder / "go", folder / "done"
    script = (
        f"echo one; while [ ! -e {go} ]; do sleep 0.02; done; echo two >&2; touch {done}; read x; echo got $x; exit 3"
    )
    async with client(served.url) as one:
        await one.start_shell("p", script, pipeStdin=True)
        await one.printed("p", "one\n")
        if cut:
            one.connection.transport.abort()
    async with wire(served.url) as other:
        await resumed(other, one.session)
        await other.send({"method": "initialized"})
        other.connection.transport.abort()
    go.touch()
    await appears(done)
    async with wire(served.url) as other:
        await come_back(other, one.session)
        missed = await other.call("process/read", {"processId": "p", "afterSeq": 1})
        assert [(chunk["seq"], chunk["stream"]) for chunk in missed["chunks"]] == [(2, "stderr")]
        assert output(missed["chunks"]) == b"two\n"
        assert (missed["nextSeq"], missed["exited"], missed["closed"]) == (3, False, False)
        await other.call("process/write", {"processId": "p", "chunk": b64("in\n"), "writeId": "w"})

        rest = await other.closed("p")
        assert [message["params"]["seq"] for message in rest] == [3, 4, 5]
        assert output(rest) == b"got in\n"
        assert (await other.event("p", "exited"))["exitCode"] == 3


async def test_what_happens_comes_after_resuming_even_before_initialized_and_nothing_twice(served: Server) -> None:
    async with client(served.url) as one:
        await one.start_shell("p", "echo one; read x; echo two; read x", pipeStdin=True)
        await one.printed("p", "one\n")
        await one.post("process/write", {"processId": "p", "chunk": b64("x\n"), "writeId": "w"})
        await one.printed("p", "two\n")
        await one.start_shell("q", "while :; do sleep 0.05; echo tick; done")
    async with wire(served.url) as other:
        await resumed(other, one.session)
        await other.event("q", "output")

        assert (await other.fault("process/read", {"processId": "q"})) == (
            -32600,
            "client must send initialized before using exec methods",
        )
        assert not other.of("p")
        await other.send({"method": "initialized"})
        assert await other.call("process/terminate", {"processId": "p"}) == {"running": True}
        assert await other.call("process/terminate", {"processId": "q"}) == {"running": True}
        seen = [message["params"]["seq"] for message in await other.closed("q")]
        assert seen == list(range(seen[0], seen[-1] + 1))


async def test_a_process_that_ended_in_between_can_be_read_to_its_end(served: Server, folder: Path) -> None:
    async with client(served.url) as one:
        await one.start_shell("p", f"echo $$; while [ ! -e {folder / 'go'} ]; do sleep 0.02; done; echo end; exit 4")
        pid = int(await one.printed("p", "\n"))
    (folder / "go").touch()
    await ended(pid)
    async with wire(served.url) as other:
        await come_back(other, one.session)
        while not (found := await other.call("process/read", {"processId": "p", "afterSeq": 1, "waitMs": 1000}))[
            "closed"
        ]:
            assert found["failure"] is None

        assert (output(found["chunks"]), found["exitCode"], found["nextSeq"]) == (b"end\n", 4, 5)
        assert await other.fault("process/start", launch("p", "true")) == (-32600, "process p already exists")
        assert not other.of("p")


async def test_a_write_is_done_once_however_often_the_connection_is_lost(served: Server) -> None:
    write = {"processId": "p", "chunk": b64("x\n"), "writeId": "w"}
    async with client(served.url) as one:
        await one.start("p", "cat", pipeStdin=True)
        assert await one.call("process/write", write) == {"status": "accepted"}
        await one.printed("p", "x\n")
    async with wire(served.url) as other:
        await come_back(other, one.session)
        assert await other.call("process/write", write) == {"status": "accepted"}
        assert await other.call("process/write", {**write, "writeId": "v", "chunk": b64("y\n")}) == {
            "status": "accepted"
        }
        await other.printed("p", "y\n")

        found = await other.call("process/read", {"processId": "p"})
        assert output(found["chunks"]) == b"x\ny\n"
        await other.call("process/terminate", {"processId": "p"})


async def test_file_handles_are_of_one_connection(served: Server, folder: Path) -> None:
    (folder / "file").write_text("text")
    async with client(served.url) as one:
        await one.call("fs/open", {"handleId": "h", "path": uri(folder / "file")})
    async with wire(served.url) as other:
        await come_back(other, one.session)

        found = await other.fault("fs/readBlock", {"handleId": "h", "offset": 0, "len": 4})
        assert found == (-32004, "unknown file handle `h`")


async def test_a_request_under_way_when_the_connection_is_lost_does_no_harm(served: Server) -> None:
    async with client(served.url) as one:
        await one.start("p", "sleep", "60")
        await one.post("process/read", {"processId": "p", "waitMs": 60_000})
        one.connection.transport.abort()
    async with wire(served.url) as other:
        await come_back(other, one.session)

        assert await other.call("process/terminate", {"processId": "p"}) == {"running": True}
        await other.closed("p")


@pytest.mark.slow
async def test_ended_processes_and_lost_sessions_are_kept_for_80_seconds(served: Server) -> None:
    async with client(served.url) as one, client(served.url) as leaving, client(served.url) as lost:
        await one.run_shell("p", "echo out; exit 3")
        began = time.monotonic()
        pids = []
        for each in (leaving, lost):
            await each.start_shell("p", "echo $$; while :; do seq 20000; sleep 0.2; done")
            pids.append(int((await each.printed("p", "\n")).split()[0]))
        await leaving.connection.close()
        await lost.connection.close()

        await asyncio.sleep(RETENTION * 0.9)
        found = await one.call("process/read", {"processId": "p"})
        assert (output(found["chunks"]), found["exitCode"]) == (b"out\n", 3)
        assert (await one.fault("process/start", launch("p", "true")))[0] == -32600
        async with wire(served.url) as other:
            await come_back(other, leaving.session)
            assert await other.call("process/terminate", {"processId": "p"}) == {"running": True}

        await asyncio.sleep(began + RETENTION * 1.1 - time.monotonic())
        assert await one.fault("process/read", {"processId": "p"}) == (-32600, "unknown process id p")
        assert await one.start("p", "true")
        await ended(pids[1])
        async with wire(served.url) as other:
            found = await other.fault("initialize", {"clientName": "interop", "resumeSessionId": lost.session})
            assert found == (-32600, f"unknown session id {lost.session}")
