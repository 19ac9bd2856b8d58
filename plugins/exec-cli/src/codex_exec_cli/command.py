"""The command ``codex exec``: parse the command line, run one turn, return the exit status."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_exec_cli.errors import ExecError, os_text
from codex_exec_cli.options import Options, UsageError, parse
from codex_exec_cli.streams import Stream
from codex_hookspecs.surface import escape_controls, private_streams

if TYPE_CHECKING:
    from collections.abc import Sequence

    from codex_exec_cli.reporter import Reporter
    from codex_hookspecs.surface import SurfaceHost

PYTHON_SDK = "codex_sdk_py"
"""Originator of the Python SDK, which can't parse the start of a file change."""


async def run(arguments: Sequence[str], host: SurfaceHost) -> int:
    """Run the command and return its exit status."""
    out, err = Stream(1, lossy=False), Stream(2, lossy=True)
    try:
        options = parse(arguments, host.interactive_options)
    except UsageError as error:
        err.write(escape_controls(str(error)))
        return 2
    try:
        if options.version:
            out.write(f"codex-host {host.version}\n")
            return 0
        with private_streams() as kept:
            return await _run(options, host, kept.stdin, Stream(kept.stdout, lossy=False), err)
    except ExecError as error:
        err.line(escape_controls(str(error)))
        return error.status
    except BrokenPipeError:
        return 1
    except OSError as error:
        err.line(f"Error: writing to standard output: {os_text(error)}")
        return 1


async def _run(options: Options, host: SurfaceHost, stdin: int, out: Stream, err: Stream) -> int:
    from codex_exec_cli.request import check_directory, make_request
    from codex_exec_cli.session import run_session

    await check_directory(options, host)
    request = await make_request(options, host, stdin, err)
    status, final_message = await run_session(request, host, _reporter(options, host, out, err))
    if status == 0 and options.output_file is not None:
        _write_message(options.output_file, final_message, err)
    return status


def _reporter(options: Options, host: SurfaceHost, out: Stream, err: Stream) -> Reporter:
    if options.json:
        from codex_exec_cli.jsonl import JsonReporter

        return JsonReporter(
            out,
            err,
            hook_events=options.hook_events,
            count_tokens=options.command != "review",
            started_changes=host.environ.get("CODEX_INTERNAL_ORIGINATOR_OVERRIDE") != PYTHON_SDK,
        )
    from codex_exec_cli.human import HumanReporter
    from codex_exec_cli.style import Style, wants_color

    return HumanReporter(
        out,
        err,
        Style(enabled=wants_color(options.color, terminal=err.terminal, environ=host.environ)),
        title=f"codex-host v{host.version}",
        summaries=host.config.get("model_reasoning_summary") or "none",
        hide_reasoning=bool(host.config.get("hide_agent_reasoning")),
        raw_reasoning=bool(host.config.get("show_raw_agent_reasoning")),
    )


def _write_message(path: str, message: str | None, err: Stream) -> None:
    """Write the final message to the requested file."""
    try:
        with open(path, "w", encoding="utf-8", errors="replace", newline="") as file:
            file.write(message or "")
    except OSError as error:
        raise ExecError(f"Failed to write the last message to {path}: {os_text(error)}") from error
    if message is None:
        err.line(f"Warning: no last agent message; wrote empty content to {path}")
