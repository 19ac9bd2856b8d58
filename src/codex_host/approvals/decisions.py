"""Decide without side effects whether a call is allowed, needs approval or is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_execpolicy.decision import NEVER_ASKED, RULES_NOT_ASKED, CommandDecision

if TYPE_CHECKING:
    from collections.abc import Sequence

    from codex_execpolicy.rules.matching import RuleBook
    from codex_hookspecs.types.approvals import CommandApproval, CommandRequest
    from codex_hookspecs.types.policy import PolicyDecision
    from codex_hookspecs.types.threads import ThreadSettings

RETRY = "command failed; retry without sandbox?"
NO_RETRY = "the approval policy does not allow to ask for a run without sandbox"
OUTSIDE = "patch rejected: writing outside of the project; rejected by user approval settings"


def decide_command(
    request: CommandRequest, settings: ThreadSettings, rules: RuleBook, answer: PolicyDecision | None
) -> CommandDecision:
    """Decide about a command: by company rules, else by rules files and the approval policy.

    :param answer: decision of the company rules, or ``None``.
    """
    if answer is None:
        from codex_execpolicy.verdict import evaluate_command

        return evaluate_command(request, settings, rules)
    return _decide_as_answered(answer, settings, f"`{request.command}`")


def decide_retry(
    request: CommandRequest, settings: ThreadSettings, approval: CommandApproval, answer: PolicyDecision | None
) -> CommandDecision:
    """Decide whether a command may run again without a sandbox, after the sandbox made it fail.

    :param approval: the approval of the first run.
    :param answer: decision of the company rules, or ``None``.
    """
    if approval.retry == "no":
        return CommandDecision("forbidden", NO_RETRY)
    if answer is not None:
        return _decide_as_answered(answer, settings, f"`{request.command}`")
    if not settings.may_ask("sandbox_approval"):
        return CommandDecision("forbidden", NO_RETRY)
    return CommandDecision("allow" if approval.retry == "yes" else "ask", RETRY, approval.amendment)


def decide_patch(outside: Sequence[str], settings: ThreadSettings, answer: PolicyDecision | None) -> CommandDecision:
    """Decide about a patch (as Codex 0.118 does, unless company rules decide).

    :param outside: paths it changes that the sandbox policy does not allow to be written.
    :param answer: decision of the company rules, or ``None``.
    """
    policy = settings.approval_policy
    if answer is not None:
        return _decide_as_answered(answer, settings, "patch")
    if policy != "untrusted":
        if not outside:
            return CommandDecision("allow")
        if not settings.may_ask("sandbox_approval"):
            return CommandDecision("forbidden", OUTSIDE)
    return CommandDecision("ask", RETRY if policy == "on-failure" else None)


def _decide_as_answered(answer: PolicyDecision, settings: ThreadSettings, what: str) -> CommandDecision:
    """Combine a decision of the company rules with the approval policy."""
    if answer.behavior == "allow":
        return CommandDecision("allow")
    if answer.behavior == "deny":
        return CommandDecision.rejected(what, answer.reason or "forbidden by policy")
    if settings.may_ask("rules"):
        return CommandDecision("ask", answer.reason)
    refusal = NEVER_ASKED if settings.approval_policy == "never" else RULES_NOT_ASKED
    return CommandDecision("forbidden", refusal if answer.reason is None else f"{refusal}: {answer.reason}")
