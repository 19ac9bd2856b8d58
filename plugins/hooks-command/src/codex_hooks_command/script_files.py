"""Find the script files that a command names."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence

_SHELLS = frozenset({"sh", "bash", "zsh", "dash", "ksh", "fish"})
_RUNNERS = _SHELLS | {"node", "deno", "bun", "ruby", "perl", "php", "lua", "tsx", "ts-node", "pwsh", "source", "."}
_WRAPPERS = frozenset({"env", "exec", "command", "nice", "nohup", "time", "timeout", "uv", "run", "sudo", "setsid"})
_PYTHON = re.compile(r"(python|pypy)[0-9.]*$")
_NUMBER = re.compile(r"[0-9.]+[smhd]?$")
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})")
_TOP_LEVEL = re.compile(r"\$\(git rev-parse --show-toplevel\)|`git rev-parse --show-toplevel`")
_TAKE_A_VALUE = frozenset({"-W", "-X", "-r", "--require", "--import"})
_TAKE_CODE = frozenset({"-c", "-e", "-m", "-p", "--eval", "--print"})


def script_files(command: str, environment: Mapping[str, str], root: str) -> tuple[str, ...]:
    """Return the paths of programs and of scripts for interpreters, relative ones as they are written.

    :param command: a line for a shell; what that only works out while it runs is not found.
    :param root: directory of the repository.
    """
    command = _TOP_LEVEL.sub(lambda _: root, command)
    command = _VARIABLE.sub(lambda found: environment.get(found[1] or found[2], found[0]), command)
    found = (path for words in _simple_commands(command) for path in _of_one(words, environment, root))
    home = environment.get("HOME", "~")
    return tuple(dict.fromkeys(f"{home}{path[1:]}" if path.startswith("~/") else path for path in found))


def _simple_commands(command: str) -> Iterator[list[str]]:
    reader = shlex.shlex(command, posix=True, punctuation_chars="();<>|&\n")
    reader.whitespace = " \t\r"
    reader.commenters = ""
    words: list[str] = []
    redirects = False
    try:
        for word in reader:
            if word.strip("();|&\n") == "":
                yield words
                words = []
            elif word.strip("<>&") == "":
                redirects = True
            elif redirects:
                redirects = False
            else:
                words.append(word)
    except ValueError:  # A quote that is not closed: no shell runs it either.
        pass
    yield words


def _of_one(words: Sequence[str], environment: Mapping[str, str], root: str) -> Iterator[str]:
    rest = list(words)
    wrapped = False
    while rest and (
        _ASSIGNMENT.match(rest[0])
        or rest[0] in _WRAPPERS
        or (wrapped and (rest[0].startswith("-") or _NUMBER.match(rest[0])))
    ):
        wrapped = wrapped or rest[0] in _WRAPPERS
        del rest[0]
    if not rest:
        return
    program, *arguments = rest
    if "/" in program:
        yield program
    name = os.path.basename(program)
    if name in _RUNNERS or _PYTHON.match(name):
        yield from _argument(name, arguments, environment, root)


def _argument(name: str, arguments: list[str], environment: Mapping[str, str], root: str) -> Iterator[str]:
    """Yield the script that an interpreter is given."""
    while arguments:
        word = arguments.pop(0)
        if name in _SHELLS and re.match(r"-[a-z]*c$", word):
            yield from script_files(arguments[0], environment, root) if arguments else ()
            return
        if word in _TAKE_CODE:
            return
        if word in _TAKE_A_VALUE:
            del arguments[:1]
        elif word != "run" and not word.startswith("-"):
            yield word
            return
