"""Hook implementations of sandbox-landlock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_hookspecs import hookimpl

if TYPE_CHECKING:
    from codex_hookspecs.host import Host
    from codex_hookspecs.sandbox import SandboxLauncher


@hookimpl
def sandbox_launcher(platform: str, host: Host) -> SandboxLauncher | None:
    """Enforce policies on Linux if no other launcher does."""
    if platform != "linux":
        return None
    from codex_sandbox_landlock.launcher import LandlockLauncher

    unprotected = host.config.get("plugins.sandbox-landlock.unprotected") is True
    return LandlockLauncher(unprotected=unprotected, home=host.codex_home)
