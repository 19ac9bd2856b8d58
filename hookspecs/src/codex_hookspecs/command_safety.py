"""Decide which commands need consent, by parsing them: those that only look, those that destroy."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from codex_hookspecs.errors import ToolRejected

if TYPE_CHECKING:
    from codex_hookspecs.types.threads import ApprovalPolicy

_SAFE = frozenset(
    (
        *(
            "cat",
            "cd",
            "cut",
            "date",
            "df",
            "du",
            "echo",
            "expr",
            "false",
            "file",
            "grep",
            "head",
            "hostname",
            "id",
            "ls",
        ),
        *("nl", "paste", "pwd", "readlink", "realpath", "rev", "seq", "stat", "tail", "test", "tr", "true", "tty"),
        *("uname", "uniq", "wc", "which", "whoami"),
    )
)
_SAFE_GIT = frozenset(("status", "log", "diff", "show", "branch"))
_UNSAFE_FIND = frozenset(("-exec", "-execdir", "-ok", "-okdir", "-delete", "-fls", "-fprint", "-fprint0", "-fprintf"))
_UNSAFE_RG = frozenset(("--pre", "--hostname-bin", "--search-zip", "-z"))
_SHELLS = frozenset(("bash", "sh", "zsh"))
_JOINERS = frozenset(("&&", "||", ";", "|"))


def script_of(argv: tuple[str, ...]) -> str | None:
    """Return the script of ``SHELL -c SCRIPT`` or ``SHELL -lc SCRIPT``, or ``None`` when it is no such call."""
    if len(argv) == 3 and argv[0].rpartition("/")[2] in _SHELLS and argv[1] in ("-c", "-lc"):
        return argv[2]
    return None


def commands_of(argv: tuple[str, ...]) -> list[list[str]] | None:
    """Return the plain commands that a command line runs, or ``None`` when that can't be told.

    ``bash -lc SCRIPT`` is looked into; a script with redirections, substitutions, variables or control words can't
    be told.
    """
    if not argv:
        return None
    script = script_of(argv)
    if script is not None:
        return _script_commands(script)
    return [list(argv)]


def is_known_safe(argv: tuple[str, ...]) -> bool:
    """Tell whether a command line can be run without asking: every command in it only reads."""
    commands = commands_of(argv)
    return bool(commands) and all(_only_reads(command) for command in commands or ())


def is_dangerous(argv: tuple[str, ...]) -> bool:
    """Tell whether any command of a command line is known to destroy much at once."""
    return any(_destroys(command) for command in commands_of(argv) or ())


def command_needs_consent(policy: ApprovalPolicy, argv: tuple[str, ...], *, escalated: bool) -> bool:
    """Tell whether a person is to be asked before a command runs.

    :param escalated: the model wants the command to run without sandbox.
    :raises ToolRejected: when the policy forbids what would need consent.
    """
    if policy == "never":
        if escalated:
            raise ToolRejected(
                "approval policy is Never; reject command — you cannot ask for escalated permissions "
                "if the approval policy is Never"
            )
        return False
    if escalated:
        return True
    if policy == "untrusted":
        return not is_known_safe(argv)
    return policy != "on-failure" and is_dangerous(argv)


def _script_commands(script: str) -> list[list[str]] | None:
    if any(mark in script for mark in ("$", "`", "\n", "<", ">", "(", ")", "{", "}", "\\")):
        return None
    lexer = shlex.shlex(script, posix=True, punctuation_chars=";&|")
    lexer.whitespace_split = True
    lexer.commenters = ""
    commands: list[list[str]] = [[]]
    try:
        for word in lexer:
            if word in _JOINERS:
                commands.append([])
            elif set(word) <= set(";&|"):
                return None
            else:
                commands[-1].append(word)
    except ValueError:
        return None
    if commands and not commands[-1]:
        commands.pop()
    return commands if all(commands) and not any("=" in command[0] for command in commands) else None


def _only_reads(command: list[str]) -> bool:
    name, arguments = command[0].rpartition("/")[2], command[1:]
    if name in _SAFE:
        return True
    if name == "git":
        return bool(arguments) and arguments[0] in _SAFE_GIT and _git_only_reads(arguments)
    if name == "find":
        return not _UNSAFE_FIND & set(arguments)
    if name == "rg":
        return not any(argument.split("=")[0] in _UNSAFE_RG for argument in arguments)
    if name == "sed":
        return len(arguments) in (2, 3) and arguments[0] == "-n" and _prints_lines(arguments[1])
    return False


def _git_only_reads(arguments: list[str]) -> bool:
    if any(argument.startswith(("--output", "--ext-diff", "-c", "--exec-path")) for argument in arguments):
        return False
    return arguments[0] != "branch" or all(
        argument in ("-a", "-v", "-vv", "-r", "--list", "--show-current", "--all", "--remotes")
        for argument in arguments[1:]
    )


def _prints_lines(script: str) -> bool:
    numbers = script.removesuffix("p").split(",")
    return script.endswith("p") and len(numbers) <= 2 and all(number.isdigit() for number in numbers)


def _destroys(command: list[str]) -> bool:
    name, arguments = command[0].rpartition("/")[2], command[1:]
    if name == "sudo":
        return bool(arguments) and _destroys(arguments)
    if name == "rm":
        return any(
            argument.startswith("-") and not argument.startswith("--") and "f" in argument for argument in arguments
        )
    if name == "git":
        return any(argument in ("reset", "rm") for argument in arguments[:1])
    return False
