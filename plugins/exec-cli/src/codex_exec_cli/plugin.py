"""Hook implementations of ``codex exec``."""

from __future__ import annotations

from collections.abc import Sequence

from codex_hookspecs import hookimpl
from codex_hookspecs.surface import CliCommand, SurfaceHost


@hookimpl
def cli_commands() -> Sequence[CliCommand]:
    """Provide ``codex exec``, its short form ``codex e``, and ``codex review``, which is ``codex exec review``."""

    async def run_exec(arguments: Sequence[str], host: SurfaceHost) -> int:
        from codex_exec_cli.command import run

        return await run(arguments, host)

    async def run_review(arguments: Sequence[str], host: SurfaceHost) -> int:
        return await run_exec(["review", *arguments], host)

    offered = {
        "exec": ("Run Codex non-interactively", run_exec),
        "e": ("Short for exec", run_exec),
        "review": ("Review changes in the repository", run_review),
    }
    return [
        CliCommand(name=name, help=text, run=run, interactive_options=True, remote=True, own_parser=True)
        for name, (text, run) in offered.items()
    ]
