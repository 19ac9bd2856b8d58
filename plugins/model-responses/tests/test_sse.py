"""The parser of server-sent events."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codex_model_responses.sse import EventTooLong, SseParser

LINES = st.lists(
    st.one_of(
        st.sampled_from([b"", b"", b"data", b"data:", b"data: x", b"data:  y", b": comment", b"event: ping", b"id: 1"]),
        st.binary(max_size=12).map(lambda raw: b"data: " + raw.replace(b"\r", b"").replace(b"\n", b"")),
    ),
    max_size=20,
)
WORDS = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\r\n"))
ENDS = st.lists(st.sampled_from([b"\n", b"\r\n", b"\r"]), min_size=20, max_size=20)


def parse(*chunks: bytes) -> list[bytes]:
    parser = SseParser()
    return [data for chunk in chunks for data in parser.feed(chunk)]


@settings(max_examples=300, deadline=None, derandomize=True)
@given(lines=LINES, ends=ENDS, cuts=st.lists(st.integers(0, 400), max_size=30))
def test_any_way_of_cutting_the_stream_gives_the_same_events(lines, ends, cuts) -> None:
    stream = b"".join(line + end for line, end in zip(lines, ends, strict=False))
    places = sorted({0, *(cut for cut in cuts if cut < len(stream)), len(stream)})

    pieces = [stream[start:end] for start, end in pairwise(places)]

    assert parse(*pieces) == parse(stream)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    events=st.lists(
        st.lists(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\r\n")), min_size=1), max_size=5
    )
)
def test_data_comes_out_as_it_was_put_in(events) -> None:
    lines = ["".join(f"data: {line}\n" for line in event) + "\n" for event in events]

    assert parse("".join(lines).encode()) == ["\n".join(event).encode() for event in events]


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"data: a\n\n", [b"a"]),
        (b"data:a\r\n\r\n", [b"a"]),
        (b"data: a\r\rdata: b\r\r", [b"a", b"b"]),
        (b"data: a\ndata: b\n\n", [b"a\nb"]),
        (b"data\n\n", [b""]),
        (b"\xef\xbb\xbfdata: a\n\n", [b"a"]),
        (b": keep-alive\n\nevent: x\nid: 7\nretry: 10\ndata: a\n\n", [b"a"]),
        (b"event: only\n\n", []),
        (b"database: a\n\n", []),
        (b"data: unfinished\n", []),
        (b"\n\n\n", []),
    ],
)
def test_the_forms_of_the_standard_are_understood(stream, events) -> None:
    assert parse(stream) == events


def test_a_mark_of_byte_order_counts_only_at_the_beginning() -> None:
    assert parse(b"data: a\n\n\xef\xbb\xbfdata: b\n\n") == [b"a"]


@pytest.mark.parametrize("chunk", [b"data: " + b"x" * 200, b"data: " + b"x" * 60 + b"\n", b": " + b"x" * 200])
def test_an_event_that_does_not_end_is_refused(chunk) -> None:
    parser = SseParser(limit=150)

    with pytest.raises(EventTooLong, match="longer than 150 bytes"):
        parser.feed(chunk * 3)


def test_many_events_below_the_limit_are_fine() -> None:
    parser = SseParser(limit=150)

    events = [data for _ in range(100) for data in parser.feed(b": comment\ndata: " + b"x" * 90 + b"\n\n")]

    assert len(events) == 100


def test_a_long_line_arrives_whole_from_small_pieces() -> None:
    events = parse(b"data: ", *[b"x" * 50] * 20_000, b"\n\n")

    assert events == [b"x" * 1_000_000]
