"""Processes and sessions across connections that are lost."""

from __future__ import annotations

import asyncio
import time
from base64 import b64encode

import pytest

from codex_exec_server import processes, sessions
from codex_hookspecs.errors import RpcError
from codex_testkit.servers.exec_client import LIMIT, output_of

pytestmark = pytest.mark.anyio
FLOOD_BYTES = 24_000_000


def write(text: bytes, write_id: str = "1") -> dict:
    return {"processId": "p", "chunk": b64encode(text).decode(), "writeId": write_id}


async def detached(server, client) -> None:
    """Lose a client's connection and wait until the server has noticed."""
    session = server.server.sessions._sessions[client.session_id]
    client.cut()
    async with asyncio.timeout(LIMIT):
        while session.line is not None:
            await session.wait_for_change(LIMIT)


async def test_processes_go_on_when_the_connection_is_lost(serve) -> None:
    server = await serve()
    async with server.client() as client:
        await client.start("p", ["steps"], pipeStdin=True)
        await detached(server, client)

    async with server.client(resume=client.session_id) as again:
        assert again.session_id == client.session_id
        await again.request("process/write", write(b"a"))
        await again.request("process/write", write(b"end", "2"))
        assert await again.output("p") == b"<a>"


async def test_missed_output_is_read_not_notified_again(serve) -> None:
    server = await serve()
    async with server.client() as client:
        await client.start("p", ["steps"], pipeStdin=True)
        await client.request("process/write", write(b"a"))
        await client.event(lambda told: told["method"] == "process/output")
        process = server.environment.exec._live[f"{client.session_id}/p"]
        await detached(server, client)
    await process.write(b"b")
    await process.read(1, wait=LIMIT)

    async with server.client(resume=client.session_id) as again:
        found = await again.request("process/read", {"processId": "p", "afterSeq": 1})
        await again.request("process/write", write(b"end", "3"))
        events = await again.events("p")

    assert [(chunk["seq"], chunk["chunk"]) for chunk in found["chunks"]] == [(2, "PGI+")]
    assert [event["params"]["seq"] for event in events] == [3, 4]


async def test_a_session_that_is_attached_is_not_taken_over(serve) -> None:
    server = await serve()
    async with server.client() as client, server.client(begin=False) as other:
        with pytest.raises(
            RpcError, match=f"^session {client.session_id} is already attached to another connection$"
        ) as caught:
            await other.begin(client.session_id)
        assert caught.value.code == -32010

        await detached(server, client)
        await other.begin(client.session_id)


async def test_an_unknown_session_is_not_resumed(serve) -> None:
    server = await serve()
    async with server.client(begin=False) as client:
        with pytest.raises(RpcError, match=r"^unknown session id nope$") as caught:
            await client.begin("nope")

        assert caught.value.code == -32600
        await client.begin()


async def test_a_lost_session_ends_with_its_processes_after_the_retention(serve) -> None:
    server = await serve(retention=0.2)
    async with server.client() as client:
        await client.start("p", ["sleep"])
        process = server.environment.exec._live[f"{client.session_id}/p"]
        client.cut()

    async with asyncio.timeout(LIMIT):
        assert (await anext(process.events())).exit_code == 137
    async with server.client(begin=False) as again:
        with pytest.raises(RpcError, match=r"^unknown session id"):
            await again.begin(client.session_id)


async def test_a_resumed_session_outlives_the_retention(serve) -> None:
    server = await serve(retention=0.3)
    async with server.client() as client:
        await client.start("p", ["sleep"])
        await detached(server, client)

    async with server.client(resume=client.session_id) as again:
        await asyncio.sleep(0.5)

        assert (await again.request("process/terminate", {"processId": "p"})) == {"running": True}


async def test_a_clock_that_jumps_ends_nothing(serve, monkeypatch: pytest.MonkeyPatch) -> None:
    server = await serve(retention=30)
    async with server.client() as client:
        await client.start("p", ["sleep"])
        await detached(server, client)
    monkeypatch.setattr(time, "time", lambda: 10**11)

    async with server.client(resume=client.session_id) as again:
        assert (await again.request("process/terminate", {"processId": "p"})) == {"running": True}


async def test_a_cut_in_the_middle_of_much_output_loses_nothing(serve) -> None:
    server = await serve()
    async with server.client() as client:
        await client.start("p", ["flood"])
        heard = [await client.event(lambda told: told["method"] == "process/output") for _ in range(50)]
        heard += client.told
        await detached(server, client)
    await asyncio.sleep(0.2)

    async with server.client(resume=client.session_id) as again:
        missed = await again.request("process/read", {"processId": "p", "afterSeq": heard[-1]["params"]["seq"]})
        rest = await again.events("p")

    numbers = [event["params"]["seq"] for event in heard]
    numbers += [chunk["seq"] for chunk in missed["chunks"]]
    numbers += [event["params"]["seq"] for event in rest]
    assert numbers == list(range(1, len(numbers) + 1))
    missed_events = [{"method": "process/output", "params": chunk} for chunk in missed["chunks"]]
    assert len(output_of([*heard, *missed_events, *rest])) == FLOOD_BYTES


async def test_a_client_that_stays_away_does_not_hold_up_its_processes(serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "HOLD_SECONDS", 0.1)
    server = await serve()
    async with server.client() as client:
        await client.start("p", ["flood"])
        process = server.environment.exec._live[f"{client.session_id}/p"]
        await detached(server, client)

    async with asyncio.timeout(LIMIT):
        result = await process.read()
        while not result.closed:
            result = await process.read(result.next_seq - 1, wait=LIMIT)


async def test_a_resumed_client_that_reads_nothing_is_told_new_things_all_the_same(
    serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "CATCH_UP_SECONDS", 0.1)
    server = await serve()
    async with server.client() as client:
        await client.start("p", ["flood"])
        await detached(server, client)
    await asyncio.sleep(0.2)

    async with server.client(resume=client.session_id) as again:
        assert (await again.events("p"))[-1]["method"] == "process/closed"


async def test_a_write_cut_off_is_done_once_however_often_it_is_sent(serve) -> None:
    server = await serve()
    async with server.client() as client:
        await client.start("p", ["steps"], pipeStdin=True)
        await client.send("process/write", write(b"a"))
        await client.request("environment/status")
        await detached(server, client)

    async with server.client(resume=client.session_id) as again:
        assert (await again.request("process/write", write(b"a")))["status"] == "accepted"
        await again.request("process/write", write(b"end", "2"))
        found = await again.request("process/read", {"processId": "p", "waitMs": 1000, "afterSeq": 1})

        assert found["exitCode"] == 3
        read = await again.request("process/read", {"processId": "p"})
        assert [chunk["chunk"] for chunk in read["chunks"]] == ["PGE+"]


async def test_closing_the_server_ends_all_processes(serve) -> None:
    server = await serve()
    async with server.client() as client:
        await client.start("p", ["sleep"])
        process = server.environment.exec._live[f"{client.session_id}/p"]

        await server.server.aclose()

        assert (await process.read()).exit_code == 137
        assert await client.lost()


async def test_leftovers_that_cannot_be_closed_are_told_and_the_server_goes_on(serve, caplog) -> None:
    class Broken:
        async def aclose(self) -> None:
            raise OSError("no")

    server = await serve()
    server.server.close_later(Broken())

    async with server.client() as client:
        await client.start("p", ["hello", "x"])

    assert "closing a lost Broken failed" in caplog.text
