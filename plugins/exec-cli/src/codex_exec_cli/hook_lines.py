"""Format the results of hooks for the user."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from codex_hookspecs.protocol import HookRun

_ENDS_THE_TURN = ("userPromptSubmit", "sessionStart")


def hook_name(run: HookRun) -> str:
    """Return the name of a run's event as in configuration files."""
    return f"{run.event_name[:1].upper()}{run.event_name[1:]}"


def hook_messages(run: HookRun) -> list[str]:
    """Return the messages of a hook for users who do not see hook events: warnings, failures, and why a turn ended."""
    head = f"{hook_name(run)} hook"
    lines = [f"{head}: {entry.text}" for entry in run.entries if entry.kind == "warning"]
    lines += [f"{head} failed: {entry.text}" for entry in run.entries if entry.kind == "error"]
    if run.status in {"blocked", "stopped"} and run.event_name in _ENDS_THE_TURN:
        what = "refused the prompt" if run.status == "blocked" else "ended the turn"
        reason = "\n".join(entry.text for entry in run.entries if entry.kind in {"feedback", "stop"})
        lines.append(f"{head} {what}: {reason}" if reason else f"{head} {what}")
    return lines
