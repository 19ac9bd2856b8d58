"""Split a script into simple commands, if it is nothing but that."""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"""
      (?P<space>[ \t\r]+ | \\\n)
    | (?P<operator>&&|\|\||;|\||\n+)
    | (?P<word>(?: [^\s'"`$\\;&|<>(){}\#!] [^\s'"`$\\;&|<>(){}]* | '[^']*' | "[^"$`\\]*" )+)
    """,
    re.VERBOSE,
)
_PART = re.compile(r"'[^']*'|\"[^\"]*\"|[^'\"]+")
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_CONTROL = "if then elif else fi for while until do done case esac function select in time [["
_RESERVED = frozenset(_CONTROL.split())


def simple_commands(script: str) -> list[list[str]] | None:
    """Return the words of each command of a script.

    :param script: commands joined by ``&&``, ``||``, ``;``, ``|`` or line ends.
    :return: ``None`` when there is anything else in it: variables, redirections, groups, assignments, control flow.
    """
    commands: list[list[str]] = [[]]
    at = 0
    while at < len(script):
        token = _TOKEN.match(script, at)
        if token is None:
            return None
        at = token.end()
        if token.lastgroup == "word":
            word = token["word"]
            if not commands[-1] and (_ASSIGNMENT.match(word) or word in _RESERVED):
                return None
            commands[-1].append(
                "".join(part.strip(part[0]) if part[0] in "'\"" else part for part in _PART.findall(word))
            )
        elif token.lastgroup == "operator":
            if commands[-1]:
                commands.append([])
            elif token["operator"].strip() and len(commands) == 1:
                return None
    if not commands[-1]:
        commands.pop()
    return commands or None


def _unquoted(part: str) -> str:
    return part[1:-1] if part[0] in "'\"" else part
