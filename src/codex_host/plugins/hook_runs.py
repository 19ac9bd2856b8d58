"""Describe runs of Python hooks for clients, in the same form as runs of hook scripts."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

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
from codex_hookspecs.types.notifications import HookEntry, HookOutputEntryKind, HookRun, HookRunStatus

if TYPE_CHECKING:
    from codex_host.plugins.bound_hook import BoundHook

V = TypeVar("V", bound=Verdict)


def failed_run(bound: BoundHook, message: str, began: float) -> HookRun:
    """Describe a run that failed.

    :param began: when it began, in seconds since the epoch.
    """
    return _run(bound, "failed", [HookEntry("error", message)], began)


def finished_run(bound: BoundHook, verdict: V, began: float) -> tuple[HookRun, V]:
    """Describe a run that returned a verdict, and fill the run's id into the verdict where it is needed.

    :param began: when it began, in seconds since the epoch.
    """
    status, entries = _describe_verdict(verdict)
    run = _run(bound, status, entries, began)
    if isinstance(verdict, StopVerdict) and verdict.prompts:
        prompts = tuple(ContinuationPrompt(prompt.text, prompt.run_id or run.id) for prompt in verdict.prompts)
        verdict = attrs.evolve(verdict, prompts=prompts)
    return run, verdict


def _describe_verdict(verdict: Verdict) -> tuple[HookRunStatus, list[HookEntry]]:
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
    kind: HookOutputEntryKind = "feedback"
    entries += [HookEntry(kind, text) for text in refusals]
    if verdict.stop_reason is not None:
        return "stopped", [*entries, HookEntry("stop", verdict.stop_reason)]
    return ("blocked" if refusals else "completed"), entries


def _run(bound: BoundHook, status: HookRunStatus, entries: list[HookEntry], began: float) -> HookRun:
    source = getattr(getattr(bound.function, "__code__", None), "co_filename", bound.plugin)
    head, *rest = bound.hook.split("_")
    now = time.time()
    return HookRun(
        id=f"{bound.hook.replace('_', '-')}:{bound.order}:{source}",
        event_name=head + "".join(part.capitalize() for part in rest),
        scope="thread" if bound.hook in ("session_start", "subagent_start") else "turn",
        source_path=source,
        source="plugin",
        display_order=bound.order,
        status=status,
        status_message=bound.plugin,
        started_at=int(began),
        completed_at=int(now),
        duration_ms=max(0, round((now - began) * 1000)),
        entries=tuple(entries),
    )
