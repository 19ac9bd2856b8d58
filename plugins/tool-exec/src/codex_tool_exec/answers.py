"""Word what the model is told of a command (text of Codex 0.118)."""

from __future__ import annotations

import os
from typing import NamedTuple

from codex_hookspecs.tools import token_estimate, truncate_tokens

DEFAULT_TOKENS = 10_000


class Answer(NamedTuple):
    """What one call found.

    :param command: shell-quoted command line.
    :param output: new output.
    :param exit_code: ``None`` while it runs.
    :param session_id: number to talk to it by, while it runs.
    """

    command: str
    output: bytes
    wall_seconds: float
    exit_code: int | None
    session_id: int | None


def shown_output(answer: Answer, max_tokens: int) -> str:
    """Return the output, cut in the middle to a number of tokens; a cut is announced with the count of lines."""
    text = answer.output.decode("utf-8", "replace")
    cut, original = truncate_tokens(text, max_tokens)
    return cut if original is None else f"Total output lines: {_lines(text)}\n\n{cut}"


def answer_text(answer: Answer, max_tokens: int) -> str:
    """Return the whole answer."""
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
            shown_output(answer, max_tokens),
        )
    )


def _lines(text: str) -> int:
    return text.count("\n") + (not text.endswith("\n") if text else 0)
