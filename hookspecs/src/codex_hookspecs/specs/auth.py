"""Authentication of incoming connections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_hookspecs.markers import offer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from codex_hookspecs.ports.auth import ConnectionAuthenticator
    from codex_hookspecs.ports.host import Host


@offer(key="mode", requires=("prepare",))
def connection_authenticators(host: Host) -> Sequence[ConnectionAuthenticator] | None:
    """Offer authenticators for clients that open a websocket (``--ws-auth MODE``).

    :param host: the running program.
    :return: authenticators, each with its mode, or ``None``.

    Of two with the same mode that of the first plugin is used (first-party plugins come first unless ``plugin_order``
    says otherwise), with a warning that names both plugins. A failing plugin offers nothing; a server without an
    authenticator for its mode does not start.

    Example::

        from codex_hookspecs.auth import AcceptedClient, hookimpl

        class Password:
            mode = "password"

            def prepare(self, options):
                return lambda sent: AcceptedClient("cook") if sent == "Bearer open-sesame" else "wrong password"

        @hookimpl
        def connection_authenticators():
            return [Password()]
    """
