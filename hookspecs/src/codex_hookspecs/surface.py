"""Sub-commands, doctor checks, RPC methods, front ends."""

from __future__ import annotations

from codex_hookspecs._lazy import exported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codex_hookspecs._lazy import protocol_type as protocol_type
    from codex_hookspecs._lazy import resolve_type as resolve_type
    from codex_hookspecs.errors import UsageError as UsageError
    from codex_hookspecs.markers import hookimpl as hookimpl
    from codex_hookspecs.ports.surface import AppClient as AppClient
    from codex_hookspecs.ports.surface import AppServer as AppServer
    from codex_hookspecs.ports.surface import CliCommand as CliCommand
    from codex_hookspecs.ports.surface import DoctorCheck as DoctorCheck
    from codex_hookspecs.ports.surface import RemoteAddress as RemoteAddress
    from codex_hookspecs.ports.surface import RpcContext as RpcContext
    from codex_hookspecs.ports.surface import RpcMethod as RpcMethod
    from codex_hookspecs.ports.surface import RpcServerRequest as RpcServerRequest
    from codex_hookspecs.ports.surface import RpcType as RpcType
    from codex_hookspecs.ports.surface import SurfaceHost as SurfaceHost
    from codex_hookspecs.standard_streams import PrivateStreams as PrivateStreams
    from codex_hookspecs.standard_streams import private_streams as private_streams
    from codex_hookspecs.terminal_text import escape_controls as escape_controls
    from codex_hookspecs.terminal_text import escape_controls_in as escape_controls_in
    from codex_hookspecs.terminal_text import escape_controls_in_line as escape_controls_in_line

__all__, __getattr__, __dir__ = exported(
    __name__,
    {
        "_lazy": "protocol_type resolve_type",
        "markers": "hookimpl",
        "errors": "UsageError",
        "ports.surface": (
            "AppClient AppServer CliCommand DoctorCheck RemoteAddress "
            "RpcContext RpcMethod RpcServerRequest RpcType SurfaceHost"
        ),
        "standard_streams": "PrivateStreams private_streams",
        "terminal_text": "escape_controls escape_controls_in escape_controls_in_line",
    },
)
