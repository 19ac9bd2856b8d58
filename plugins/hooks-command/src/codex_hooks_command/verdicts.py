"""Combine the outputs of an event's handlers into one verdict."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from codex_hooks_command.engine import Engine, HookRunResult
from codex_hooks_command.events import Event
from codex_hooks_command.results import NOTHING
from codex_hookspecs.lifecycle import (
    CompactVerdict,
    ContinuationPrompt,
    PermissionVerdict,
    PostToolUseVerdict,
    PreToolUseVerdict,
    SessionStartVerdict,
    StopVerdict,
    SubagentStartVerdict,
    UserPromptVerdict,
    Verdict,
)

_Runs = Sequence[HookRunResult]


def verdict_of(event: Event, runs: _Runs, engine: Engine) -> Verdict | None:
    """Return the combined verdict of the handlers.

    :return: ``None`` when the event has no verdict.
    """
    build = _BUILDERS.get(event)
    return None if build is None or not runs else build(event, runs, engine)


def _contexts(runs: _Runs, engine: Engine) -> tuple[str, ...]:
    return tuple(
        engine.limit_context(run.output.context, run.hook.handler.context_limit)
        for run in runs
        if run.output.context is not None and run.output.context.strip()
    )


def _reasons(runs: _Runs) -> list[str]:
    return [run.output.reason for run in runs if run.output.reason is not None]


def _stop_reason(event: Event, runs: _Runs) -> str | None:
    if not any(run.output.stops for run in runs):
        return None
    given = (run.output.stop_reason for run in runs)
    return next((reason for reason in given if reason), f"{event.spec.name} hook stopped execution")


def _session_start(event: Event, runs: _Runs, engine: Engine) -> Verdict:
    return SessionStartVerdict(contexts=_contexts(runs, engine), stop_reason=_stop_reason(event, runs))


def _subagent_start(_event: Event, runs: _Runs, engine: Engine) -> Verdict:
    return SubagentStartVerdict(contexts=_contexts(runs, engine))


def _prompt(event: Event, runs: _Runs, engine: Engine) -> Verdict:
    return UserPromptVerdict(
        contexts=_contexts(runs, engine),
        stop_reason=_stop_reason(event, runs),
        block_reason=next(iter(_reasons(runs)), None),
    )


def _before_tool(_event: Event, runs: _Runs, engine: Engine) -> Verdict:
    contexts, denial = _contexts(runs, engine), next(iter(_reasons(runs)), None)
    question = next((run.output.asks for run in runs if run.output.asks is not None), None)
    rewrites = [run for run in runs if run.output.updated_input is not NOTHING]
    if denial is not None or not rewrites:
        return PreToolUseVerdict(contexts=contexts, deny_reason=denial, ask_reason=question)
    last = max(rewrites, key=lambda run: run.process.finish_order)
    return PreToolUseVerdict(contexts=contexts, ask_reason=question, updated_input=last.output.updated_input)


def _permission(_event: Event, runs: _Runs, _engine: Engine) -> Verdict:
    denial = next(iter(_reasons(runs)), None)
    if denial is not None:
        return PermissionVerdict(behavior="deny", message=denial)
    if (question := next((run.output.asks for run in runs if run.output.asks is not None), None)) is not None:
        return PermissionVerdict(behavior="ask", message=question)
    return PermissionVerdict(behavior="allow" if any(run.output.allows for run in runs) else None)


def _after_tool(_event: Event, runs: _Runs, engine: Engine) -> Verdict:
    replaced = [
        json.dumps(run.output.updated_output, ensure_ascii=False)
        for run in runs
        if run.output.updated_output is not NOTHING
    ]
    return PostToolUseVerdict(contexts=_contexts(runs, engine), feedback=(*_reasons(runs), *replaced))


def _stop(event: Event, runs: _Runs, engine: Engine) -> Verdict:
    if (stop_reason := _stop_reason(event, runs)) is not None:
        return StopVerdict(stop_reason=stop_reason)
    return StopVerdict(
        prompts=tuple(
            ContinuationPrompt(engine.limit_context(run.output.reason), engine.run_id(run.hook))
            for run in runs
            if run.output.reason is not None
        )
    )


def _compact(event: Event, runs: _Runs, _engine: Engine) -> Verdict:
    return CompactVerdict(stop_reason=_stop_reason(event, runs))


VERDICTS: dict[Event, type[Verdict]] = {
    Event.SESSION_START: SessionStartVerdict,
    Event.SUBAGENT_START: SubagentStartVerdict,
    Event.USER_PROMPT_SUBMIT: UserPromptVerdict,
    Event.PRE_TOOL_USE: PreToolUseVerdict,
    Event.PERMISSION_REQUEST: PermissionVerdict,
    Event.POST_TOOL_USE: PostToolUseVerdict,
    Event.STOP: StopVerdict,
    Event.SUBAGENT_STOP: StopVerdict,
    Event.PRE_COMPACT: CompactVerdict,
    Event.POST_COMPACT: CompactVerdict,
}
"""The verdict class of each event; events that are only observed have none."""

_BUILDERS: dict[Event, Callable[[Event, _Runs, Engine], Verdict]] = {
    Event.SESSION_START: _session_start,
    Event.SUBAGENT_START: _subagent_start,
    Event.USER_PROMPT_SUBMIT: _prompt,
    Event.PRE_TOOL_USE: _before_tool,
    Event.PERMISSION_REQUEST: _permission,
    Event.POST_TOOL_USE: _after_tool,
    Event.STOP: _stop,
    Event.SUBAGENT_STOP: _stop,
    Event.PRE_COMPACT: _compact,
    Event.POST_COMPACT: _compact,
}
