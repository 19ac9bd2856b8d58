"""Authentication of clients: options, and who is accepted."""

from __future__ import annotations

from codex_hookspecs.values import frozen


@frozen(kw_only=True)
class ConnectionAuthOptions:
    """The ``--ws-…`` options of a server.

    :param mode: ``--ws-auth``.
    :param token_file: file with the token that clients must present.
    :param token_sha256: hexadecimal digest of that token.
    :param shared_secret_file: file with the secret that bearer tokens are signed with.
    :param issuer: required issuer of tokens, if any.
    :param audience: required audience of tokens, if any.
    :param max_clock_skew_seconds: tolerance for the times in a token.
    """

    mode: str
    token_file: str | None = None
    token_sha256: str | None = None
    shared_secret_file: str | None = None
    issuer: str | None = None
    audience: str | None = None
    max_clock_skew_seconds: int | None = None


@frozen
class AcceptedClient:
    """A client that may connect.

    :param name: what the server's log calls it, or ``None``; never a token. Control characters are escaped, and of a
        long name the first 64 characters are logged.
    """

    name: str | None = None
