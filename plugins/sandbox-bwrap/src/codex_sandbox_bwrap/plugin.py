"""Hook implementations of the bubblewrap sandbox."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from codex_hookspecs.markers import active_when, hookimpl

if TYPE_CHECKING:
    from codex_hookspecs.ports.host import Host
    from codex_hookspecs.ports.sandbox import SandboxLauncher
    from codex_hookspecs.ports.surface import CliCommand
    from codex_hookspecs.ports.threads import AgentThread, HookScope
    from codex_hookspecs.types.lifecycle import SessionStartEvent
    from codex_hookspecs.types.sandbox import SandboxPolicy

MISSING = (
    "Codex could not find system bubblewrap on PATH. Please install bubblewrap with your package manager. Codex will "
    "use Landlock in the meantime, which can't hold every policy."
)


def lacks_bwrap(host: Host, thread: AgentThread | None) -> bool:
    """Tell whether a thread's policy asks for a sandbox and there is no bwrap."""
    if thread is None or thread.settings.sandbox.unrestricted or os.uname().sysname != "Linux":
        return False
    return not any(
        os.access(f"{folder}/bwrap", os.X_OK) for folder in host.environ.get("PATH", "").split(":") if folder[:1] == "/"
    )


@hookimpl(tryfirst=True)
def sandbox_launcher(policy: SandboxPolicy, platform: str, host: Host) -> SandboxLauncher | None:
    """Hold policies where there is a bwrap that works."""
    if platform != "linux" or policy.kind == "externalSandbox":
        return None  # Where another sandbox holds the files, there may be no name spaces; the filter needs none.
    from codex_sandbox_bwrap.choice import launcher_of

    return launcher_of(host)


@hookimpl
@active_when(lacks_bwrap)
async def session_start(event: SessionStartEvent, scope: HookScope) -> None:
    """Say that bubblewrap is missing."""
    await scope.warn(MISSING)


@hookimpl
def cli_commands() -> Sequence[CliCommand]:
    """Offer ``codex sandbox``."""
    from codex_hookspecs.ports.surface import CliCommand

    async def run(arguments: Sequence[str], host: Host) -> int:
        from codex_sandbox_bwrap.command import run

        return await run(arguments, host)

    shortcut = "codex_sandbox_bwrap.quick"
    return [CliCommand(name="sandbox", help="Run a command under a sandbox policy", run=run, shortcut=shortcut)]
