"""The mode ``capability-token``: clients present a token that the server knows, or knows the digest of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_auth_websocket.authorization import bearer_token
from codex_auth_websocket.credential_file import CredentialFile
from codex_auth_websocket.refusals import INVALID_TOKEN, UNCHECKED, Refused
from codex_auth_websocket.token_list import find, parse_digest, parse_tokens
from codex_hookspecs.auth import AcceptedClient
from codex_hookspecs.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from logging import Logger

    from codex_auth_websocket.token_list import Tokens
    from codex_hookspecs.auth import ConnectionAuthOptions, ConnectionCheck


class CapabilityToken:
    """Accepts who presents a token of ``--ws-token-file``, or the one with the digest ``--ws-token-sha256``."""

    mode = "capability-token"

    def __init__(self, logger: Logger) -> None:
        self._logger = logger

    def prepare(self, options: ConnectionAuthOptions) -> ConnectionCheck:
        """Read the tokens and return the check.

        :raises ConfigError: when an option is missing or belongs to another mode, or the file is invalid.
        """
        current = self._tokens(options)

        def check(authorization: str | None) -> AcceptedClient | str:
            try:
                return _accept(bearer_token(authorization), current())
            except Refused as refused:
                return str(refused)

        return check

    def _tokens(self, options: ConnectionAuthOptions) -> Callable[[], Tokens | None]:
        signed = (options.shared_secret_file, options.issuer, options.audience, options.max_clock_skew_seconds)
        if any(option is not None for option in signed):
            raise ConfigError(
                "`--ws-shared-secret-file`, `--ws-issuer`, `--ws-audience`, and `--ws-max-clock-skew-seconds` "
                "require `--ws-auth signed-bearer-token`"
            )
        if options.token_file is not None and options.token_sha256 is not None:
            raise ConfigError("`--ws-token-file` and `--ws-token-sha256` are mutually exclusive")
        if options.token_file is not None:
            file = CredentialFile(options.token_file, parse_tokens, self._logger)
            if not file.current():
                self._logger.error("no client can send the token in %s: it is not printable ASCII", file.path)
            return file.current
        if options.token_sha256 is None:
            raise ConfigError(
                "`--ws-token-file` or `--ws-token-sha256` is required when `--ws-auth capability-token` is set"
            )
        only: Tokens = {parse_digest(options.token_sha256): None}
        return lambda: only


def _accept(token: str, tokens: Tokens | None) -> AcceptedClient:
    if tokens is None:
        raise Refused(UNCHECKED)
    found = find(token, tokens)
    if found is None:
        raise Refused(INVALID_TOKEN)
    return AcceptedClient(tokens[found])
