"""Classify commands by parsing them: known to be safe (they only read), dangerous, or neither.

The commands that count as safe are those of Codex 0.118, without the ways that some of them have to write files or to
run other programs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeAlias

from codex_execpolicy.shell.words import Word, command_before_here_document, plain_commands

Words: TypeAlias = list[Word]

_READERS = frozenset((
    "cat", "cd", "cut", "echo", "expr", "false", "grep", "head", "id", "ls", "nl", "numfmt", "paste", "pwd", "rev",
    "seq", "stat", "tac", "tail", "tr", "true", "uname", "wc", "which", "whoami",
))  # fmt: skip
_FOLDERS = ("/bin", "/usr/bin", "/usr/local/bin", "/opt/homebrew/bin")
_SHELLS = frozenset(("bash", "sh", "zsh"))
_FIND_RUNS = ("-exec", "-execdir", "-ok", "-okdir")
_FIND_ACTIONS = frozenset((*_FIND_RUNS, "-delete", "-fls", "-fprint", "-fprint0", "-fprintf"))
_BASE64 = r"-[dDi]+|-w\d*|--decode|--ignore-garbage|--wrap(=\d*)?|--help|--version"
_UNIQ = r"-[cdDiuz]+|-[fsw]\d+|--(count|repeated|unique|ignore-case|zero-terminated)|--[a-z-]+=\w+"
_SED_LINES = r"[0-9]+(,[0-9]+)?p"
_RG_VALUED = "efgtTABCmMjdEr"  # letters of the options with a value
_GIT_READERS = ("status", "log", "diff", "show", "branch")
_GIT_RUNNERS = ("--output", "--ext-diff", "--textconv", "--exec", "--open-files-in-pager", "--paginate")
_GIT_BRANCH = r"-[avr]+|-vv|--(list|show-current|all|remotes|verbose|no-color|color|no-column)"
_MOST_NESTED = 8
_LEAST_BUDGET, _BUDGET_FACTOR = 100_000, 20


def script_of(argv: Sequence[str], *, shell: str | None = None) -> str | None:
    """Return the script of ``SHELL -c SCRIPT`` or ``SHELL -lc SCRIPT``, or ``None`` when it is no such call.

    :param shell: the machine's own shell, at any path; others count only in system directories.
    """
    if len(argv) != 3 or argv[1] not in ("-c", "-lc"):
        return None
    name = argv[0].rpartition("/")[2]
    return argv[2] if name in _SHELLS and (argv[0] == shell or _is_the_systems(argv[0])) else None


def commands_of(argv: Sequence[str], *, shell: str | None = None) -> list[Words] | None:
    """Return the plain commands that a command line runs, or ``None`` when they are not plain.

    The script of ``bash -lc SCRIPT`` is parsed; one with redirections, substitutions, variables or control words is not
    plain.

    :param shell: the machine's own shell.
    """
    if not argv:
        return None
    script = script_of(argv, shell=shell)
    return plain_commands(script) if script is not None else [[Word(text) for text in argv]]


def command_with_document(argv: Sequence[str], *, shell: str | None = None) -> Words | None:
    """Return the one command of a command line that feeds it a here-document and does nothing else."""
    script = script_of(argv, shell=shell)
    return None if script is None else command_before_here_document(script)


def are_known_safe(commands: Sequence[Words], *, in_thread_cwd: bool) -> bool:
    """Tell whether plain commands that run one after the other only read."""
    same_cwd = in_thread_cwd and not any(command[0].text == "cd" for command in commands)
    return bool(commands) and all(_only_reads(command, same_cwd=same_cwd) for command in commands)


def is_dangerous(argv: Sequence[str]) -> bool:
    """Tell whether any command of a command line removes files by force, however it is wrapped."""
    words = list(argv)
    return _Search(_LEAST_BUDGET + _BUDGET_FACTOR * _size(words)).destroys(words, 0)


def _only_reads(command: Words, *, same_cwd: bool, nested: int = 0) -> bool:
    program = command[0]
    if program.pattern or program.quoted or not _is_the_systems(program.text):
        return False
    name = program.text.rpartition("/")[2]
    texts = [word.text for word in command[1:]]
    if name in _READERS:
        return True
    if name in _SHELLS:
        inner = commands_of([name, *texts]) if nested < _MOST_NESTED and script_of([name, *texts]) else None
        changes_directory = any(words[0].text == "cd" for words in inner or ())
        return bool(inner) and all(
            _only_reads(words, same_cwd=same_cwd and not changes_directory, nested=nested + 1) for words in inner or ()
        )
    check = _CHECKS.get(name)
    if check is None or (name == "git" and not same_cwd):
        return False
    until = texts.index("--") if "--" in texts and name in ("git", "rg") else len(texts)
    if any(word.may_become_option for word in command[1 : until + 1]):
        return False
    return check(texts) and not (name == "uniq" and any(word.pattern for word in command))


def _is_the_systems(program: str) -> bool:
    """Tell whether a program is given by name, or by a path in a system directory."""
    folder, slash, _ = program.rpartition("/")
    return not slash or folder in _FOLDERS


def _find(arguments: list[str]) -> bool:
    return not _FIND_ACTIONS & set(arguments)


def _rg(arguments: list[str]) -> bool:
    for argument in arguments:
        name = argument.partition("=")[0]
        if name in ("--pre", "--hostname-bin", "--search-zip"):
            return False
        if argument.startswith("-") and not argument.startswith("--"):
            flags = re.split(f"[{_RG_VALUED}]", argument[1:], maxsplit=1)[0]
            if "z" in flags:
                return False
    return True


def _base64(arguments: list[str]) -> bool:
    return all(not argument.startswith("-") or re.fullmatch(_BASE64, argument) for argument in arguments)


def _uniq(arguments: list[str]) -> bool:
    """Refuse a second operand, which would be written; values have to be in the same word as their option."""
    operands = [argument for argument in arguments if not argument.startswith("-") or argument == "-"]
    flags = [argument for argument in arguments if argument.startswith("-") and argument != "-"]
    return len(operands) <= 1 and all(re.fullmatch(_UNIQ, flag) for flag in flags)


def _sed(arguments: list[str]) -> bool:
    return (
        len(arguments) in (2, 3)
        and arguments[0] == "-n"
        and re.fullmatch(_SED_LINES, arguments[1]) is not None
        and not any(argument.startswith("-") for argument in arguments[2:])
    )


def _git(arguments: list[str]) -> bool:
    if arguments[:1] == ["--no-pager"]:
        arguments = arguments[1:]
    if not arguments or arguments[0] not in _GIT_READERS:
        return False
    for argument in arguments[1:]:
        name = argument.partition("=")[0]  # git takes any beginning of an option's name that is the only one
        if len(name) > 2 and name != "--text" and any(option.startswith(name) for option in _GIT_RUNNERS):
            return False
    return arguments[0] != "branch" or all(re.fullmatch(_GIT_BRANCH, argument) for argument in arguments[1:])


_CHECKS: dict[str, Callable[[list[str]], bool]] = {
    "base64": _base64,
    "find": _find,
    "git": _git,
    "rg": _rg,
    "sed": _sed,
    "uniq": _uniq,
}


def inner_commands(argv: Sequence[str]) -> list[list[str]]:
    """Return the commands that are spelled out in the script a shell is called with, and in scripts within."""
    found: list[list[str]] = []
    waiting = [(list(argv), 0)]
    while waiting:
        command, depth = waiting.pop()
        inner = _spelled_out(command) if depth < _MOST_NESTED else None
        found += inner or []
        waiting += [(each, depth + 1) for each in inner or []]
    return found


def _spelled_out(argv: list[str]) -> list[list[str]] | None:
    """Return the commands in the script that a shell is called with, ``None`` for any other program."""
    if not argv or argv[0].rpartition("/")[2] not in _SHELLS:
        return None
    flag = next((index for index, word in enumerate(argv) if re.fullmatch(r"-[a-z]*c", word)), len(argv))
    if flag + 1 >= len(argv):
        return None
    plain = plain_commands(argv[flag + 1])
    if plain is not None:
        return [[word.text for word in command] for command in plain]
    from codex_execpolicy.shell.scanner import literal_commands

    return literal_commands(argv[flag + 1])


class _Search:
    """One search for a command that removes by force; what exceeds the budget counts as one.

    :param budget: characters of commands that may be searched, however they are nested.
    """

    def __init__(self, budget: int) -> None:
        self._left = budget

    def destroys(self, argv: list[str], depth: int) -> bool:
        """Tell whether a command line or any command in its script removes by force."""
        self._left -= _size(argv)
        if self._left < 0:
            return True
        if depth > _MOST_NESTED or not argv:
            return False
        commands = _spelled_out(argv)
        if commands is None:
            return self._removes_by_force(argv, depth)
        return any(self._removes_by_force(command, depth) for command in commands)

    def _removes_by_force(self, command: list[str], depth: int) -> bool:
        name, arguments = command[0].rpartition("/")[2], command[1:]
        if name == "rm":
            until = arguments.index("--") if "--" in arguments else len(arguments)
            return any(map(_is_force, arguments[:until]))
        if name in _SHELLS:
            return self.destroys(command, depth + 1)
        if name == "eval":
            return self.destroys(["sh", "-c", " ".join(arguments)], depth + 1)
        if name == "find":
            starts = (index + 1 for index, word in enumerate(arguments) if word in _FIND_RUNS)
            return any(self.destroys(arguments[start:], depth + 1) for start in starts if start < len(arguments))
        if name in _WRAPPERS:
            inner = _wrapped(name, arguments)
            return bool(inner) and self.destroys(inner, depth + 1)
        return False


def _size(argv: list[str]) -> int:
    return sum(map(len, argv)) + len(argv)


_WRAPPERS = {
    "sudo": "ugpCDhrtTU", "doas": "uC", "env": "uCS", "command": "", "builtin": "", "exec": "a", "nohup": "",
    "nice": "n", "time": "fo", "timeout": "ks", "xargs": "aEdIiLlnPs", "setsid": "", "stdbuf": "ioe", "ionice": "cnp",
    "busybox": "", "chroot": "", "unshare": "",
}  # fmt: skip
"""Programs that run another one, with the letters of their options that take a word of their own."""


def _wrapped(name: str, arguments: list[str]) -> list[str]:
    """Return the command behind a wrapper's own options, assignments and, where it takes one, operand."""
    valued = _WRAPPERS[name]
    at = 0
    while at < len(arguments):
        word = arguments[at]
        if word == "--":
            at += 1
            break
        if word.startswith("-") and len(word) > 1:
            at += 2 if len(word) == 2 and word[1] in valued else 1
        elif re.match(r"[A-Za-z_]\w*=", word):
            at += 1
        else:
            break
    return arguments[at + (name in ("timeout", "chroot")) :]


def _is_force(argument: str) -> bool:
    if argument.startswith("--"):
        return len(argument) > 2 and "--force".startswith(argument)
    return argument.startswith("-") and "f" in argument
