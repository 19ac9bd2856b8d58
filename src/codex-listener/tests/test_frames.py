"""How bytes become frames."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from codex_listener.frames import FrameParser, TooLarge, text_frame

FRAMES = st.lists(
    st.tuples(st.sampled_from([Opcode.TEXT, Opcode.BINARY, Opcode.PING, Opcode.CONT]), st.binary(max_size=300)),
    max_size=8,
)


def made(opcode: Opcode, data: bytes, *, mask: bool = True, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=mask)


def split_frames(pieces: list[bytes], limit: int = 1 << 20) -> list[tuple[bytes | None, bytes]]:
    parser = FrameParser(limit)
    found = []
    for piece in pieces:
        rest = memoryview(piece)
        while rest:
            room = parser.room()
            count = min(len(room), len(rest))
            room[:count], rest = rest[:count], rest[count:]
            parser.advance(count)
            while (frame := parser.next_frame()) is not None:
                found.append(frame)
    return found


@given(FRAMES, st.integers(min_value=1, max_value=50))
def test_frames_are_found_however_they_are_cut(frames: list[tuple[Opcode, bytes]], size: int) -> None:
    sent = [made(opcode, data[:125] if opcode is Opcode.PING else data) for opcode, data in frames]
    stream = b"".join(sent)

    found = split_frames([stream[place : place + size] for place in range(0, len(stream), size)])

    expected = [
        (data, plain[:1]) if opcode in (Opcode.TEXT, Opcode.BINARY) else (None, plain)
        for (opcode, data), plain in zip(frames, sent, strict=True)
    ]
    assert found == expected


@given(st.lists(st.integers(min_value=0, max_value=70_000), max_size=6), st.integers(min_value=3_000, max_value=90_000))
def test_large_and_small_frames_take_turns_in_one_buffer(sizes: list[int], piece: int) -> None:
    payloads = [bytes([number + 65]) * size for number, size in enumerate(sizes)]
    stream = b"".join(made(Opcode.TEXT, payload) for payload in payloads)

    found = split_frames([stream[place : place + piece] for place in range(0, len(stream), piece)])

    assert found == [(payload, b"\x81") for payload in payloads]


@pytest.mark.parametrize("size", [0, 125, 126, 65535, 65536, 200_000])
def test_every_length_is_read_and_written(size: int) -> None:
    assert split_frames([made(Opcode.TEXT, b"x" * size)]) == [(b"x" * size, b"\x81")]
    assert text_frame(b"x" * size) == made(Opcode.TEXT, b"x" * size, mask=False)


def test_a_frame_that_is_not_masked_is_left_to_the_library() -> None:
    frame = made(Opcode.TEXT, b"x", mask=False)

    assert split_frames([frame]) == [(None, frame)]


def test_a_frame_beyond_the_limit_is_refused_before_it_is_there() -> None:
    with pytest.raises(TooLarge):
        split_frames([made(Opcode.TEXT, b"x" * 101)[:20]], limit=100)
