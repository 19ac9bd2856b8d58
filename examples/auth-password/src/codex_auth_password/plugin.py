"""Accepts clients that send the password in a file: ``codex exec-server --ws-auth password --ws-token-file FILE``."""

import hmac
from collections.abc import Sequence

from codex_hookspecs.auth import (
    AcceptedClient,
    ConnectionAuthenticator,
    ConnectionAuthOptions,
    ConnectionCheck,
    hookimpl,
)
from codex_hookspecs.errors import ConfigError
from codex_hookspecs.files import read_text

MAX_FILE_BYTES = 4096


class Password:
    mode = "password"

    def prepare(self, options: ConnectionAuthOptions) -> ConnectionCheck:
        if options.token_file is None:
            raise ConfigError("--ws-auth password takes a file with the password; add --ws-token-file FILE")
        password = (read_text(options.token_file, limit=MAX_FILE_BYTES) or "").strip()
        if not password:
            raise ConfigError(f"{options.token_file} holds no password; write one line to it")
        expected = f"Bearer {password}".encode()

        def check(authorization: str | None) -> AcceptedClient | str:
            if hmac.compare_digest((authorization or "").encode(), expected):
                return AcceptedClient("somebody with the password")
            return "wrong password"

        return check


@hookimpl
def connection_authenticators() -> Sequence[ConnectionAuthenticator]:
    return [Password()]
