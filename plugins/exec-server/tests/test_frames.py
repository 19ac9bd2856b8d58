"""How bytes become frames."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from codex_exec_server.frames import FrameCutter, TooLarge, text_frame

FRAMES = st.lists(
    st.tuples(st.sampled_from([Opcode.TEXT, Opcode.BINARY, Opcode.PING, Opcode.CONT]), st.binary(max_size=300)),
    max_size=8,
)


def made(opcode: Opcode, data: bytes, *, mask: bool = True, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=mask)


def cut(pieces: list[bytes], limit: int = 1 << 20) -> list[tuple[bytes | None, bytes]]:
    cutter = FrameCutter(limit)
    return [found for piece in pieces for found in cutter.feed(piece)]


@given(FRAMES, st.integers(min_value=1, max_value=50))
def test_frames_are_found_however_they_are_cut(frames: list[tuple[Opcode, bytes]], size: int) -> None:
    sent = [made(opcode, data[:125] if opcode is Opcode.PING else data) for opcode, data in frames]
    stream = b"".join(sent)

    found = cut([stream[place : place + size] for place in range(0, len(stream), size)])

    expected = [
        (data, whole[:1]) if opcode in (Opcode.TEXT, Opcode.BINARY) else (None, whole)
        for (opcode, data), whole in zip(frames, sent, strict=True)
    ]
    assert found == expected


@pytest.mark.parametrize("size", [0, 125, 126, 65535, 65536, 200_000])
def test_every_length_is_read_and_written(size: int) -> None:
    assert cut([made(Opcode.TEXT, b"x" * size)]) == [(b"x" * size, b"\x81")]
    assert text_frame(b"x" * size) == made(Opcode.TEXT, b"x" * size, mask=False)


def test_a_frame_that_is_not_masked_is_left_to_the_library() -> None:
    frame = made(Opcode.TEXT, b"x", mask=False)

    assert cut([frame]) == [(None, frame)]


def test_a_frame_beyond_the_limit_is_refused_before_it_is_there() -> None:
    with pytest.raises(TooLarge):
        cut([made(Opcode.TEXT, b"x" * 101)[:20]], limit=100)
