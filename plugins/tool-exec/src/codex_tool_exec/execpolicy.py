"""The command ``codex execpolicy check``: print the decision of rules files on a command (output of Codex 0.118)."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from codex_execpolicy.rules.files import read_file
from codex_execpolicy.rules.matching import Match, RuleBook, strictest
from codex_hookspecs.errors import ConfigError

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from codex_hookspecs.host import Host


async def run(arguments: Sequence[str], host: Host) -> int:
    """Print the decision of the rules.

    :raises ConfigError: when a file is invalid.
    """
    parser = _parser()
    try:
        options = parser.parse_args(list(arguments))
        words = options.command[1:] if options.command[:1] == ["--"] else options.command
        if not words:
            parser.error("the following arguments are required: COMMAND")
    except SystemExit as end:
        # argparse has printed the help (status 0) or an error (status 2).
        return int(end.code or 0)
    book = RuleBook()
    for path in options.rules:
        try:
            book.update(read_file(os.path.join(host.cwd, path)))
        except ConfigError as error:
            raise ConfigError(f"failed to read policy at {error}") from error
    found = to_json(book.matches(words, by_name=options.resolve_host_executables))
    print(json.dumps(found, ensure_ascii=False, **_LAYOUTS[options.pretty]))
    return 0


def to_json(matches: Sequence[Match]) -> dict[str, Any]:
    """Convert matches to JSON, with the decision if there are any."""
    decision = {"decision": strictest(match.decision for match in matches)} if matches else {}
    return {"matchedRules": [{"prefixRuleMatch": _match_to_json(match)} for match in matches], **decision}


def _match_to_json(match: Match) -> dict[str, Any]:
    shown = {
        "matchedPrefix": list(match.prefix),
        "decision": match.decision,
        "resolvedProgram": match.program,
        "justification": match.justification,
    }
    return {key: value for key, value in shown.items() if value is not None}


_LAYOUTS: dict[bool, dict[str, Any]] = {False: {"separators": (",", ":")}, True: {"indent": 2}}


def _parser() -> ArgumentParser:
    from argparse import REMAINDER, ArgumentParser

    parser = ArgumentParser(prog="codex execpolicy", description="Work with rules for commands.")
    check = parser.add_subparsers(required=True, metavar="COMMAND").add_parser(
        "check", help="check rules files against a command", description="Check rules files against a command."
    )
    check.add_argument("-r", "--rules", action="append", required=True, metavar="PATH", help="rules file (repeatable)")
    check.add_argument("--pretty", action="store_true", help="print the JSON in several lines")
    check.add_argument(
        "--resolve-host-executables",
        action="store_true",
        help="apply rules for a program's name to absolute paths of that program, too",
    )
    check.add_argument("command", nargs=REMAINDER, metavar="COMMAND", help="the command, word by word")
    return parser
