"""Requests to company rules, and their decisions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

from codex_hookspecs.types._checking import Checked, reason_of
from codex_hookspecs.values import frozen

if TYPE_CHECKING:
    from codex_hookspecs.types.grants import AdditionalPermissions
    from codex_hookspecs.types.sandbox import SandboxPolicy
    from codex_hookspecs.types.threads import ThreadSettings


@frozen(kw_only=True)
class PolicyRequest:
    """A command that is about to be run, or a patch that is about to be applied.

    :param thread_id: id of the thread.
    :param turn_id: id of the turn.
    :param argv: program and arguments, mostly a shell and its script; of a patch ``apply_patch`` and its text.
    :param commands: the commands that ``argv`` runs in sequence, each as a list of unquoted words; ``None`` if they
        can't be determined statically, as with variables, substitutions, redirections or control flow.
    :param cwd: absolute working directory.
    :param settings: settings of the turn.
    :param sandbox: sandbox policy; ``None`` if it runs without a sandbox.
    :param additional: permissions requested beyond that policy.
    :param paths: absolute paths that a patch changes, symbolic links resolved; empty for a command.
    :param outside: those of them that the sandbox policy does not allow to be written.
    :param retry: whether it is a second run without a sandbox, after the sandbox probably made it fail.
    """

    thread_id: str
    turn_id: str
    argv: tuple[str, ...]
    commands: tuple[tuple[str, ...], ...] | None = None
    cwd: str
    settings: ThreadSettings
    sandbox: SandboxPolicy | None = None
    additional: AdditionalPermissions | None = None
    paths: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    retry: bool = False


@frozen
class PolicyDecision(Checked):
    """Decision of ``command_policy``; ``None`` instead of a decision means no opinion.

    :param behavior: ``allow`` runs it as requested without approval, ``ask`` requires the user's approval, ``deny``
        refuses it.
    :param reason: reason, for the user who is asked, or for the model on refusal.
    """

    behavior: Literal["allow", "ask", "deny"]
    reason: str | None = None

    @classmethod
    def allow(cls) -> Self:
        """Run it, regardless of rules files and approval policy."""
        return cls("allow")

    @classmethod
    def ask(cls, reason: str) -> Self:
        """Require the user's approval; if no client can be asked it is refused."""
        return cls("ask", reason_of(reason, of="PolicyDecision.ask"))

    @classmethod
    def deny(cls, reason: str) -> Self:
        """Refuse it, with a reason for the model."""
        return cls("deny", reason_of(reason, of="PolicyDecision.deny"))

    @classmethod
    def confirmation(cls, message: str) -> Self:
        """Return the decision of a failed implementation for which the user is asked."""
        return cls("ask", message)

    @classmethod
    def refusal(cls, message: str) -> Self:
        """Return the decision of a failed implementation that fails closed."""
        return cls("deny", message)
