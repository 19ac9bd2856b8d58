"""Hook implementations of ``codex exec``."""

from __future__ import annotations

from collections.abc import Sequence

from codex_hookspecs.markers import hookimpl
from codex_hookspecs.ports.surface import CliCommand, SurfaceHost


@hookimpl
def cli_commands() -> Sequence[CliCommand]:
    """Offer ``codex exec`` and its short form."""

    async def run(arguments: Sequence[str], host: SurfaceHost) -> int:
        from codex_exec_cli.command import run

        return await run(arguments, host)

    return [CliCommand(name=name, help="Run Codex non-interactively", run=run) for name in ("exec", "e")]
