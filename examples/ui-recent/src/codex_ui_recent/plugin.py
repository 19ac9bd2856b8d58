"""A sub-command that lists the newest threads."""

from collections.abc import Sequence

from codex_hookspecs.storage import ThreadQuery
from codex_hookspecs.surface import CliCommand, SurfaceHost, UsageError, escape_controls_in_line, hookimpl

USAGE = "Usage: codex recent [COUNT]"


async def recent(arguments: Sequence[str], host: SurfaceHost) -> int:
    page = await host.threads.list(ThreadQuery(limit=count(arguments), sort_key="updated_at"))
    for thread in page.threads:
        print(thread.id, escape_controls_in_line(thread.name or thread.preview))
    return 0


def count(arguments: Sequence[str]) -> int:
    if len(arguments) > 1 or not all(word.isdecimal() for word in arguments):
        raise UsageError(f"recent takes one number, found {' '.join(arguments)!r}", usage=USAGE)
    return int(arguments[0]) if arguments else 10


@hookimpl
def cli_commands() -> Sequence[CliCommand]:
    return [CliCommand(name="recent", help="List the newest threads", run=recent, usage=USAGE)]
