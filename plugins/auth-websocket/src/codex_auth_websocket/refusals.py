"""Why clients are refused: bodies of the status 401, as of the app-server of Codex 0.118."""

from __future__ import annotations

from typing import Final

MISSING: Final = "missing websocket bearer token"
INVALID_HEADER: Final = "invalid authorization header"
INVALID_TOKEN: Final = "invalid websocket bearer token"  # noqa: S105
INVALID_JWT: Final = "invalid websocket jwt"
EXPIRED: Final = "expired websocket jwt"
NOT_YET_VALID: Final = "websocket jwt is not valid yet"
WRONG_ISSUER: Final = "websocket jwt issuer mismatch"
WRONG_AUDIENCE: Final = "websocket jwt audience mismatch"
UNCHECKED: Final = "the credentials could not be checked"
"""The file with the tokens or the secret has become unusable while the server runs."""


class Refused(Exception):
    """Raised for a client that may not connect; the text is the reason, as the client gets it.

    :ivar detail: what was found, for the log; empty when the reason says it. It holds nothing of a token.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.detail = detail
