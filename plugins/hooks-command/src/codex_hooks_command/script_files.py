"""Find the script files that a shell command runs."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence

from codex_hookspecs.light import NamedTuple

_SHELLS = frozenset({"sh", "bash", "zsh", "dash", "ksh", "fish"})
_RUNNERS = _SHELLS | {"node", "deno", "bun", "ruby", "perl", "php", "lua", "tsx", "ts-node", "pwsh", "source", "."}
_RESERVED = frozenset({"!", "{", "if", "then", "elif", "else", "while", "until", "do"})
_WRAPPERS = frozenset(
    {"env", "exec", "command", "nice", "nohup", "time", "timeout", "uv", "run", "sudo", "setsid", "stdbuf", "xargs"}
)
_PYTHON = re.compile(r"(python|pypy)[0-9.]*$")
_NUMBER = re.compile(r"[0-9.]+[smhd]?$")
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?::?[-=]([^{}]*))?\})")
_TOP_LEVEL = re.compile(r"\$\(git rev-parse --show-toplevel\)|`git rev-parse --show-toplevel`")
_HERE = re.compile(r"\$\(pwd\)|`pwd`|\$PWD\b|\$\{PWD\}")
_INNER = re.compile(r"`([^`]*)`|\$\(([^()]*)\)")
_SHELL_OPTIONS = frozenset({"-o", "+o", "-O", "+O"})
_TAKE_A_VALUE = frozenset({"-W", "-X", "-r", "--require", "--import"})
_TAKE_CODE = frozenset({"-c", "-e", "-p", "--eval", "--print"})
_MAX_DEPTH = 8


class _SimpleCommand(NamedTuple):
    """One simple command.

    :param source: file that its stdin is redirected from, or the empty string.
    """

    words: tuple[str, ...]
    source: str = ""


def script_files(command: str, environment: Mapping[str, str], root: str) -> tuple[str, ...]:
    """Return the paths of programs and of scripts for interpreters; relative ones are returned as written.

    :param command: a shell command; paths that the shell computes at run time are not found.
    :param root: directory of the repository.
    """
    found = _Search(environment, root).files(command, _MAX_DEPTH)
    home = environment.get("HOME", "~")
    return tuple(dict.fromkeys(f"{home}{path[1:]}" if path.startswith("~/") else path for path in found))


class _Search:
    """A search with the environment and directory of a command."""

    def __init__(self, environment: Mapping[str, str], root: str) -> None:
        self._environment = environment
        self._root = root

    def files(self, command: str, levels: int) -> Iterator[str]:
        """Yield the files that a command line runs, including nested commands.

        :param levels: maximum nesting depth.
        """
        if not levels:
            return
        command = _HERE.sub(".", _TOP_LEVEL.sub(lambda _: self._root, command))
        command = _VARIABLE.sub(self._value, command)
        folders: list[str] = []
        for one in _simple_commands(command):
            if one.words[:1] == ("cd",) and len(one.words) > 1:
                folders.append(os.path.join(*folders[-1:], one.words[1]))
                continue
            for path in self._files_of(one, levels):
                yield path
                yield from (os.path.join(folder, path) for folder in folders if not path.startswith(("/", "~/")))
        for _ in range(_MAX_DEPTH):  # Innermost commands first.
            inner = _INNER.findall(command)
            for quoted, bracketed in inner:
                yield from self.files(quoted or bracketed, levels - 1)
            command = _INNER.sub("", command) if inner else ""

    def _value(self, found: re.Match[str]) -> str:
        return self._environment.get(found[1] or found[2]) or (found[0] if found[3] is None else found[3])

    def _files_of(self, one: _SimpleCommand, levels: int) -> Iterator[str]:
        rest = list(one.words)
        wrapped = False
        while rest and (
            _ASSIGNMENT.match(rest[0])
            or rest[0] in _RESERVED
            or rest[0] in _WRAPPERS
            or (wrapped and (rest[0].startswith("-") or _NUMBER.match(rest[0])))
        ):
            wrapped = wrapped or rest[0] in _WRAPPERS
            yield from self._on_path(rest[0])
            del rest[0]
        if not rest:
            return
        program, *arguments = rest
        if program == "eval":
            yield from self.files(" ".join(arguments), levels - 1)
            return
        yield from [program] if "/" in program else self._on_path(program)
        name = os.path.basename(program)
        if name in _RUNNERS or _PYTHON.match(name):
            found = list(self._scripts_of(name, arguments, levels))
            yield from found or ([one.source] if one.source else [])

    def _on_path(self, program: str) -> Iterator[str]:
        """Yield the file that ``PATH`` has for a program."""
        if "/" in program or _ASSIGNMENT.match(program) or "\0" in program:
            return
        for folder in self._environment.get("PATH", "").split(os.pathsep):
            path = os.path.join(folder or ".", program)
            if os.access(full := os.path.join(self._root, path), os.X_OK) and os.path.isfile(full):
                yield path
                return

    def _scripts_of(self, name: str, arguments: list[str], levels: int) -> Iterator[str]:
        """Yield the scripts among the arguments of an interpreter."""
        while arguments:
            word = arguments.pop(0)
            if name in _SHELLS and re.match(r"-[a-z]*c$", word):
                yield from self.files(arguments[0], levels - 1) if arguments else ()
                return
            if word == "-m" and _PYTHON.match(name) and arguments:
                module = arguments[0].replace(".", "/")
                yield from (f"{module}.py", f"{module}/__main__.py", f"{module}/__init__.py")
                return
            if word in _TAKE_CODE and name not in _SHELLS:
                return
            if word in _TAKE_A_VALUE or (name in _SHELLS and word in _SHELL_OPTIONS):
                yield from (value for value in arguments[:1] if value.startswith((".", "/")))
                del arguments[:1]
            elif word != "run" and not word.startswith(("-", "+")):
                yield word
                return


def _simple_commands(command: str) -> Iterator[_SimpleCommand]:
    reader = shlex.shlex(command, posix=True, punctuation_chars="();<>|&\n")
    reader.whitespace = " \t\r"
    reader.commenters = ""
    words: Sequence[str] = ()
    source = redirect = ""
    try:
        for word in reader:
            if word.strip("();|&\n") == "":
                yield _SimpleCommand(tuple(words), source)
                words, source = (), ""
            elif word.strip("<>&") == "":
                redirect = word
            elif redirect:
                source = word if redirect == "<" else source
                redirect = ""
            else:
                words = (*words, word)
    except ValueError:  # An unclosed quote is an error for the shell as well.
        pass
    yield _SimpleCommand(tuple(words), source)
