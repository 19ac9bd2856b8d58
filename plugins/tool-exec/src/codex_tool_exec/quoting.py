"""Quote argument lists as one shell command line, identical to Codex 0.118."""

from __future__ import annotations

from collections.abc import Sequence

_BARE = frozenset("+-./:@]_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_NOT_IN_SINGLE = frozenset("'^\\")
_NOT_IN_DOUBLE = frozenset("`$!^")
_ESCAPED_IN_DOUBLE = frozenset('$`"\\')


def join(argv: Sequence[str]) -> str:
    """Join arguments to a command line that a POSIX shell splits into the same arguments."""
    if any("\0" in argument for argument in argv):
        return "<command included NUL byte>"
    return " ".join(map(quote, argv))


def quote(argument: str) -> str:
    """Quote an argument: bare, in single or in double quotes, switching where one kind can't represent a character."""
    if not argument:
        return "''"
    parts = []
    at = 0
    while at < len(argument):
        end, kind = _longest(argument, at)
        parts.append(_quote_part(argument[at:end], kind))
        at = end
    return "".join(parts)


def rust_debug(value: str) -> str:
    """Quote a text as Rust's ``Debug`` does, which Codex uses in error messages."""
    escapes = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0"}
    return '"' + "".join(escapes.get(character, character) for character in value) + '"'


def _longest(argument: str, start: int) -> tuple[int, str]:
    """Return the end of the longest part of an argument that one kind of quoting can represent, and the kind."""
    bare, single, double = True, True, True
    end = start
    if argument[start] == "^":  # Every shell takes it literally only right after an opening single quote.
        bare, double, end = False, False, start + 1
    while end < len(argument):
        character = argument[end]
        now = (
            bare and character in _BARE,
            single and character not in _NOT_IN_SINGLE,
            double and character not in _NOT_IN_DOUBLE,
        )
        if not any(now):
            break
        bare, single, double = now
        end += 1
    return end, "bare" if bare else "single" if single else "double"


def _quote_part(part: str, kind: str) -> str:
    if kind == "bare":
        return part
    if kind == "single":
        return f"'{part}'"
    return '"' + "".join("\\" + c if c in _ESCAPED_IN_DOUBLE else c for c in part) + '"'
