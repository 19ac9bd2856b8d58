"""Hook implementations of the commands for saved sessions."""

from __future__ import annotations

from collections.abc import Sequence

from codex_hookspecs.surface import CliCommand, SurfaceHost, hookimpl


@hookimpl
def cli_commands() -> Sequence[CliCommand]:
    """Provide the commands."""

    async def archive(arguments: Sequence[str], host: SurfaceHost) -> int:
        from codex_threads_cli.archiving import move

        return await move(arguments, host, archived=True)

    async def unarchive(arguments: Sequence[str], host: SurfaceHost) -> int:
        from codex_threads_cli.archiving import move

        return await move(arguments, host, archived=False)

    async def apply(arguments: Sequence[str], host: SurfaceHost) -> int:
        from codex_threads_cli.applying import apply_changes

        return await apply_changes(arguments, host)

    async def resume(arguments: Sequence[str], host: SurfaceHost) -> int:
        from codex_threads_cli.referring import refer

        return await refer("resume", arguments, host)

    async def fork(arguments: Sequence[str], host: SurfaceHost) -> int:
        from codex_threads_cli.referring import refer

        return await refer("fork", arguments, host)

    return [
        CliCommand(
            name="archive", help="Put sessions away, so that they are no longer listed", run=archive, remote=True
        ),
        CliCommand(name="unarchive", help="Bring archived sessions back", run=unarchive, remote=True),
        CliCommand(
            name="apply", help="Apply the changes of a session's last turn to the files here", run=apply, remote=True
        ),
        CliCommand(name="a", help="Short for apply", run=apply, remote=True),
        CliCommand(name="resume", help="List sessions, and say how to go on with one", run=resume, remote=True),
        CliCommand(name="fork", help="List sessions, and say how to go on with a copy of one", run=fork, remote=True),
    ]
