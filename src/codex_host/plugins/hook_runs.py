"""Describe runs of Python hooks for clients, in the same form as runs of hook scripts."""

from __future__ import annotations

import time
from typing import Any, TypeVar

import attrs

from codex_hookspecs.types.lifecycle import (
    ContinuationPrompt,
    PermissionVerdict,
    PostToolUseVerdict,
    PreToolUseVerdict,
    StopVerdict,
    UserPromptVerdict,
    Verdict,
)
from codex_hookspecs.types.notifications import HookEntry, HookEntryKind, HookRun, HookStatus

V = TypeVar("V", bound=Verdict)


def failed_run(hook: str, plugin: str, function: Any, order: int, message: str) -> HookRun:
    """Describe a run that failed."""
    return _run(hook, plugin, function, order, "failed", [HookEntry("error", message)])


def finished_run(hook: str, plugin: str, function: Any, order: int, verdict: V) -> tuple[HookRun, V]:
    """Describe a run that returned a verdict, and fill the run's id into the verdict where it is needed."""
    status, entries = _describe_verdict(verdict)
    run = _run(hook, plugin, function, order, status, entries)
    if isinstance(verdict, StopVerdict) and verdict.prompts:
        prompts = tuple(ContinuationPrompt(prompt.text, prompt.run_id or run.id) for prompt in verdict.prompts)
        verdict = attrs.evolve(verdict, prompts=prompts)
    return run, verdict


def _describe_verdict(verdict: Verdict) -> tuple[HookStatus, list[HookEntry]]:
    entries = [HookEntry("context", text) for text in verdict.contexts]
    refusals: list[str] = []
    if isinstance(verdict, StopVerdict):
        refusals = [prompt.text for prompt in verdict.prompts]
    elif isinstance(verdict, PreToolUseVerdict):
        refusals = [verdict.deny_reason] if verdict.deny_reason else []
    elif isinstance(verdict, UserPromptVerdict):
        refusals = [verdict.block_reason] if verdict.block_reason else []
    elif isinstance(verdict, PostToolUseVerdict):
        refusals = list(verdict.feedback)
    elif isinstance(verdict, PermissionVerdict) and verdict.behavior == "deny":
        refusals = [verdict.message or "denied"]
    if isinstance(verdict, PreToolUseVerdict) and verdict.ask_reason is not None:
        entries.append(HookEntry("warning", verdict.ask_reason))
    kind: HookEntryKind = "feedback"
    entries += [HookEntry(kind, text) for text in refusals]
    if verdict.stop_reason is not None:
        return "stopped", [*entries, HookEntry("stop", verdict.stop_reason)]
    return ("blocked" if refusals else "completed"), entries


def _run(  # noqa: PLR0917
    hook: str, plugin: str, function: Any, order: int, status: HookStatus, entries: list[HookEntry]
) -> HookRun:
    source = getattr(getattr(function, "__code__", None), "co_filename", plugin)
    head, *rest = hook.split("_")
    now = int(time.time())
    return HookRun(
        id=f"{hook.replace('_', '-')}:{order}:{source}",
        event_name=head + "".join(part.capitalize() for part in rest),
        scope="thread" if hook in ("session_start", "subagent_start") else "turn",
        source_path=source,
        source="plugin",
        display_order=order,
        status=status,
        status_message=plugin,
        started_at=now,
        completed_at=now,
        duration_ms=0,
        entries=tuple(entries),
    )
