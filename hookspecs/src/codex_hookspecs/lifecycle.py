"""Lifecycle hooks: events, verdicts and markers of implementations."""

from __future__ import annotations

from codex_hookspecs._lazy import exported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codex_hookspecs.markers import enabled_if as enabled_if
    from codex_hookspecs.markers import hookimpl as hookimpl
    from codex_hookspecs.markers import reports_runs as reports_runs
    from codex_hookspecs.markers import time_limit as time_limit
    from codex_hookspecs.ports.threads import AgentThread as AgentThread
    from codex_hookspecs.ports.threads import HookScope as HookScope
    from codex_hookspecs.types.lifecycle import CompactEvent as CompactEvent
    from codex_hookspecs.types.lifecycle import CompactVerdict as CompactVerdict
    from codex_hookspecs.types.lifecycle import ContinuationPrompt as ContinuationPrompt
    from codex_hookspecs.types.lifecycle import InterruptEvent as InterruptEvent
    from codex_hookspecs.types.lifecycle import InterruptVerdict as InterruptVerdict
    from codex_hookspecs.types.lifecycle import LifecycleEvent as LifecycleEvent
    from codex_hookspecs.types.lifecycle import PermissionMode as PermissionMode
    from codex_hookspecs.types.lifecycle import PermissionRequestEvent as PermissionRequestEvent
    from codex_hookspecs.types.lifecycle import PermissionVerdict as PermissionVerdict
    from codex_hookspecs.types.lifecycle import PostModelRequestEvent as PostModelRequestEvent
    from codex_hookspecs.types.lifecycle import PostToolUseEvent as PostToolUseEvent
    from codex_hookspecs.types.lifecycle import PostToolUseVerdict as PostToolUseVerdict
    from codex_hookspecs.types.lifecycle import PreModelRequestEvent as PreModelRequestEvent
    from codex_hookspecs.types.lifecycle import PreToolUseEvent as PreToolUseEvent
    from codex_hookspecs.types.lifecycle import PreToolUseVerdict as PreToolUseVerdict
    from codex_hookspecs.types.lifecycle import SessionEndEvent as SessionEndEvent
    from codex_hookspecs.types.lifecycle import SessionStartEvent as SessionStartEvent
    from codex_hookspecs.types.lifecycle import SessionStartVerdict as SessionStartVerdict
    from codex_hookspecs.types.lifecycle import StopEvent as StopEvent
    from codex_hookspecs.types.lifecycle import StopVerdict as StopVerdict
    from codex_hookspecs.types.lifecycle import SubagentStartEvent as SubagentStartEvent
    from codex_hookspecs.types.lifecycle import SubagentStartVerdict as SubagentStartVerdict
    from codex_hookspecs.types.lifecycle import SubagentStopEvent as SubagentStopEvent
    from codex_hookspecs.types.lifecycle import UserPromptSubmitEvent as UserPromptSubmitEvent
    from codex_hookspecs.types.lifecycle import UserPromptVerdict as UserPromptVerdict
    from codex_hookspecs.types.lifecycle import Verdict as Verdict

__all__, __getattr__, __dir__ = exported(
    __name__,
    {
        "markers": "enabled_if hookimpl reports_runs time_limit",
        "ports.threads": "AgentThread HookScope",
        "types.lifecycle": (
            "CompactEvent CompactVerdict ContinuationPrompt InterruptEvent InterruptVerdict LifecycleEvent "
            "PermissionMode PermissionRequestEvent PermissionVerdict PostModelRequestEvent PostToolUseEvent "
            "PostToolUseVerdict PreModelRequestEvent PreToolUseEvent PreToolUseVerdict SessionEndEvent "
            "SessionStartEvent SessionStartVerdict StopEvent StopVerdict SubagentStartEvent SubagentStartVerdict "
            "SubagentStopEvent UserPromptSubmitEvent UserPromptVerdict Verdict"
        ),
    },
)
