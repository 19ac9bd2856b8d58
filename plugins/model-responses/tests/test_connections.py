"""Connections: kept between requests, replaced when stale, closed at once when nobody listens any more."""

from __future__ import annotations

import asyncio

import pytest

from codex_hookspecs.models import Completed, ItemDone

pytestmark = pytest.mark.anyio

STREAM = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"


def chunked(*pieces: bytes) -> bytes:
    parts = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return f"{STREAM}transfer-encoding: chunked\r\n\r\n".encode() + parts


async def test_one_connection_serves_request_after_request(raw, patient, ask, listen) -> None:
    connections = 0

    async def talk(reader, writer):
        nonlocal connections
        connections += 1
        while True:
            await raw.read_request(reader)
            writer.write(chunked(raw.completed) + b"0\r\n\r\n")

    async with raw.listening(talk) as port:
        provider = patient(f"http://127.0.0.1:{port}/v1")
        for _ in range(3):
            await listen(provider, ask())
        await provider.aclose()

    assert connections == 1


async def test_a_connection_that_the_server_closed_is_replaced_silently(raw, patient, ask, listen, waits) -> None:
    connections = 0
    closed = asyncio.Event()

    async def talk(reader, writer):
        nonlocal connections
        connections += 1
        await raw.read_request(reader)
        writer.write(raw.answer(raw.completed))
        writer.close()
        await writer.wait_closed()
        closed.set()

    async with raw.listening(talk) as port:
        provider = patient(f"http://127.0.0.1:{port}/v1")
        await listen(provider, ask())
        await asyncio.wait_for(closed.wait(), 5)
        events = await listen(provider, ask())
        await provider.aclose()

    assert isinstance(events[-1], Completed)
    assert (connections, waits.seconds) == (2, [])


async def test_a_kept_connection_that_fails_under_a_request_is_replaced_silently(
    raw, patient, ask, listen, waits
) -> None:
    connections = 0

    async def talk(reader, writer):
        nonlocal connections
        connections += 1
        await raw.read_request(reader)
        writer.write(raw.answer(raw.completed))
        await raw.read_request(reader)  # and hang up without an answer

    async with raw.listening(talk) as port:
        provider = patient(f"http://127.0.0.1:{port}/v1")
        await listen(provider, ask())
        events = await listen(provider, ask())
        await provider.aclose()

    assert isinstance(events[-1], Completed)
    assert (connections, waits.seconds) == (2, [])


@pytest.mark.parametrize("ending", ["close", "cancel"])
async def test_the_connection_is_closed_at_once_when_the_turn_is_interrupted(ending, raw, patient, ask) -> None:
    gone = asyncio.Event()

    async def talk(reader, writer):
        await raw.read_request(reader)
        writer.write(chunked(b'data: {"type":"response.output_text.delta","item_id":"m","delta":"x"}\n\n'))
        await reader.read()
        gone.set()

    async with raw.listening(talk) as port:
        provider = patient(f"http://127.0.0.1:{port}/v1")
        stream = provider.stream(ask())
        await anext(stream)
        await anext(stream)
        if ending == "close":
            await stream.aclose()
        else:
            waiting = asyncio.create_task(anext(stream))
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.wait([waiting])

        await asyncio.wait_for(gone.wait(), 5)
        await provider.aclose()


async def test_interrupting_while_the_server_thinks_closes_the_connection(raw, patient, ask) -> None:
    asked, gone = asyncio.Event(), asyncio.Event()

    async def talk(reader, writer):
        await raw.read_request(reader)
        asked.set()
        await reader.read()
        gone.set()

    async with raw.listening(talk) as port:
        provider = patient(f"http://127.0.0.1:{port}/v1")
        waiting = asyncio.create_task(anext(provider.stream(ask())))
        await asyncio.wait_for(asked.wait(), 5)
        waiting.cancel()

        await asyncio.wait_for(gone.wait(), 5)
        await asyncio.wait([waiting])
        await provider.aclose()


async def test_an_answer_may_end_with_the_connection(raw, patient, ask, listen) -> None:
    async def talk(reader, writer):
        await raw.read_request(reader)
        writer.write(f"{STREAM}\r\n".encode() + raw.completed)

    async with raw.listening(talk) as port:
        provider = patient(f"http://127.0.0.1:{port}/v1")
        events = await listen(provider, ask())
        await provider.aclose()

    assert isinstance(events[-1], Completed)


async def test_events_cut_into_single_bytes_are_put_together(raw, patient, ask, listen) -> None:
    item = b'data: {"type":"response.output_item.done","item":{"type":"message","id":"m","text":"\xc3\xb6"}}\r\n\r\n'

    async def talk(reader, writer):
        await raw.read_request(reader)
        writer.write(f"{STREAM}transfer-encoding: chunked\r\n\r\n".encode())
        for byte in item + raw.completed:
            writer.write(b"1\r\n%c\r\n" % byte)
            await writer.drain()
        writer.write(b"0\r\n\r\n")

    async with raw.listening(talk) as port:
        provider = patient(f"http://127.0.0.1:{port}/v1")
        events = await listen(provider, ask())
        await provider.aclose()

    assert [event.item["text"] for event in events if isinstance(event, ItemDone)] == ["ö"]


async def test_data_that_is_no_event_is_skipped(raw, patient, ask, listen) -> None:
    odd = b'data: [DONE]\n\ndata: 7\n\ndata: {"type":"response.from.the.future"}\n\ndata: {"type":null}\n\n: hello\n\n'

    async def talk(reader, writer):
        await raw.read_request(reader)
        writer.write(raw.answer(odd + raw.completed))

    async with raw.listening(talk) as port:
        provider = patient(f"http://127.0.0.1:{port}/v1")
        events = await listen(provider, ask())
        await provider.aclose()

    assert [type(event).__name__ for event in events] == ["RateLimits", "Completed"]


@pytest.mark.parametrize(
    "nonsense",
    [b"SSH-2.0-OpenSSH_9\r\n\r\n", b"", b"HTTP/1.1 200 OK\r\nx: " + b"y" * 300_000, b"HTTP/1.1 200 OK\r\n"],
)
async def test_an_answer_that_is_not_http_is_a_transport_error(nonsense, raw, patient, ask, outlast) -> None:
    async def talk(reader, writer):
        await raw.read_request(reader)
        writer.write(nonsense)

    async with raw.listening(talk) as port:
        provider = patient(f"http://127.0.0.1:{port}/v1", request_max_retries=1, stream_max_retries=0)
        _, failure = await outlast(provider, ask())
        await provider.aclose()

    url = f"http://127.0.0.1:{port}/v1/responses"
    assert str(failure) == f"stream disconnected before completion: error sending request for url ({url})"
    assert failure.details


@pytest.mark.parametrize("status", ["302 Found", "418 I'm a Teapot", "599 Odd"])
async def test_other_statuses_are_named_with_the_beginning_of_their_body(status, raw, patient, ask, outlast) -> None:
    async def talk(reader, writer):
        while True:
            await raw.read_request(reader)
            writer.write(
                raw.answer(b"<html>\n" + b"x" * 3000, status=status, extra="location: http://127.0.0.1:1/\r\n")
            )

    async with raw.listening(talk) as port:
        provider = patient(f"http://127.0.0.1:{port}/v1", request_max_retries=0, stream_max_retries=0)
        _, failure = await outlast(provider, ask())
        await provider.aclose()

    named = status if not status.startswith("599") else "599 <unknown status code>"
    assert str(failure).startswith(f"unexpected status {named}: <html> xxx")
    assert len(str(failure)) < 1200


async def test_a_stream_that_only_sends_comments_counts_as_silent(raw, patient, ask, outlast) -> None:
    async def talk(reader, writer):
        await raw.read_request(reader)
        writer.write(chunked(b": hello\n\n"))
        while True:
            await asyncio.sleep(0.01)
            writer.write(b"3\r\n:\n\n\r\n")

    async with raw.listening(talk) as port:
        provider = patient(f"http://127.0.0.1:{port}/v1", stream_idle_timeout_ms=80, stream_max_retries=0)
        _, failure = await outlast(provider, ask())
        await provider.aclose()

    assert str(failure) == "stream disconnected before completion: idle timeout waiting for SSE"


async def test_a_server_is_held_back_while_nobody_takes_its_events(raw, patient, ask) -> None:
    stalled: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    event = b'data: {"type":"response.output_text.delta","item_id":"m","delta":"' + b"x" * 100_000 + b'"}\n\n'

    async def talk(reader, writer):
        await raw.read_request(reader)
        writer.write(chunked())
        sent = 0
        while sent < 200_000_000:
            writer.write(b"%x\r\n%b\r\n" % (len(event), event))
            sent += len(event)
            try:
                async with asyncio.timeout(0.3):
                    await writer.drain()
            except TimeoutError:
                break
        stalled.set_result(sent)
        await reader.read()

    async with raw.listening(talk) as port:
        provider = patient(f"http://127.0.0.1:{port}/v1")
        stream = provider.stream(ask())
        await anext(stream)
        await anext(stream)

        sent = await asyncio.wait_for(stalled, 10)

        await stream.aclose()
        await provider.aclose()
    assert sent < 30_000_000
