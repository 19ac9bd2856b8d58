"""Validation, limits and errors shared by all HTTP clients of environments (exec-server protocol)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Final

from codex_hookspecs.errors import HttpError

if TYPE_CHECKING:
    from codex_hookspecs.types.http import HttpRequest

MAX_BODY_BYTES: Final = 256 * 1024 * 1024
"""Most bytes of a body that is read as a whole."""
MAX_REDIRECTS: Final = 10
BODY_DECODE_ERROR: Final = "error decoding response body"
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(//([^/?#]*))?")
_INVALID = -32602


def check_request(request: HttpRequest) -> None:
    """Validate a request.

    :raises HttpError: when it is invalid.
    """
    if not _TOKEN.match(request.method):
        raise HttpError("http/request method is invalid: invalid HTTP method", code=_INVALID)
    url = _URL.match(request.url)
    if url is None:
        raise HttpError("http/request url is invalid: relative URL without a base", code=_INVALID)
    scheme = url[1].lower()
    if scheme not in ("http", "https"):
        raise HttpError(f"http/request only supports http and https URLs, got {scheme}", code=_INVALID)
    if not (url[3] or "").rpartition("@")[2]:
        raise HttpError("http/request url is invalid: empty host", code=_INVALID)
    for name, value in request.headers:
        if not _TOKEN.match(name):
            raise HttpError("http/request header name is invalid: invalid HTTP header name", code=_INVALID)
        if any((ord(sign) < 32 and sign != "\t") or ord(sign) == 127 for sign in value):
            text = f"http/request header value is invalid for {name}: failed to parse header value"
            raise HttpError(text, code=_INVALID)


def request_failed(url: str) -> HttpError:
    """Return the error of a request that got no response."""
    return HttpError(f"http/request failed: error sending request for url ({url})")


def too_many_redirects() -> HttpError:
    """Return the error of a request with too many redirects."""
    return HttpError("http/request failed: too many redirects")


def body_failed(reason: str = BODY_DECODE_ERROR) -> HttpError:
    """Return the error of a body that could not be read to its end.

    :param reason: why, for users.
    """
    return HttpError(f"failed to read http/request response body: {reason}")


async def read_body(chunks: AsyncIterator[bytes], limit: int) -> bytes:
    """Read a whole body.

    :param chunks: the body, piece by piece.
    :param limit: most bytes that it may have.
    :raises HttpError: when it is incomplete or larger than the limit.
    """
    parts: list[bytes] = []
    size = 0
    async for part in chunks:
        parts.append(part)
        size += len(part)
        if size > limit:
            raise HttpError(f"http/request response body is larger than {limit} bytes")
    return b"".join(parts)
