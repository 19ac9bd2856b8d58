"""The handshake of external clients: ``initialize``."""

from __future__ import annotations

import platform
import string
from typing import TYPE_CHECKING

from codex_hookspecs.errors import RpcError, WireError
from codex_hookspecs.protocol import InitializeParams, InitializeResponse

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from codex_hookspecs.host import Host

_HEADER = frozenset(string.printable) - frozenset(string.whitespace) | {" ", "\t"}


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
    if not name or not set(name) <= _HEADER:
        raise RpcError(f"Invalid clientInfo.name: '{name}'. Must be a valid HTTP header value.")
    return value


def build_initialize_result(params: InitializeParams, host: Host) -> InitializeResponse:
    """Build the result."""
    client = params.client_info
    machine = f"({_system()}; {platform.machine()}) {_terminal(host.environ)}"
    agent = f"{client.name}/{host.version} {machine} ({client.name}; {client.version})"
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
    program, version = environ.get("TERM_PROGRAM"), environ.get("TERM_PROGRAM_VERSION")
    if program:
        return f"{program}/{version}" if version else program
    return environ.get("TERM") or "unknown"
