"""Who tells whether an incoming connection is let in."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from codex_hookspecs.types.auth import ConnectionAuthOptions

ConnectionCheck = Callable[[str | None], str | None]
"""Takes the ``Authorization`` header of an upgrade request, returns why it is refused or ``None`` to let it in."""


class ConnectionAuthenticator(Protocol):
    """Checks the credentials of incoming connections; offered through the hook ``connection_authenticators``."""

    @property
    def mode(self) -> str:
        """Word of ``--ws-auth`` that asks for it: ``capability-token``, ``signed-bearer-token`` …"""
        ...

    def prepare(self, options: ConnectionAuthOptions) -> ConnectionCheck:
        """Read tokens and secrets and return the check for every connection; it must be quick.

        :raises ConfigError: when an option is missing, does not go with the mode, or its file can't be used.
        """
        ...
