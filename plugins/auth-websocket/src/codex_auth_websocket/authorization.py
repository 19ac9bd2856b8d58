"""Read the bearer token of an ``Authorization`` header."""

from __future__ import annotations

from codex_auth_websocket.refusals import INVALID_HEADER, MISSING, Refused


def bearer_token(header: str | None) -> str:
    """Return the token of a header ``Bearer TOKEN``: only a blank separates the two, letter case of the scheme is free.

    :raises Refused: when there is no header, or it has another form.
    """
    if header is None:
        raise Refused(MISSING)
    scheme, _, rest = header.partition(" ")
    token = rest.strip(" \t")
    if not header.isascii() or scheme.lower() != "bearer" or not token:
        raise Refused(INVALID_HEADER)
    return token
