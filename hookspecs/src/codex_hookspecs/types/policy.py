"""What a company's own rules are asked about, and what they may answer."""

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
    :param commands: the commands that ``argv`` runs one after the other, each as its words without quotes; ``None``
        when that can't be told beforehand, as with variables, substitutions, redirections or control words.
    :param cwd: absolute directory that the command runs in.
    :param settings: settings of the turn: its directory, approval policy, and machine when it is not this one.
    :param sandbox: policy that it is held to; ``None`` when it runs without sandbox.
    :param additional: what it asks for beyond that policy.
    :param paths: absolute paths that a patch changes, links resolved; empty for a command.
    :param outside: those of them that the sandbox policy does not let be written.
    :param retry: it has run, its sandbox seems to have kept it from working, and it is to run again without.
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
    """Answer to ``command_policy``; ``None`` instead of a decision means no opinion.

    :param behavior: ``allow`` runs it as it was asked for without asking anybody, ``ask`` only when a person agrees,
        ``deny`` does not run it.
    :param reason: told to the person who is asked, or to the model that is refused.
    """

    behavior: Literal["allow", "ask", "deny"]
    reason: str | None = None

    @classmethod
    def allow(cls) -> Self:
        """Run it, whatever rules files and approval policy say."""
        return cls("allow")

    @classmethod
    def ask(cls, reason: str) -> Self:
        """Leave it to a person; where nobody can be asked it is refused."""
        return cls("ask", reason_of(reason, of="PolicyDecision.ask"))

    @classmethod
    def deny(cls, reason: str) -> Self:
        """Refuse it, and tell the model why."""
        return cls("deny", reason_of(reason, of="PolicyDecision.deny"))

    @classmethod
    def confirmation(cls, message: str) -> Self:
        """Return the answer of an implementation that failed: a person decides."""
        return cls("ask", message)

    @classmethod
    def refusal(cls, message: str) -> Self:
        """Return the answer of an implementation that failed where failing closed is wanted."""
        return cls("deny", message)
