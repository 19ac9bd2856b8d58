"""Base64 by the OpenSSL that comes with Python, at a third of the cost of Python's own.

It judges less strictly, so that what it decodes has to be looked at; and it works in one place, so that only one thread
may use it.
"""

from __future__ import annotations

from binascii import Error, a2b_base64, b2a_base64
from collections.abc import Callable
from typing import Final, NamedTuple

_ROOM: Final = 2 * 1024 * 1024
_SAMPLE: Final = bytes(range(256)) + b"\xfb\xff\xbf"
_SYMBOLS: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")


class Codec(NamedTuple):
    """A way to encode and decode.

    :param decode: strict; raises :class:`binascii.Error` or refuses by it.
    """

    encode: Callable[[bytes], bytes]
    decode: Callable[[bytes], bytes]


PLAIN: Final = Codec(
    encode=lambda data: b2a_base64(data, newline=False), decode=lambda text: a2b_base64(text, strict_mode=True)
)


def quickest() -> Codec:
    """Return OpenSSL's way where it can be had, else Python's."""
    try:
        codec = _of_openssl()
        good = codec.decode(codec.encode(_SAMPLE)) == _SAMPLE and codec.encode(_SAMPLE) == PLAIN.encode(_SAMPLE)
    except (ImportError, AttributeError, OSError, Error):
        return PLAIN
    return codec if good else PLAIN


def _of_openssl() -> Codec:
    import _hashlib
    import ctypes

    library = ctypes.CDLL(_hashlib.__file__)
    encode_block, decode_block = library.EVP_EncodeBlock, library.EVP_DecodeBlock
    for function in (encode_block, decode_block):
        function.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int)
        function.restype = ctypes.c_int
    room = bytearray(_ROOM)
    held = (ctypes.c_char * _ROOM).from_buffer(room)
    address, view = ctypes.addressof(held), memoryview(room)

    def encode(data: bytes) -> bytes:
        if len(data) > _ROOM // 2:
            return PLAIN.encode(data)
        return bytes(view[: encode_block(address, data, len(data))])

    def decode(text: bytes) -> bytes:
        size = len(text)
        if not 0 < size <= _ROOM or size % 4 or text[0] not in _SYMBOLS or text.find(b"=", 0, size - 2) >= 0:
            return PLAIN.decode(text)
        padding = text.count(b"=", size - 2)
        odd_end = text[-1] not in _SYMBOLS and not padding
        if odd_end or (padding == 1 and text[-2:-1] == b"=") or decode_block(address, text, size) != size // 4 * 3:
            return PLAIN.decode(text)
        return bytes(view[: size // 4 * 3 - padding])

    return Codec(encode, decode)
