"""The mode ``signed-bearer-token``: clients present JSON Web Tokens that are signed with a shared secret (HS256)."""

from __future__ import annotations

import base64
import re
import time
from functools import cache
from typing import TYPE_CHECKING, Final

from codex_auth_websocket.authorization import bearer_token
from codex_auth_websocket.claims import MAX_INTEGER, Expected, parse_object, subject
from codex_auth_websocket.credential_file import BLANKS, CredentialFile
from codex_auth_websocket.refusals import INVALID_JWT, UNCHECKED, Refused
from codex_hookspecs.auth import AcceptedClient
from codex_hookspecs.errors import ConfigError

if TYPE_CHECKING:
    from logging import Logger

    from jwt import PyJWS

    from codex_hookspecs.auth import ConnectionAuthOptions, ConnectionCheck

ALGORITHM: Final = "HS256"
MIN_SECRET_BYTES: Final = 32
DEFAULT_SKEW_SECONDS: Final = 30
_PART: Final = r"([0-9A-Za-z_-]+)"
_TOKEN: Final = re.compile(rf"{_PART}\.{_PART}\.{_PART}")
_TEXTS: Final = ("typ", "cty", "jku", "kid", "x5u", "x5t", "x5t#S256")
"""Members of a header that must be text, though nothing is done with them."""
_ONCE: Final = frozenset((*_TEXTS, "alg", "jwk", "x5c"))


class SignedBearerToken:
    """Accepts who presents a token signed with the secret of ``--ws-shared-secret-file``, if its claims fit."""

    mode = "signed-bearer-token"

    def __init__(self, logger: Logger) -> None:
        self._logger = logger

    def prepare(self, options: ConnectionAuthOptions) -> ConnectionCheck:
        """Read the secret and return the check.

        :raises ConfigError: when an option is missing or belongs to another mode, or the file is invalid.
        """
        if options.token_file is not None or options.token_sha256 is not None:
            raise ConfigError(
                "`--ws-token-file` and `--ws-token-sha256` require `--ws-auth capability-token`, "
                "not `signed-bearer-token`"
            )
        if options.shared_secret_file is None:
            raise ConfigError("`--ws-shared-secret-file` is required when `--ws-auth signed-bearer-token` is set")
        secret = CredentialFile(options.shared_secret_file, _parse_secret, self._logger)
        expected = _expected(options)

        def check(authorization: str | None) -> AcceptedClient | str:
            try:
                token = bearer_token(authorization)
                key = secret.current()
                if key is None:
                    raise Refused(UNCHECKED)
                return AcceptedClient(subject(verified_payload(token, key), expected, int(time.time())))
            except Refused as refused:
                if refused.detail:
                    self._logger.info("%s: %s", refused, refused.detail)
                return str(refused)

        return check


def verified_payload(token: str, secret: bytes) -> bytes:
    """Return the payload of a token.

    The form is checked here, because releases of the library differ in what they tolerate.

    :raises Refused: when the token is malformed, or its algorithm or signature is wrong.
    """
    from jwt import InvalidSignatureError, PyJWTError

    parts = _TOKEN.fullmatch(token)
    if parts is None:
        raise Refused(INVALID_JWT, "it is not three parts of Base64 for URLs")
    header = parse_object(_decoded(parts[1]), _ONCE, "header")
    for name in _TEXTS:
        if header.get(name) is not None and not isinstance(header[name], str):
            raise Refused(INVALID_JWT, f"{name} of its header is no text")
    if header.get("alg") != ALGORITHM:
        raise Refused(INVALID_JWT, f"its algorithm is not {ALGORITHM}")
    try:
        payload: bytes = _library().decode(token, secret, algorithms=[ALGORITHM])
    except InvalidSignatureError:
        raise Refused(INVALID_JWT, "it is not signed with this secret") from None
    except (PyJWTError, ValueError, TypeError, RecursionError):
        raise Refused(INVALID_JWT, "its header or form is not accepted") from None
    return payload


@cache
def _library() -> PyJWS:
    from jwt import PyJWS

    return PyJWS(algorithms=[ALGORITHM])


def _decoded(part: str) -> bytes:
    """Decode a part of a token.

    :raises Refused: when another text stands for the same bytes.
    """
    try:
        data = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError:
        raise Refused(INVALID_JWT, "its header is not Base64 for URLs") from None
    if base64.urlsafe_b64encode(data).rstrip(b"=") != part.encode():
        raise Refused(INVALID_JWT, "its header is not Base64 for URLs")
    return data


def _parse_secret(text: str, path: str) -> bytes:
    """Return the secret of a file.

    :raises ConfigError: when it is too short, or a key of another kind.
    """
    from jwt import InvalidKeyError
    from jwt.algorithms import HMACAlgorithm

    secret = text.encode()
    if len(secret) < MIN_SECRET_BYTES:
        raise ConfigError(f"signed websocket bearer secret {path} must be at least {MIN_SECRET_BYTES} bytes")
    try:
        HMACAlgorithm(HMACAlgorithm.SHA256).prepare_key(secret)
    except InvalidKeyError:
        raise ConfigError(
            f"signed websocket bearer secret {path} is a public key, a certificate or a JSON web key; "
            "expected a random text, such as that of: openssl rand -base64 48"
        ) from None
    return secret


def _expected(options: ConnectionAuthOptions) -> Expected:
    skew = DEFAULT_SKEW_SECONDS if options.max_clock_skew_seconds is None else options.max_clock_skew_seconds
    if skew > MAX_INTEGER:
        raise ConfigError("websocket auth clock skew must fit in a signed 64-bit integer")
    return Expected(_given(options.issuer), _given(options.audience), skew)


def _given(text: str | None) -> str | None:
    return (text or "").strip(BLANKS) or None
