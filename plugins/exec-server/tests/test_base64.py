"""Base64, long and short: the same bytes and the same refusals whoever does the work."""

from __future__ import annotations

import base64
from binascii import Error

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex_exec_server.base64_text import Base64Error, decode_base64, encode_base64
from codex_exec_server.openssl_base64 import PLAIN, quickest

SYMBOLS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def outcome(decode, text: bytes) -> bytes | None:
    try:
        return decode(text)
    except Error:
        return None


@given(st.binary(max_size=5000))
def test_what_is_encoded_is_decoded_again(data: bytes) -> None:
    text = encode_base64(data)

    assert text == base64.b64encode(data)
    assert decode_base64(text) == data
    assert quickest().decode(quickest().encode(data)) == data


@given(st.text(alphabet=SYMBOLS[:4] + "=- \n\r!\x00\x7f\x80", max_size=24).map(lambda text: text.encode("latin-1")))
def test_the_quick_way_accepts_and_refuses_what_the_plain_one_does(text: bytes) -> None:
    assert outcome(quickest().decode, text) == outcome(PLAIN.decode, text)


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
