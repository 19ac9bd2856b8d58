"""Hook implementations of ``codex exec-server``."""

from __future__ import annotations

from collections.abc import Sequence

from codex_hookspecs import hookimpl
from codex_hookspecs.host import Host
from codex_hookspecs.surface import CliCommand

HELP = "Serve this machine's processes and files to remote agents"


@hookimpl
def cli_commands() -> Sequence[CliCommand]:
    """Offer ``codex exec-server``."""

    async def run(arguments: Sequence[str], host: Host) -> int:
        from codex_exec_server.command import run

        return await run(arguments, host)

    return [CliCommand(name="exec-server", help=HELP, run=run)]
