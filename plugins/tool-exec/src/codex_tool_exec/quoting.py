"""Write argument lists as one line of shell, the way clients of Codex 0.118 are shown commands."""

from __future__ import annotations

from collections.abc import Sequence

_BARE = frozenset("+-./:@]_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_NOT_IN_SINGLE = frozenset("'^\\")
_NOT_IN_DOUBLE = frozenset("`$!^")
_ESCAPED_IN_DOUBLE = frozenset('$`"\\')


def join(argv: Sequence[str]) -> str:
    """Return arguments quoted so that a POSIX shell reads them back."""
    if any("\0" in argument for argument in argv):
        return "<command included NUL byte>"
    return " ".join(map(quote, argv))


def quote(argument: str) -> str:
    """Return one argument quoted: bare, in single or in double quotes, changing over where one kind does not do."""
    if not argument:
        return "''"
    parts = []
    at = 0
    while at < len(argument):
        end, kind = _longest(argument, at)
        parts.append(_quoted(argument[at:end], kind))
        at = end
    return "".join(parts)


def rust_debug(value: str) -> str:
    """Return a text in double quotes with what is special escaped, as error messages nest texts."""
    escapes = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0"}
    return '"' + "".join(escapes.get(character, character) for character in value) + '"'


def _longest(argument: str, start: int) -> tuple[int, str]:
    """Return where the part of an argument that one kind of quotes can take ends, and which kind."""
    bare, single, double = True, True, True
    end = start
    if argument[start] == "^":  # Only right behind an opening single quote does every shell leave it alone.
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


def _quoted(part: str, kind: str) -> str:
    if kind == "bare":
        return part
    if kind == "single":
        return f"'{part}'"
    return '"' + "".join("\\" + c if c in _ESCAPED_IN_DOUBLE else c for c in part) + '"'
