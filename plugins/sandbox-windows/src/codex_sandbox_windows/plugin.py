"""Hook implementations of sandbox-windows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_hookspecs import hookimpl

if TYPE_CHECKING:
    from codex_hookspecs.host import Host
    from codex_hookspecs.sandbox import SandboxLauncher


@hookimpl
def sandbox_launcher(platform: str, host: Host) -> SandboxLauncher | None:
    """Enforce policies on Windows."""
    if platform != "windows":
        return None
    from codex_sandbox_windows.launcher import WindowsLauncher

    return WindowsLauncher(host.config.get("plugins.sandbox-windows", {}), host.codex_home)
