"""The handshake of external clients: ``initialize``."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

from codex_app_server.connection import ORIGINATOR_OVERRIDE
from codex_hookspecs.errors import RpcError, WireError
from codex_hookspecs.protocol import InitializeParams, InitializeResponse

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from codex_hookspecs.host import Host

_TERMINALS = (
    ("TERM_PROGRAM", "", "TERM_PROGRAM_VERSION"),
    ("WEZTERM_VERSION", "WezTerm", "WEZTERM_VERSION"),
    ("ITERM_SESSION_ID", "iTerm.app", None),
    ("KITTY_WINDOW_ID", "kitty", None),
    ("ALACRITTY_SOCKET", "Alacritty", None),
    ("KONSOLE_VERSION", "Konsole", "KONSOLE_VERSION"),
    ("GNOME_TERMINAL_SCREEN", "gnome-terminal", None),
    ("VTE_VERSION", "VTE", "VTE_VERSION"),
    ("WT_SESSION", "WindowsTerminal", None),
    ("TERM", "", None),
)
"""Variable of a terminal, its name if not the variable's value, variable of its version; the first one counts."""


def decode_initialize(params: Any) -> InitializeParams:
    """Decode the parameters.

    :raises RpcError: when they are invalid, or the client's name is not a valid value of an HTTP header.
    """
    from codex_hookspecs.wire import decode

    try:
        value = decode(InitializeParams, params)
    except WireError as error:
        raise RpcError(f"Invalid request: {error.faults[0][0]}") from error
    name = value.client_info.name
    if any((sign < " " and sign != "\t") or sign == "\x7f" for sign in name):
        raise RpcError(f"Invalid clientInfo.name: '{name}'. Must be a valid HTTP header value.")
    return value


def build_initialize_result(params: InitializeParams, host: Host) -> InitializeResponse:
    """Build the result."""
    client = params.client_info
    machine = f"({_system()}; {platform.machine()}) {_terminal(host.environ)}"
    originator = host.environ.get(ORIGINATOR_OVERRIDE) or client.name
    version = "".join(sign for sign in client.version if sign.isprintable())
    agent = f"{originator}/{host.version} {machine} ({client.name}; {version})"
    return InitializeResponse(
        user_agent=agent,
        codex_home=host.codex_home,
        platform_family="windows" if platform.system() == "Windows" else "unix",
        platform_os={"Darwin": "macos"}.get(platform.system(), platform.system().lower()),
    )


def _system() -> str:
    """Return name and version of the operating system, e.g. ``Debian 12.0.0``."""
    if platform.system() == "Darwin":
        return f"Mac OS {platform.mac_ver()[0]}"
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return f"{platform.system()} {platform.release()}"
    name = release.get("NAME", "Linux").removesuffix(" GNU/Linux")
    return f"{name} {_pad_version(release.get('VERSION_ID', ''))}"


def _pad_version(version: str) -> str:
    parts = [part for part in version.split(".") if part.isdigit()] or ["0"]
    return ".".join([*parts, "0", "0"][:3])


def _terminal(environ: Mapping[str, str]) -> str:
    for variable, name, versioned in _TERMINALS:
        found = environ.get(variable)
        if found:
            version = environ.get(versioned) if versioned else None
            return _header_safe(f"{name or found}/{version}" if version else name or found)
    return "unknown"


def _header_safe(text: str) -> str:
    return "".join(sign if sign.isascii() and (sign.isalnum() or sign in "-_./") else "_" for sign in text)
