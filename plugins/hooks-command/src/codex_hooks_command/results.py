"""The result of a handler's process, and what its output means for the event."""

from __future__ import annotations

from typing import Any, Literal

from attrs import evolve, field

from codex_hookspecs import frozen

Status = Literal["completed", "failed", "blocked", "stopped"]
EntryKind = Literal["warning", "stop", "feedback", "context", "error"]

_TAIL_LINES = 8
_TAIL_LENGTH = 800

NOTHING: Any = object()
"""Stands for a missing value where ``None`` is a valid one."""


@frozen(kw_only=True)
class ProcessResult:
    """The result of a handler's process.

    :param truncated: standard output was longer than what is kept.
    :param exit_code: above 128 if a signal ended it, ``None`` if it never ran.
    :param error: why it could not be started or completed, or ``None``.
    :param finish_order: 0 for the first to finish of the handlers that were started together, and so on.
    """

    stdout: str = ""
    stderr: str = ""
    truncated: bool = False
    exit_code: int | None = None
    error: str | None = None
    started_at: float = 0.0
    completed_at: float = 0.0
    finish_order: int = 0


@frozen(kw_only=True)
class HookOutput:
    """The interpreted output of one handler.

    :param entries: lines to show to the user, as (kind, text).
    :param context: text that is added to the conversation as a developer message.
    :param reason: why the prompt, the tool call or the stop is refused, or feedback that replaces a tool's output.
    :param stops: the handler asked to end the turn.
    :param stop_reason: the reason for that, if it gave one.
    :param updated_input: new arguments for the tool, or ``NOTHING``.
    :param updated_output: new result of an MCP tool, or ``NOTHING``.
    :param allows: the permission request is granted.
    :param asks: a person has to decide, for this reason.
    :param unanswered: the handler could not answer: it was not started, or was ended before it was done.
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


def failed_output(text: str, *, unanswered: bool = False) -> HookOutput:
    """Return the output of a handler that failed.

    :param text: the error message.
    """
    return HookOutput(status="failed", entries=(("error", text),), unanswered=unanswered)


def add_details(output: HookOutput, label: str, result: ProcessResult) -> HookOutput:
    """Add the handler's label and the end of its standard error to the error message of a failed output.

    :param label: short name of the handler.
    """
    if output.status != "failed":
        return output
    *before, (kind, text) = output.entries
    tail = "\n".join(result.stderr.strip().splitlines()[-_TAIL_LINES:])[-_TAIL_LENGTH:]
    shown = f"{text}: {label}" if not tail or tail in text else f"{text}: {label}\n{tail}"
    return evolve(output, entries=(*before, (kind, shown)))
