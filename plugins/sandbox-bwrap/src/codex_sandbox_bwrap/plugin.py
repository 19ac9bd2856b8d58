"""Hook implementations of the bubblewrap sandbox."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from codex_hookspecs import enabled_if, hookimpl

if TYPE_CHECKING:
    from codex_hookspecs.host import AgentThread, Host
    from codex_hookspecs.lifecycle import HookScope, SessionStartEvent
    from codex_hookspecs.sandbox import SandboxLauncher, SandboxPolicy
    from codex_hookspecs.surface import CliCommand


def lacks_bwrap(host: Host, thread: AgentThread | None) -> bool:
    """Return whether a thread's policy needs a sandbox and no bwrap is known to work."""
    if thread is None or thread.settings.sandbox.unrestricted or os.uname().sysname != "Linux":
        return False
    from codex_sandbox_bwrap.notices import has_working_bwrap

    return not has_working_bwrap(host)


@hookimpl
def sandbox_launcher(policy: SandboxPolicy, platform: str, host: Host) -> SandboxLauncher | None:
    """Enforce policies on Linux if there is a bwrap that works."""
    if platform != "linux" or policy.kind == "externalSandbox":
        return None  # Inside an external sandbox there may be no namespaces; the Landlock launcher needs none.
    from codex_sandbox_bwrap.find_launcher import launcher_for

    launcher = launcher_for(host)
    if launcher is None:
        from codex_sandbox_bwrap.notices import refuse_on_wsl1

        refuse_on_wsl1(policy.mode)
    return launcher


@hookimpl
@enabled_if(lacks_bwrap)
async def session_start(event: SessionStartEvent, scope: HookScope, host: Host) -> None:
    """Warn the user that bubblewrap is missing or does not work."""
    import asyncio

    from codex_sandbox_bwrap.notices import missing_bwrap_notice

    text = await asyncio.to_thread(missing_bwrap_notice, host)
    if text is not None:
        await scope.warn(text)


@hookimpl
def cli_commands() -> Sequence[CliCommand]:
    """Provide ``codex sandbox``, and ``codex-linux-sandbox`` for clients that call the program by that name."""
    from codex_hookspecs.surface import CliCommand

    async def sandbox(arguments: Sequence[str], host: Host) -> int:
        from codex_sandbox_bwrap.command import run

        return await run(arguments, host)

    async def helper(arguments: Sequence[str], host: Host) -> int:
        from codex_sandbox_bwrap.command import run_helper

        return await run_helper(arguments, host)

    shortcut = "codex_sandbox_bwrap.fast_command"
    return [
        CliCommand(
            name="sandbox", help="Run a command under a sandbox policy", run=sandbox, shortcut=shortcut, own_parser=True
        ),
        CliCommand(name="codex-linux-sandbox", help="", run=helper, own_parser=True),
    ]
