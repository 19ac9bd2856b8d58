"""Base64: the bytes of every text, and what is refused."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex_exec_server.base64_text import Base64Error, decode_base64, encode_base64
from codex_hookspecs.environments import decode_base64 as decode_strictly

SYMBOLS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


@given(st.binary(max_size=5000))
def test_what_is_encoded_is_decoded_again(data: bytes) -> None:
    text = encode_base64(data)

    assert text == base64.b64encode(data)
    assert decode_base64(text) == data


@given(st.text(alphabet=SYMBOLS[:4] + "=- \n\r!\x00\x7f\x80\ud800", max_size=24))
def test_what_is_decoded_is_the_canonical_text_of_its_bytes(text: str) -> None:
    try:
        data = decode_base64(text)
    except Base64Error:
        return

    assert base64.b64encode(data).decode() == text


@given(st.text(alphabet=SYMBOLS[:4] + "=- \n\r!\x00\x7f\x80\ud800", max_size=24))
def test_the_fast_decoder_and_the_standard_one_agree(text: str) -> None:
    found = []
    for decode in (decode_base64, decode_strictly):
        try:
            found.append(decode(text))
        except Base64Error as error:
            found.append(str(error))

    assert found[0] == found[1]


@given(st.binary(max_size=100))
def test_bytes_and_text_are_read_alike(data: bytes) -> None:
    text = base64.b64encode(data)

    assert decode_base64(text) == decode_base64(text.decode()) == data


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("AAAA====", "Invalid symbol 61, offset 4."),
        ("AAAA=", "Invalid symbol 61, offset 4."),
        ("A", "Invalid input length: 1"),
        ("AA", "Invalid padding"),
        ("\ud800AAA", "Invalid symbol 237, offset 0."),
        ("\u00e9AA=", "Invalid symbol 195, offset 0."),
    ],
)
def test_what_is_wrong_is_named(text: str, message: str) -> None:
    with pytest.raises(Base64Error) as caught:
        decode_base64(text)

    assert str(caught.value) == message


@pytest.mark.parametrize("size", [2048, 100_000, 3_000_000])
def test_long_texts_are_judged_as_short_ones(size: int) -> None:
    good = "A" * size

    for text, message in (
        ("!" + good[1:], "Invalid symbol 33, offset 0."),
        (good[:-1] + "\n", f"Invalid symbol 10, offset {size - 1}."),
        (good[: size // 2] + "=" + good[size // 2 + 1 :], f"Invalid symbol 61, offset {size // 2}."),
        (good[:-2] + "B=", f"Invalid last symbol 66, offset {size - 2}."),
        (good[:-1], "Invalid padding"),
    ):
        with pytest.raises(Base64Error) as caught:
            decode_base64(text)
        assert str(caught.value) == message
    assert decode_base64(good) == b"\0" * (size // 4 * 3)
