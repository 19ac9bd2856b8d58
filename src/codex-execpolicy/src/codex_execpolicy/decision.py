"""What is decided about a command."""

from __future__ import annotations

from typing import Literal, NamedTuple

NEVER_ASKED = "approval required by policy, but AskForApproval is set to Never"
SANDBOX_NOT_ASKED = "approval required by policy, but AskForApproval::Granular.sandbox_approval is false"
RULES_NOT_ASKED = "approval required by policy rule, but AskForApproval::Granular.rules is false"


class CommandDecision(NamedTuple):
    """What is to be done about a command.

    :param kind: it runs, a person has to agree first, it may not run, or it may not run as it asks for more than its
        sandbox allows where nobody may be asked.
    :param reason: why, if a rule or policy says so.
    :param amendment: beginning of commands that could be allowed from now on.
    :param unsandboxed: rules allow all of it, so it runs without sandbox.
    :param message: what the model is told when it may not run, if that is not the reason alone.
    """

    kind: Literal["allow", "ask", "forbidden", "no_escalation"]
    reason: str | None = None
    amendment: tuple[str, ...] | None = None
    unsandboxed: bool = False
    message: str | None = None

    @classmethod
    def rejected(cls, what: str, reason: str) -> CommandDecision:
        """Return that something may not run, in words that begin with it for the model."""
        return cls("forbidden", f"rejected: {reason}", message=f"{what} rejected: {reason}")
