"""Values for what a handler did and what that means."""

from __future__ import annotations

from typing import Any, Literal

from attrs import evolve, field

from codex_hookspecs import frozen

Status = Literal["completed", "failed", "blocked", "stopped"]
EntryKind = Literal["warning", "stop", "feedback", "context", "error"]

_TAIL_LINES = 8
_TAIL_LENGTH = 800

NOTHING: Any = object()
"""Stands for a value that was not given, where ``None`` could be one."""


@frozen(kw_only=True)
class Finished:
    """How a handler's process ended.

    :param cut: it wrote more to standard output than is kept.
    :param exit_code: above 128 when a signal ended it, ``None`` when it never ran.
    :param error: why it could not be run to its end, or ``None``.
    :param finished_as: 0 for the handler that was done first among those started together, and so on.
    """

    stdout: str = ""
    stderr: str = ""
    cut: bool = False
    exit_code: int | None = None
    error: str | None = None
    started_at: float = 0.0
    completed_at: float = 0.0
    finished_as: int = 0


@frozen(kw_only=True)
class Outcome:
    """What one run means for the event.

    :param entries: lines for people, as (kind, text).
    :param context: text that joins the conversation as a developer message.
    :param reason: why the prompt, the tool or the stop is refused; feedback that replaces a tool's output.
    :param stops: the handler asked to end the turn.
    :param stop_reason: why, when it said so.
    :param updated_input: arguments to run the tool with instead, or ``NOTHING``.
    :param updated_output: result of an MCP tool to go on with instead, or ``NOTHING``.
    :param allows: a permission request is granted.
    :param asks: a person shall decide, and why.
    :param unanswered: the handler had no chance to say what it thinks: it was not started, or ended before it was done.
    """

    status: Status = "completed"
    entries: tuple[tuple[EntryKind, str], ...] = ()
    context: str | None = None
    reason: str | None = None
    stops: bool = False
    stop_reason: str | None = None
    updated_input: Any = field(default=NOTHING)
    updated_output: Any = field(default=NOTHING)
    allows: bool = False
    asks: str | None = None
    unanswered: bool = False


def failed(text: str, *, unanswered: bool = False) -> Outcome:
    """Return the outcome of a run that counts for nothing.

    :param text: what went wrong.
    """
    return Outcome(status="failed", entries=(("error", text),), unanswered=unanswered)


def explained(outcome: Outcome, label: str, finished: Finished) -> Outcome:
    """Return an outcome whose failure tells of which handler it is, and how that one's standard error ends.

    :param label: short name of the handler.
    """
    if outcome.status != "failed":
        return outcome
    *before, (kind, text) = outcome.entries
    tail = "\n".join(finished.stderr.strip().splitlines()[-_TAIL_LINES:])[-_TAIL_LENGTH:]
    shown = f"{text}: {label}" if not tail or tail in text else f"{text}: {label}\n{tail}"
    return evolve(outcome, entries=(*before, (kind, shown)))
