"""Classify what a command does, for display (``commandActions`` of the app-server protocol, 0.118)."""

from __future__ import annotations

import itertools
import posixpath
import re
from collections.abc import Callable, Sequence

from codex_execpolicy.shell.words import simple_commands
from codex_hookspecs.protocol import JsonObject
from codex_tool_exec.quoting import join

_LINES = re.compile(r"\+?\d+\Z")
_RANGE = re.compile(r"\d+(,\d+)?p\Z")
_DULL_FOLDERS = ("build", "dist", "node_modules", "src")
_FORMATTING = frozenset(["wc", "tr", "cut", "sort", "uniq", "tee", "column", "xargs", "printf", "yes"])
_VALUED = {
    "ls": "-I -w --ignore --block-size --format --time-style --color --quoting-style --sort --width",
    "tree": "-L -P -I -o --charset --filelimit --sort",
    "du": "-d -B -t --max-depth --block-size --exclude --threshold",
    "rg": (
        "-g -A -B -C -m -t -T -j -M --glob --iglob --after-context --before-context --context --max-count --type "
        "--type-not --max-depth --sort --encoding --threads --max-columns"
    ),
    "grep": "-A -B -C -m -d -D --after-context --before-context --context --max-count --include --exclude",
    "fd": "-e -t -E -d -c -j -S -x -X --extension --type --exclude --max-depth --min-depth --color --size --exec",
    "bat": "--theme --language --style --terminal-width --tabs --line-range --map-syntax -r -l -H",
    "less": "-p -P -x -y -z -j -t -T -o -O -b -h --pattern --prompt --tabs --window --jump-target --tag",
    "nl": "-s -w -v -i -b -f -h -l -n -d",
    "awk": "-F -v -f",
    "": "",
}
_FLAGS_WITH_VALUE = {name: frozenset(flags.split()) for name, flags in _VALUED.items()}


def command_actions(script: str) -> tuple[JsonObject, ...]:
    """Classify the commands of a script: an object of type ``read``, ``listFiles`` or ``search`` for each.

    A script that is not understood completely gives one object of type ``unknown``. Paths are as written in the
    script, joined to the directory that it has changed to.
    """
    unknown: tuple[JsonObject, ...] = ({"type": "unknown", "command": script},)
    commands = simple_commands(script)
    if commands is None:
        return unknown
    actions: list[JsonObject] = []
    folder = ""
    for words in _without_formatting(commands):
        if words[0] == "cd":
            target = _operands(words, "")
            folder = posixpath.join(folder, target[0]) if target else folder
            continue
        action = _action(words, folder)
        if action is None:
            return unknown
        if action not in actions[-1:]:
            actions.append(action)
    return tuple(actions)


def _without_formatting(commands: list[list[str]]) -> list[list[str]]:
    """Remove commands that only format or announce the output of others."""
    if len(commands) > 1:
        kept = [words for words in commands if words != ["true"] and not _only_shapes(words)]
        start = next((at for at, words in enumerate(kept[:-1]) if words[0] != "echo"), len(kept) - 1)
        return kept[max(start, 0) :] or commands
    return commands


def _only_shapes(words: Sequence[str]) -> bool:
    program = words[0]
    if program in ("head", "tail", "sed", "awk"):
        return _read(words) is None
    return program in _FORMATTING


def _action(words: list[str], folder: str) -> JsonObject | None:
    path = _read(words)
    if path is not None:
        name = path.rstrip("/").rpartition("/")[2]
        return {"type": "read", "command": join(words), "name": name, "path": posixpath.join(folder, path)}
    program, shown = words[0], words
    if program == "git" and words[1:2] in (["grep"], ["ls-files"]):
        program, words = f"git {words[1]}", words[1:]
    reader = _READERS.get(program)
    if reader is None:
        return None
    found = reader(words)
    if len(found) == 1:
        return {"type": "listFiles", "command": join(shown), "path": _display_path(found[0])}
    return {"type": "search", "command": join(shown), "query": found[0], "path": _display_path(found[1])}


def _read(words: Sequence[str]) -> str | None:
    """Return the file that a command prints, if there is exactly one."""
    program, arguments = words[0], list(words[1:])
    if program in ("head", "tail"):
        if arguments[:1] == ["-n"] and len(arguments) > 1 and _LINES.match(arguments[1]):
            arguments = arguments[2:]
        elif arguments and arguments[0].startswith("-n") and _LINES.match(arguments[0][2:]):
            arguments = arguments[1:]
        operands = arguments if not any(argument.startswith("-") for argument in arguments) else []
    elif program == "sed":
        plain = len(arguments) == 3 and arguments[0] == "-n" and _RANGE.match(arguments[1])
        operands = arguments[2:] if plain else []
    elif program == "awk":
        operands = _operands(words, "awk")[1:]
    elif program in ("cat", "more"):
        operands = _operands(words, "")
    elif program in ("bat", "batcat", "less", "nl"):
        operands = _operands(words, "bat" if program == "batcat" else program)
    else:
        return None
    return operands[0] if len(operands) == 1 else None


def _operands(words: Sequence[str], flags_of: str) -> list[str]:
    """Return the arguments that are neither flags nor values of flags."""
    valued = _FLAGS_WITH_VALUE[flags_of]
    operands: list[str] = []
    arguments = iter(words[1:])
    for argument in arguments:
        if argument == "--":
            operands.extend(arguments)
        elif argument in valued:
            next(arguments, None)
        elif not argument.startswith("-") or argument == "-":
            operands.append(argument)
    return operands


Found = tuple[str | None] | tuple[str | None, str | None]
"""The path of a listing, or pattern and path of a search."""


def _lists(flags_of: str) -> Callable[[Sequence[str]], Found]:
    return lambda words: (_first(_operands(words, flags_of)),)


def _searches(flags_of: str) -> Callable[[Sequence[str]], Found]:
    def read(words: Sequence[str]) -> Found:
        operands = _operands(words, flags_of)
        return _first(operands), _first(operands[1:])

    return read


def _rg(words: Sequence[str]) -> Found:
    if "--files" in words:
        return (_first(_operands(words, "rg")),)
    return _searches("rg")(words)


def _fd(words: Sequence[str]) -> Found:
    operands = _operands(words, "fd")
    return (operands[0], _first(operands[1:])) if operands else (None,)


def _find(words: Sequence[str]) -> Found:
    path = words[1] if len(words) > 1 and not words[1].startswith("-") else None
    for flag, value in itertools.pairwise(words):
        if flag in ("-name", "-iname", "-path", "-ipath", "-regex", "-iregex"):
            return value, path
    return (path,)


_READERS: dict[str, Callable[[Sequence[str]], Found]] = {
    "ls": _lists("ls"),
    "eza": _lists("ls"),
    "exa": _lists("ls"),
    "tree": _lists("tree"),
    "du": _lists("du"),
    "git ls-files": _lists(""),
    "rg": _rg,
    "rga": _rg,
    "fd": _fd,
    "find": _find,
    "grep": _searches("grep"),
    "egrep": _searches("grep"),
    "fgrep": _searches("grep"),
    "git grep": _searches("grep"),
    "ag": _searches("rg"),
    "ack": _searches("rg"),
    "pt": _searches("rg"),
}


def _first(values: Sequence[str]) -> str | None:
    return values[0] if values else None


def _display_path(path: str | None) -> str | None:
    """Return the last part of a path that is not a common folder name."""
    if path is None:
        return None
    parts = [part for part in path.rstrip("/").split("/") if part]
    telling = [part for part in parts if part not in _DULL_FOLDERS]
    return telling[-1] if telling else path.rstrip("/") or path
