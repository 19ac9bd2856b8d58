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

    return [
        CliCommand(
            name="exec", help="Run Codex non-interactively", run=run_exec, interactive_options=True, own_parser=True
        ),
        CliCommand(name="e", help="Short for exec", run=run_exec, interactive_options=True, own_parser=True),
        CliCommand(
            name="review",
            help="Review changes in the repository",
            run=run_review,
            interactive_options=True,
            own_parser=True,
        ),
    ]
