"""The program ``apply_patch`` for scripts that a model runs: applies a patch inside of the command's sandbox.

    apply_patch PATCH
    apply_patch < FILE

Texts and statuses are those of Codex 0.169: 0 when the patch was applied, 1 when it was not, 2 for wrong usage.
"""

from __future__ import annotations

import asyncio
import os
import sys

from codex_tool_apply_patch.applying import apply_plan
from codex_tool_apply_patch.grammar import PatchError, parse_patch
from codex_tool_apply_patch.plain_files import PlainFiles
from codex_tool_apply_patch.planning import plan_patch

_USAGE = "Usage: apply_patch 'PATCH'\n       echo 'PATCH' | apply_patch"
_WORDS = (("invalid patch: ", "Invalid patch: "), ("invalid hunk at line ", "Invalid patch hunk on line "))


def main() -> int:
    """Apply the patch of the command line, or of stdin without one."""
    if len(sys.argv) > 2:
        return _print_error("Error: apply_patch accepts exactly one argument.", 2)
    source = "argument" if len(sys.argv) == 2 else "stdin"
    try:
        data = os.fsencode(sys.argv[1]) if source == "argument" else sys.stdin.buffer.read()
        text = data.decode()
    except UnicodeDecodeError:
        return _print_error(f"Error: apply_patch requires a UTF-8 PATCH {source}.", 1)
    except OSError as error:
        return _print_error(f"Error: Failed to read PATCH from stdin.\n{error.strerror}", 1)
    if not text and source == "stdin":
        return _print_error(_USAGE, 2)
    try:
        summary = asyncio.run(_apply(text))
    except PatchError as error:
        return _print_error(_to_codex_text(str(error)), 1)
    try:
        sys.stdout.write(summary)
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # Prevents a second failure when stdout is flushed at exit.
        return 1
    return 0


async def _apply(text: str) -> str:
    files = PlainFiles()
    patch = parse_patch(text)
    if not patch.operations:
        raise PatchError("No files were modified.")
    plan = await plan_patch(patch, files, os.getcwd())
    await apply_plan(plan, files)
    return plan.summary


def _to_codex_text(message: str) -> str:
    for start, instead in _WORDS:
        if message.startswith(start):
            return (instead + message.removeprefix(start)).replace(", ", ": ", 1 if "hunk" in start else 0)
    return message


def _print_error(message: str, status: int) -> int:
    sys.stderr.write(f"{message}\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
