"""Keep what handlers tell the model within bounds, with the whole text in a file (format of Codex 0.169)."""

from __future__ import annotations

import os
from pathlib import Path

from codex_hookspecs.files import make_private
from codex_hookspecs.protocol import uuid4
from codex_hookspecs.tools import token_estimate, truncate_tokens

from .trust import DEFAULT_CONTEXT_LIMIT

DIRECTORY = "hook_outputs"


def bounded(text: str, *, codex_home: str, thread_id: str, limit: int | None = None) -> str:
    """Return the text, or its head and tail and where the whole was written.

    :param limit: tokens that may reach the model; the usual number when ``None``.
    """
    limit = DEFAULT_CONTEXT_LIMIT if limit is None else limit
    if token_estimate(text) <= limit:
        return text
    folder = Path(codex_home, DIRECTORY, thread_id)
    path = folder / f"{uuid4()}.txt"
    try:
        make_private(folder)
        _write(path, text)
    except OSError:
        # The model still gets the preview: a full disk must not take the handler's words away.
        return preview(text, limit)
    footer = f"\n\nFull hook output saved to: {path}"
    return preview(text, max(limit - token_estimate(footer), 0)) + footer


def preview(text: str, limit: int) -> str:
    """Return head and tail of a text, with a line that says how much there was."""
    kept, original = truncate_tokens(text, limit)
    if original is None:
        return text
    lines = len(text.splitlines())
    return f"Warning: truncated output (original token count: {original})\nTotal output lines: {lines}\n\n{kept}"


def _write(path: Path, text: str) -> None:
    partial = path.with_suffix(".partial")
    with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
        file.write(text.encode("utf-8", "replace"))
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
