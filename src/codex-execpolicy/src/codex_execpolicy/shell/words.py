"""Split scripts of plain commands into words, as POSIX shells, bash and zsh read them.

Scripts with expansions, redirections or groups are refused, so that what is returned is what will run.
:mod:`codex_execpolicy.shell.scanner` refuses nothing.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_TOKEN = re.compile(
    r"""
      (?P<space>[ \t]+)
    | (?P<joint>\\\n)
    | (?P<operator>&&|\|\||;|\||\n+)
    | (?P<word>(?: (?:\{\}|\\[^\n]|[^\s'"`$\\;&|<>(){}\#!]) (?:\{\}|\\[^\n]|[^\s'"`$\\;&|<>(){}])*
                 | '[^']*' | "(?:[^"$`\\]|\\[^\n])*" )+)
    """,
    re.VERBOSE,
)
_PIECE = re.compile(r"'[^']*'|\"(?:[^\"\\]|\\.)*\"|\\.|[^'\"\\]+", re.DOTALL)
_ESCAPED_IN_DOUBLE = re.compile(r"\\([$`\"\\])")
_PATTERN = re.compile(r"[*?\[]")
_HERE = re.compile(r"(?P<command>[^\n<]*)<<-?[ \t]*(?P<quote>['\"]?)(?P<end>\w+)(?P=quote)[ \t]*\n")
_CONTROL = "if then elif else fi for while until do done case esac function select in time coproc repeat ! [[ { }"
RESERVED = frozenset(_CONTROL.split())
ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\[[^]]*\])?\+?=")


class Word(NamedTuple):
    """One word of a command.

    :param text: as the command gets it.
    :param pattern: it has an unquoted pattern, so the command may get names of files in its place.
    :param quoted: the script spells it with quotes or backslashes.
    """

    text: str
    pattern: bool = False
    quoted: bool = False

    @property
    def may_become_option(self) -> bool:
        """Whether a file's name could make an option of it."""
        return self.pattern and self.text[:1] in ("*", "?", "[", "-")


def plain_commands(script: str) -> list[list[Word]] | None:
    """Return the words of each command of a script.

    :param script: commands joined by ``&&``, ``||``, ``;``, ``|`` or line ends.
    :return: ``None`` when there is anything else in it: variables, redirections, groups, assignments, control flow.
    """
    commands: list[list[Word]] = [[]]
    at, waits, in_word = 0, False, False
    while at < len(script):
        token = _TOKEN.match(script, at)
        if token is None or (in_word and token.lastgroup == "joint"):
            return None
        at, in_word = token.end(), token.lastgroup == "word"
        if token.lastgroup == "word":
            source = token["word"]
            if not commands[-1] and (source in RESERVED or ASSIGNMENT.match(source)):
                return None
            commands[-1].append(_word(source))
        elif token.lastgroup == "operator":
            operator = token["operator"]
            if commands[-1]:
                commands.append([])
                waits = operator in ("&&", "||", "|")
            elif operator[0] != "\n":
                return None
    if not commands[-1]:
        commands.pop()
        if commands and waits:
            return None
    return commands or None


def simple_commands(script: str) -> list[list[str]] | None:
    """Return the texts of :func:`plain_commands`."""
    commands = plain_commands(script)
    return None if commands is None else [[word.text for word in command] for command in commands]


def command_before_here_document(script: str) -> list[Word] | None:
    """Return the one plain command of a script that is nothing but it and a here-document without substitutions."""
    match = _HERE.match(script)
    if match is None:
        return None
    lines = script[match.end() :].split("\n")
    ends = [index for index, line in enumerate(lines) if line.lstrip("\t") == match["end"]]
    if not ends or "".join(lines[ends[0] + 1 :]).strip():
        return None
    body = "\n".join(lines[: ends[0]])
    if not match["quote"] and ("$" in body or "`" in body):
        return None
    commands = plain_commands(match["command"])
    return commands[0] if commands is not None and len(commands) == 1 else None


def _word(source: str) -> Word:
    text, pattern, quoted = [], False, False
    for piece in _PIECE.findall(source):
        quoted = quoted or piece[0] in "'\"\\"
        if piece[0] == "'":
            text.append(piece[1:-1])
        elif piece[0] == '"':
            text.append(_ESCAPED_IN_DOUBLE.sub(r"\1", piece[1:-1]))
        elif piece[0] == "\\":
            text.append(piece[1:])
        else:
            text.append(piece)
            pattern = pattern or _PATTERN.search(piece) is not None
    return Word("".join(text), pattern, quoted)
