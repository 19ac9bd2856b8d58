"""The program that runs as the sandbox user: ``codex-command-runner --pipe-in=NAME --pipe-out=NAME``."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Connect to the parent's pipes and run its command; return the command's exit code."""
    given = dict(each.partition("=")[::2] for each in (sys.argv[1:] if arguments is None else arguments))
    for name in ("pipe-in", "pipe-out"):
        if not given.get(f"--{name}"):
            return _fail(f"runner: no {name} provided")
    if os.name != "nt":
        return _fail("runner: it runs on Windows only")
    from codex_sandbox_windows.channel import Channel
    from codex_sandbox_windows.runner import serve
    from codex_sandbox_windows.windows.pipes import open_pipes
    from codex_sandbox_windows.windows.processes import spawn

    try:
        transport = open_pipes(given["--pipe-in"], given["--pipe-out"])
    except OSError as error:
        return _fail(f"runner: the pipes can't be opened: {error}")
    channel = Channel(transport)
    try:
        return serve(channel, spawn)
    finally:
        channel.close()


def _fail(text: str) -> int:
    print(text, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
