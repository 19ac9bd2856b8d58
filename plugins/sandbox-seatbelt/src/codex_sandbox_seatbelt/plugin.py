"""Hook implementations of sandbox-seatbelt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_hookspecs import hookimpl

if TYPE_CHECKING:
    from codex_hookspecs.host import Host
    from codex_hookspecs.sandbox import SandboxLauncher


@hookimpl
def sandbox_launcher(platform: str, host: Host) -> SandboxLauncher | None:
    """Enforce policies on macOS."""
    if platform != "macos":
        return None
    from codex_sandbox_seatbelt.launcher import SeatbeltLauncher

    return SeatbeltLauncher(host.config.get("plugins.sandbox-seatbelt", {}), home=host.codex_home)
