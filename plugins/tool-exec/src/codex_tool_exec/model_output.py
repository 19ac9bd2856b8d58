"""Format the output of a call for the model (text of Codex 0.118)."""

from __future__ import annotations

import os
from typing import NamedTuple

from codex_hookspecs.tools import token_estimate, truncate_tokens

DEFAULT_TOKENS = 10_000


class CallOutput(NamedTuple):
    """The state and new output of a command at the end of a call.

    :param command: shell-quoted command line.
    :param output: output since the last call.
    :param exit_code: exit code, ``None`` while the command runs.
    :param session_id: number of the session, for ``write_stdin``.
    """

    command: str
    output: bytes
    wall_seconds: float
    exit_code: int | None
    session_id: int | None


def truncate_output(answer: CallOutput, max_tokens: int) -> str:
    """Return the output, truncated in the middle to a number of tokens; with the number of lines when truncated."""
    text = answer.output.decode("utf-8", "replace")
    cut, original = truncate_tokens(text, max_tokens)
    return cut if original is None else f"Total output lines: {_lines(text)}\n\n{cut}"


def format_output(answer: CallOutput, max_tokens: int) -> str:
    """Return the whole text for the model."""
    text = answer.output.decode("utf-8", "replace")
    if answer.exit_code is not None:
        state = f"Process exited with code {answer.exit_code}"
    else:
        state = f"Process running with session ID {answer.session_id}"
    return "\n".join(
        (
            f"Command: {answer.command}",
            f"Chunk ID: {os.urandom(3).hex()}",
            f"Wall time: {answer.wall_seconds:.4f} seconds",
            state,
            f"Original token count: {token_estimate(text)}",
            "Output:",
            truncate_output(answer, max_tokens),
        )
    )


def _lines(text: str) -> int:
    return text.count("\n") + (not text.endswith("\n") if text else 0)
