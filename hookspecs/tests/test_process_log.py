"""The log of a process numbers everything once, keeps the newest output and holds back what a cursor still needs."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex_hookspecs.environments.process_feed import PAUSE_AT, ProcessFeed
from codex_hookspecs.environments.process_log import CHUNK_BYTES, RETAINED_CHUNKS, ProcessLog
from codex_hookspecs.types.environment import (
    OutputChunk,
    ProcessClosed,
    ProcessEvent,
    ProcessExited,
    ProcessFailed,
    ReadResult,
)


def taken(log: ProcessLog) -> list[ProcessEvent]:
    cursor = log.cursor()
    events = list(iter(cursor.take, None))
    cursor.close()
    return events


def test_output_is_cut_into_chunks() -> None:
    log = ProcessLog()

    log.append("stdout", b"x" * (2 * CHUNK_BYTES + 1))

    assert [len(chunk.data) for chunk in log.read().chunks] == [CHUNK_BYTES, CHUNK_BYTES, 1]


def test_exit_and_close_are_events_of_the_same_sequence() -> None:
    log = ProcessLog()
    log.append("stdout", b"a")
    log.exit(3, sandbox_denied=True)
    log.append("stderr", b"b")
    log.close()

    assert taken(log) == [
        OutputChunk(1, "stdout", data=b"a"),
        ProcessExited(2, 3, sandbox_denied=True),
        OutputChunk(3, "stderr", data=b"b"),
        ProcessClosed(4),
    ]
    assert log.read(1, 1) == ReadResult(
        chunks=(OutputChunk(3, "stderr", data=b"b"),),
        next_seq=4,
        exited=True,
        exit_code=3,
        closed=True,
        sandbox_denied=True,
    )


def test_only_the_first_exit_counts_and_nothing_follows_the_close() -> None:
    log = ProcessLog()
    log.exit(1)
    log.exit(2)
    log.close()
    log.append("stdout", b"late")
    log.fail("late")

    assert taken(log) == [ProcessExited(1, 1), ProcessClosed(2)]


def test_a_failure_ends_the_log_and_keeps_the_exit_code() -> None:
    log = ProcessLog()
    log.exit(4)
    log.fail("lost")

    assert (log.exited, log.exit_code, log.closed, log.failure) == (True, 4, True, "lost")
    assert taken(log) == [ProcessExited(1, 4), ProcessFailed("lost")]


def test_the_exit_stays_when_the_output_around_it_is_dropped() -> None:
    log = ProcessLog(retained=4)
    log.append("stdout", b"1234")
    log.exit(0)
    log.append("stdout", b"5678")
    log.append("stdout", b"9")

    assert taken(log) == [ProcessExited(2, 0), OutputChunk(4, "stdout", data=b"9")]


def test_news_are_output_exit_and_close() -> None:
    log = ProcessLog()
    assert not log.has_news(0)

    log.append("stdout", b"a")
    assert (log.has_news(0), log.has_news(1)) == (True, False)

    log.exit(0)
    assert (log.has_news(1), log.has_news(2)) == (True, False)

    log.close()
    assert log.has_news(99)


def test_tiny_chunks_are_bounded_in_number() -> None:
    log = ProcessLog()
    for _ in range(RETAINED_CHUNKS + 10):
        log.append("stdout", b"x")

    assert log.retained == RETAINED_CHUNKS


def test_a_cursor_keeps_what_it_has_not_taken() -> None:
    log = ProcessLog(retained=2)
    cursor = log.cursor()
    for data in (b"aa", b"bb", b"cc"):
        log.append("stdout", data)

    assert (log.backlog, log.retained) == (6, 6)
    assert [event.data for event in iter(cursor.take, None) if isinstance(event, OutputChunk)] == [b"aa", b"bb", b"cc"]
    assert (log.backlog, log.retained) == (0, 2)


def test_a_closed_cursor_keeps_nothing() -> None:
    log = ProcessLog(retained=2)
    cursor = log.cursor()
    log.append("stdout", b"aa")
    log.append("stdout", b"bb")

    cursor.close()

    assert (log.backlog, log.retained, cursor.take()) == (0, 2, None)


@given(
    st.lists(st.one_of(st.binary(max_size=9), st.just("exit"), st.just("take"), st.just("late")), max_size=60),
    st.integers(0, 20),
)
def test_cursors_and_reads_see_the_same_sequence(steps: list[bytes | str], retained: int) -> None:
    log = ProcessLog(retained=retained)
    first = log.cursor()
    seen: list[ProcessEvent] = []
    said = b""
    for step in steps:
        if isinstance(step, bytes):
            said += step
            log.append("stdout", step)
        elif step == "exit":
            log.exit(0)
        elif step == "late":
            tail = [event.seq for event in taken(log)]  # type: ignore[union-attr]
            assert tail == sorted(tail)
        elif (event := first.take()) is not None:
            seen.append(event)
    log.close()
    seen += iter(first.take, None)

    assert [event.seq for event in seen] == list(range(1, len(seen) + 1))  # type: ignore[union-attr]
    assert b"".join(event.data for event in seen if isinstance(event, OutputChunk)) == said
    assert log.retained <= retained
    kept = log.read()
    assert all(a.seq < b.seq for a, b in zip(kept.chunks, kept.chunks[1:], strict=False))
    assert kept.next_seq == len(seen) + 1


@given(st.lists(st.binary(min_size=1, max_size=9), max_size=20), st.integers(0, 25), st.integers(0, 30))
def test_reads_on_and_on_give_everything_once(parts: list[bytes], after: int, most: int) -> None:
    log = ProcessLog()
    for part in parts:
        log.append("stdout", part)

    found: list[OutputChunk] = []
    position = after
    while (result := log.read(position, most)).chunks:
        assert len(result.chunks) == 1 or sum(len(chunk.data) for chunk in result.chunks) <= most
        found += result.chunks
        position = result.next_seq - 1

    assert [chunk.data for chunk in found] == parts[after:]


@pytest.mark.anyio
async def test_a_feed_holds_up_and_lets_go_on() -> None:
    resumed = []
    feed = ProcessFeed(on_room=lambda: resumed.append(True))
    events = feed.events()
    feed.output("stdout", b"x" * (PAUSE_AT - 1))
    assert not feed.full

    feed.output("stdout", b"x")

    assert feed.full
    async with asyncio.timeout(5):
        while feed.log.backlog:
            await anext(events)
    assert (feed.full, resumed) == (False, [True])


@pytest.mark.anyio
async def test_a_feed_goes_on_when_its_reader_goes_away() -> None:
    resumed = []
    feed = ProcessFeed(on_room=lambda: resumed.append(True))
    events = feed.events()
    feed.output("stdout", b"x" * PAUSE_AT)
    assert feed.full

    await events.aclose()

    assert (feed.full, resumed) == (False, [True])
    with pytest.raises(StopAsyncIteration):
        await anext(events)


@pytest.mark.anyio
async def test_a_reader_that_is_cancelled_loses_nothing() -> None:
    feed = ProcessFeed()
    events = feed.events()
    waiting = asyncio.ensure_future(anext(events))
    await asyncio.sleep(0)

    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    feed.output("stdout", b"x")

    assert await anext(events) == OutputChunk(1, "stdout", data=b"x")
