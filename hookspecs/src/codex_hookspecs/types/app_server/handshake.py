"""The handshake (app-server protocol v2, 0.118)."""

from __future__ import annotations

from codex_hookspecs.types.json import AbsolutePathBuf
from codex_hookspecs.values import frozen


@frozen(kw_only=True)
class W3cTraceContext:
    """The trace that a request belongs to (W3C Trace Context)."""

    traceparent: str | None = None
    tracestate: str | None = None


@frozen(kw_only=True)
class ClientInfo:
    """Name and version of a client."""

    name: str
    version: str
    title: str | None = None


@frozen(kw_only=True)
class InitializeCapabilities:
    """Capabilities and preferences of a client.

    :param opt_out_notification_methods: notifications that it does not want.
    """

    experimental_api: bool = False
    opt_out_notification_methods: tuple[str, ...] | None = None


@frozen(kw_only=True)
class InitializeParams:
    """Parameters of ``initialize``."""

    client_info: ClientInfo
    capabilities: InitializeCapabilities | None = None


@frozen(kw_only=True)
class InitializeResponse:
    """Result of ``initialize``.

    :param platform_family: ``unix`` or ``windows``.
    :param platform_os: ``linux``, ``macos`` …
    :param user_agent: name and version of client and server, with the platform, as in model requests.
    """

    codex_home: AbsolutePathBuf
    platform_family: str
    platform_os: str
    user_agent: str
