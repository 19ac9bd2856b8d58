"""Turn patterns of denied paths into regular expressions of the sandbox language.

``*`` and ``?`` stay within one part of a path, ``**/`` stands for any number of parts, ``[…]`` for a class, ``[!…]``
for its opposite; an unclosed bracket means itself. A pattern without any of these means a path with its tree.
"""

from __future__ import annotations

import os
from collections.abc import Callable

_SPECIAL = set(r".^$*+?()[]{}|\\")
_META = set("*?[")


def regexes(pattern: str, canonical: Callable[[str], str] = os.path.realpath) -> list[str]:
    """Return the expressions for a pattern: as it is spelled and, if that differs, where its fixed part really lies."""
    parts = pattern.split("/")
    fixed = next((at for at, part in enumerate(parts) if _META & set(part)), len(parts))
    prefix = "/".join(parts[:fixed])
    moved = "/".join([canonical(prefix or "/").rstrip("/"), *parts[fixed:]])
    return list(dict.fromkeys(_regex(spelled) for spelled in (pattern, moved)))


def _regex(pattern: str) -> str:
    if not _META & set(pattern):
        return f"^{_literal(pattern)}(/.*)?$"
    made, at = "^", 0
    while at < len(pattern):
        piece, at = _piece(pattern, at)
        made += piece
    return f"{made}$"


def _piece(pattern: str, at: int) -> tuple[str, int]:
    """Return the expression for what stands at a position, and where it goes on."""
    if pattern.startswith("**/", at):
        return "(.*/)?", at + 3
    if pattern.startswith("**", at):
        return ".*", at + 2
    character = pattern[at]
    if character == "*":
        return "[^/]*", at + 1
    if character == "?":
        return "[^/]", at + 1
    if character == "[":
        return _class(pattern, at)
    return _literal(character), at + 1


def _class(pattern: str, at: int) -> tuple[str, int]:
    negated = pattern.startswith("!", at + 1)
    begin = at + 1 + negated
    end = pattern.find("]", begin + 1)
    if end < 0:
        return r"\[", at + 1
    members = "".join(f"\\{member}" if member in "\\[]^" else member for member in pattern[begin:end])
    return f"[{'^/' if negated else ''}{members}]", end + 1


def _literal(text: str) -> str:
    return "".join(f"\\{character}" if character in _SPECIAL else character for character in text)
