"""Authentication of clients that connect to a server of this program."""

from __future__ import annotations

from codex_hookspecs._lazy import exported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codex_hookspecs.markers import hookimpl as hookimpl
    from codex_hookspecs.ports.auth import ConnectionAuthenticator as ConnectionAuthenticator
    from codex_hookspecs.ports.auth import ConnectionCheck as ConnectionCheck
    from codex_hookspecs.types.auth import AcceptedClient as AcceptedClient
    from codex_hookspecs.types.auth import ConnectionAuthOptions as ConnectionAuthOptions

__all__, __getattr__, __dir__ = exported(
    __name__,
    {
        "markers": "hookimpl",
        "ports.auth": "ConnectionAuthenticator ConnectionCheck",
        "types.auth": "AcceptedClient ConnectionAuthOptions",
    },
)
