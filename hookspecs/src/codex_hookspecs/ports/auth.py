"""Authentication of incoming connections."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from codex_hookspecs.types.auth import ConnectionAuthOptions

ConnectionCheck = Callable[[str | None], str | None]
"""Takes the ``Authorization`` header of an upgrade request; returns why it is refused, or ``None`` to accept it."""


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
