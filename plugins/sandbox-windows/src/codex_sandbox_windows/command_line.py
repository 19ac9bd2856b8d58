"""Encode arguments and environments for the Windows API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def command_line(arguments: Sequence[str]) -> str:
    """Return a command line that the Microsoft C runtime splits into these arguments."""
    return " ".join(_quote(argument) for argument in arguments)


def environment_block(env: Mapping[str, str]) -> str:
    """Return a block of ``NAME=value``, each ended by NUL, sorted without regard to case, with a NUL at its end."""
    pairs = sorted(env.items(), key=lambda pair: pair[0].upper())
    return "".join(f"{name}={value}\0" for name, value in pairs) + ("\0" if pairs else "\0\0")


def _quote(argument: str) -> str:
    if argument and not any(character in argument for character in ' \t\n\v"'):
        return argument
    quoted, backslashes = '"', 0
    for character in argument:
        if character == "\\":
            backslashes += 1
            continue
        # Backslashes have to be doubled before a quote, and only there.
        quoted += "\\" * (backslashes * 2 + 1 if character == '"' else backslashes) + character
        backslashes = 0
    return quoted + "\\" * (backslashes * 2) + '"'
