"""Authentication of incoming connections."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from codex_hookspecs.types.auth import AcceptedClient, ConnectionAuthOptions

ConnectionCheck = Callable[[str | None], "AcceptedClient | str | None"]
"""Takes the ``Authorization`` header of an upgrade request (the first one, decoded as Latin-1), or ``None``.

Returns why the client is refused, or who is accepted: an ``AcceptedClient``, or ``None`` for a client without a name.
"""


class ConnectionAuthenticator(Protocol):
    """Checks the credentials of incoming connections; offered through the hook ``connection_authenticators``."""

    @property
    def mode(self) -> str:
        """Value of ``--ws-auth`` that selects it: ``capability-token``, ``signed-bearer-token`` …"""
        ...

    def prepare(self, options: ConnectionAuthOptions) -> ConnectionCheck:
        """Read tokens and secrets and return the function that checks each connection; it must be fast.

        :raises ConfigError: when an option is missing, does not apply to the mode, or its file is invalid.
        """
        ...
