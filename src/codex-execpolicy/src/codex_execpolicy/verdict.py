"""Decide whether a command is allowed, needs approval or is forbidden: by rules, else by its kind and the policies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from codex_execpolicy.decision import NEVER_ASKED, RULES_NOT_ASKED, SANDBOX_NOT_ASKED, CommandDecision
from codex_execpolicy.known_commands import (
    are_known_safe,
    command_with_document,
    commands_of,
    inner_commands,
    is_dangerous,
)
from codex_execpolicy.rules.matching import Match, Rule, RuleBook, strictest

if TYPE_CHECKING:
    from codex_hookspecs.types.approvals import CommandRequest
    from codex_hookspecs.types.threads import ThreadSettings

_NEVER_ESCALATED = (
    "approval policy is Never; reject command — you cannot ask for escalated permissions "
    "if the approval policy is Never"
)
_INTERPRETERS = frozenset((
    "python", "py", "pythonw", "pyw", "pypy", "git", "bash", "sh", "zsh", "pwsh", "powershell",
    "powershell.exe", "env", "sudo", "node", "perl", "ruby", "php", "lua", "osascript",
))  # fmt: skip
_RUN_TEXT = frozenset(("-", "-c", "-lc", "-e", "-r", "-3", "-Command"))


def evaluate_command(request: CommandRequest, settings: ThreadSettings, rules: RuleBook) -> CommandDecision:
    """Decide about a command."""
    wants_more = request.escalated or request.additional is not None
    if wants_more and not settings.may_ask("sandbox_approval"):
        return CommandDecision("no_escalation", not_escalated(settings))
    parts = _parts(request, settings, rules)
    matches = [match for part in parts for match in part.matches]
    decision = strictest(match.decision for match in matches)
    if decision == "forbidden":
        return CommandDecision.rejected(f"`{request.command}`", _forbidden(matches))
    defaults = [_default_decision(part, request, settings, beside_rule=bool(matches)) for part in parts]
    if "forbidden" in defaults:
        return CommandDecision.rejected(f"`{request.command}`", "blocked by policy")
    if decision == "prompt" or "prompt" in defaults:
        refusal = _not_asked(settings, rule=decision == "prompt", sandbox="prompt" in defaults)
        if refusal is not None:
            return CommandDecision("forbidden", refusal)
        reason = _prompt(request.command, matches) if decision == "prompt" else None
        asked = [part for part, verdict in zip(parts, defaults, strict=True) if verdict == "prompt"]
        amendment = None if decision == "prompt" else _amendment(request, parts, asked, defaults)
        return CommandDecision("ask", reason, amendment)
    amendment = None if matches else _plain(parts[0])
    return CommandDecision("allow", None, amendment, all(part.matches for part in parts))


def not_escalated(settings: ThreadSettings) -> str:
    """Return what the model is told when it asks for more than its sandbox, and nobody may be asked."""
    if settings.approval_policy == "never":
        return _NEVER_ESCALATED
    return (
        "approval policy is Granular with sandbox_approval: false; reject command — you cannot ask for escalated "
        "permissions"
    )


def _not_asked(settings: ThreadSettings, *, rule: bool, sandbox: bool) -> str | None:
    """Return why nobody may be asked about a command, or ``None``.

    :param rule: whether a rule requires approval.
    :param sandbox: whether the kind of command does.
    """
    if settings.approval_policy == "never":
        return NEVER_ASKED
    if rule and not settings.may_ask("rules"):
        return RULES_NOT_ASKED
    return SANDBOX_NOT_ASKED if sandbox and not settings.may_ask("sandbox_approval") else None


class _Part(NamedTuple):
    """One command of a command line.

    :param plain: the script contains nothing else, so that a rule can allow it by its words.
    """

    words: tuple[str, ...]
    matches: list[Match]
    safe: bool
    plain: bool = True


def _parts(request: CommandRequest, settings: ThreadSettings, rules: RuleBook) -> list[_Part]:
    commands = commands_of(request.argv, shell=request.shell)
    if commands is not None:
        home = request.cwd.rstrip("/") == settings.cwd.rstrip("/")
        # what changes the directory changes it for all
        changes_directory = any(command[0].text == "cd" for command in commands)
        return [
            _Part(
                words, _matches(words, rules), are_known_safe([command], in_thread_cwd=home and not changes_directory)
            )
            for command in commands
            for words in [tuple(word.text for word in command)]
        ]
    document = command_with_document(request.argv, shell=request.shell)
    if document is not None:
        words = tuple(word.text for word in document)
        return [_Part(words, _matches(words, rules), safe=False, plain=False)]
    return [_Part(request.argv, _matches(request.argv, rules), safe=False)]


def _matches(words: tuple[str, ...], rules: RuleBook) -> list[Match]:
    """Return the rules that match a command, and those that restrict commands in a script that it runs."""
    if not len(rules):
        return []
    found = rules.matches(words)
    for inner in inner_commands(words):
        found += [match for match in rules.matches(inner) if match.decision != "allow"]
    return found


def _default_decision(
    part: _Part, request: CommandRequest, settings: ThreadSettings, *, beside_rule: bool
) -> Literal["allow", "prompt", "forbidden"]:
    """Decide about a command that no rule matches.

    :param beside_rule: a rule matches another command of the line.
    """
    if part.matches:
        return "allow"
    approval, sandboxed = settings.approval_policy, not settings.sandbox.unrestricted
    if is_dangerous(part.words):
        if approval != "never":
            return "prompt"
        return "forbidden" if sandboxed else "allow"
    if request.escalated or request.additional is not None:
        return "allow" if (part.safe and beside_rule) or not (sandboxed or approval == "untrusted") else "prompt"
    return "prompt" if approval == "untrusted" and not part.safe else "allow"


def _amendment(
    request: CommandRequest, parts: Sequence[_Part], asked: Sequence[_Part], defaults: Sequence[str]
) -> tuple[str, ...] | None:
    prefix = request.prefix_rule
    if prefix and not _runs_anything(prefix) and not any(part.matches for part in parts):
        rule = Rule(tuple((word,) for word in prefix))
        fits = (rule.prefix_of(part.words) or verdict == "allow" for part, verdict in zip(parts, defaults, strict=True))
        if all(part.plain for part in parts) and all(fits):
            return prefix
    return _plain(asked[0])


def _plain(part: _Part) -> tuple[str, ...] | None:
    return part.words if part.plain else None


def _runs_anything(prefix: Sequence[str]) -> bool:
    """Tell whether allowing a prefix would allow every program."""
    name = prefix[0].rpartition("/")[2]
    runs = name in _INTERPRETERS or name.rstrip("0123456789.") in _INTERPRETERS
    return runs and (len(prefix) == 1 or (len(prefix) == 2 and prefix[1] in _RUN_TEXT))


def _prompt(command: str, matches: Sequence[Match]) -> str:
    longest = max((match for match in matches if match.decision == "prompt"), key=lambda match: len(match.prefix))
    if longest.justification is None:
        return f"`{command}` requires approval by policy"
    return f"`{command}` requires approval: {longest.justification}"


def _forbidden(matches: Sequence[Match]) -> str:
    import shlex

    longest = max((match for match in matches if match.decision == "forbidden"), key=lambda match: len(match.prefix))
    if longest.justification is None:
        return f"policy forbids commands starting with `{shlex.join(longest.prefix)}`"
    return longest.justification
