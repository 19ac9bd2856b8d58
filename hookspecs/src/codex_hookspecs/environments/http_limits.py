"""What every maker of HTTP requests keeps to: what is a request, and how failures are told (exec-server protocol)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Final

from codex_hookspecs.errors import HttpError

if TYPE_CHECKING:
    from codex_hookspecs.types.http import HttpRequest

LARGEST_BODY: Final = 256 * 1024 * 1024
"""Bytes of a body that is read as a whole."""
MOST_REDIRECTIONS: Final = 10
BROKEN: Final = "error decoding response body"
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(//([^/?#]*))?")
_INVALID = -32602


def check_request(request: HttpRequest) -> None:
    """Refuse what is no request.

    :raises HttpError: saying what is wrong with it.
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


def unsent(url: str) -> HttpError:
    """Return what a request fails with that got no answer."""
    return HttpError(f"http/request failed: error sending request for url ({url})")


def in_circles() -> HttpError:
    """Return what a request fails with that is sent from place to place."""
    return HttpError("http/request failed: too many redirects")


def broken_body(reason: str = BROKEN) -> HttpError:
    """Return what a body fails with that breaks off.

    :param reason: why, in words for people.
    """
    return HttpError(f"failed to read http/request response body: {reason}")


async def whole_body(chunks: AsyncIterator[bytes], limit: int) -> bytes:
    """Return a body as a whole.

    :param chunks: the body, piece by piece.
    :param limit: most bytes that it may have.
    :raises HttpError: when it breaks off or is larger than the limit.
    """
    parts: list[bytes] = []
    size = 0
    async for part in chunks:
        parts.append(part)
        size += len(part)
        if size > limit:
            raise HttpError(f"http/request response body is larger than {limit} bytes")
    return b"".join(parts)
