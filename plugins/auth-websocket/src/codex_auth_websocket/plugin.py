"""Hook implementations of auth-websocket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_hookspecs import hookimpl

if TYPE_CHECKING:
    from codex_hookspecs.auth import ConnectionAuthenticator
    from codex_hookspecs.host import Host


@hookimpl
def connection_authenticators(host: Host) -> list[ConnectionAuthenticator]:
    """Offer the modes ``capability-token`` and ``signed-bearer-token``."""
    from codex_auth_websocket.capability import CapabilityToken
    from codex_auth_websocket.signed import SignedBearerToken

    logger = host.logger("auth-websocket")
    return [CapabilityToken(logger), SignedBearerToken(logger)]
