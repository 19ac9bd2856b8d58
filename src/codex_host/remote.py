"""The options ``--remote`` and ``--remote-auth-token-env``: where the app-server is, and the token for it."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from codex_hookspecs.errors import ConfigError
from codex_hookspecs.surface import RemoteAddress

if TYPE_CHECKING:
    from collections.abc import Mapping

    from codex_host.options import GlobalOptions

_FORMS: Final = "`ws://host:port`, `wss://host:port`, `unix://`, or `unix://PATH`"
_ADDRESS: Final = re.compile(r"(wss?)://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})/?")
_TOKEN: Final = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
_MAX_PORT: Final = 65535


def check_remote(options: GlobalOptions, *, allowed: bool) -> None:
    """Check that the options are given to a command that can use them.

    :param allowed: whether the command can work with an app-server elsewhere.
    :raises ConfigError: when it can't.
    """
    if options.remote is None:
        raise ConfigError("`--remote-auth-token-env` requires `--remote`.")
    if not allowed:
        raise ConfigError(f"`--remote {options.remote}` is not supported for `codex {options.command}`")


def remote_address(options: GlobalOptions, environ: Mapping[str, str]) -> RemoteAddress:
    """Return the server that the options name.

    :raises ConfigError: when the address is not valid, or the token is missing or would be sent in the clear.
    """
    url = options.remote or ""
    found = _ADDRESS.fullmatch(url)
    if (found is None and not url.startswith("unix://")) or (found is not None and not 0 < int(found[3]) <= _MAX_PORT):
        raise ConfigError(f"invalid remote address `{url}`; expected {_FORMS}")
    if options.directory is not None and not os.path.isabs(options.directory):
        raise ConfigError(
            f"-C {options.directory}: with --remote the directory is one of the server's, so it is absolute"
        )
    return RemoteAddress(
        url=url if found is None else url.removesuffix("/"),
        token=None if options.remote_token_variable is None else _token(options.remote_token_variable, url, environ),
        cwd=options.directory,
    )


def _token(variable: str, url: str, environ: Mapping[str, str]) -> str:
    if url.startswith("ws://") and not _is_loopback(urlsplit(url).hostname or ""):
        raise ConfigError(f"remote auth tokens require `wss://` or loopback `ws://` URLs; got `{url}`")
    token = environ.get(variable)
    if token is None:
        raise ConfigError(f"environment variable `{variable}` is not set")
    if not token.strip():
        raise ConfigError(f"environment variable `{variable}` is empty")
    if not _TOKEN.fullmatch(token.strip()):
        raise ConfigError(f"environment variable `{variable}` holds no token: only printable ASCII can be sent")
    return token.strip()


def _is_loopback(host: str) -> bool:
    from ipaddress import ip_address

    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
