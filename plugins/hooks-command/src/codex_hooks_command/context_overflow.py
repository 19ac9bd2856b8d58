"""Truncate long context for the model and save the whole text to a file (format of Codex 0.169)."""

from __future__ import annotations

import os
from pathlib import Path

from codex_hooks_command.trust import DEFAULT_CONTEXT_LIMIT
from codex_hookspecs.files import make_private
from codex_hookspecs.protocol import uuid4
from codex_hookspecs.tools import token_estimate, truncate_tokens

DIRECTORY = "hook_outputs"


def limit_context(text: str, *, codex_home: str, thread_id: str, limit: int | None = None) -> str:
    """Return a text unchanged if it is short enough, else its head and tail and the path of the whole text.

    :param limit: maximum number of tokens; ``None`` for the default.
    """
    limit = DEFAULT_CONTEXT_LIMIT if limit is None else limit
    if token_estimate(text) <= limit:
        return text
    folder = Path(codex_home, DIRECTORY, thread_id)
    path = folder / f"{uuid4()}.txt"
    try:
        make_private(folder)
        _write_atomically(path, text)
    except OSError:
        # If the file can't be written, the model still gets head and tail.
        return head_and_tail(text, limit)
    footer = f"\n\nFull hook output saved to: {path}"
    return head_and_tail(text, max(limit - token_estimate(footer), 0)) + footer


def head_and_tail(text: str, limit: int) -> str:
    """Return head and tail of a text, preceded by its original size."""
    kept, original = truncate_tokens(text, limit)
    if original is None:
        return text
    lines = len(text.splitlines())
    return f"Warning: truncated output (original token count: {original})\nTotal output lines: {lines}\n\n{kept}"


def _write_atomically(path: Path, text: str) -> None:
    partial = path.with_suffix(".partial")
    with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
        file.write(text.encode("utf-8", "replace"))
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
