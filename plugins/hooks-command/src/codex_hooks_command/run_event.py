"""Run the handlers that are configured for an event and return their combined verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from codex_hooks_command.engine import Engine, HookRunResult
from codex_hooks_command.events import Event
from codex_hooks_command.refusals import GATES
from codex_hooks_command.verdicts import VERDICTS, verdict_of
from codex_hookspecs.lifecycle import PermissionVerdict
from codex_hookspecs.wire import snake

if TYPE_CHECKING:
    from codex_hooks_command.detached import DetachedRuns
    from codex_hooks_command.discovery import Registry
    from codex_hookspecs.host import Host
    from codex_hookspecs.lifecycle import HookScope, LifecycleEvent, Verdict


_STRICTEST_FIRST = ("deny", "ask", "allow", None)


async def run_event(
    event: Event,
    lifecycle_event: LifecycleEvent,
    scope: HookScope,
    host: Host,
    *,
    registry: Registry,
    detached: DetachedRuns,
) -> Verdict | None:
    """Run the handlers of an event.

    :return: the combined verdict, or ``None``.
    """
    engine = Engine(event, lifecycle_event, scope, host)
    runs = await engine.run(registry, detached)
    verdict = verdict_of(event, runs, engine)
    failure = _failure_verdict(event, [*registry.unreadable_gates, *_failures(runs, scope.config, event)], scope.config)
    if failure is None:
        return verdict
    return failure if verdict is None else _combine(verdict, failure)


def _combine(verdict: Verdict, failure: Verdict) -> Verdict:
    """Add the verdict for failed handlers to that of the others; of two permission decisions the stricter counts."""
    if isinstance(verdict, PermissionVerdict) and isinstance(failure, PermissionVerdict):
        return min(verdict, failure, key=lambda each: _STRICTEST_FIRST.index(each.behavior))
    unset = [field.name for field in attrs.fields(type(verdict)) if getattr(verdict, field.name) is None]
    return attrs.evolve(verdict, **{name: getattr(failure, name) for name in unset})


def _failures(runs: Sequence[HookRunResult], config: Mapping[str, Any], event: Event) -> list[str]:
    """Return the errors of the handlers that could not answer and, with ``fail_closed``, of all that failed."""
    fail_closed = _is_listed(event, config, "fail_closed")
    unanswered = (
        run.output for run in runs if run.output.unanswered or (fail_closed and run.output.status == "failed")
    )
    return [output.entries[-1][1] for output in unanswered]


def _failure_verdict(event: Event, failures: Sequence[str], config: Mapping[str, Any]) -> Verdict | None:
    """Return the verdict for failed handlers: a refusal, a question to a person, or none."""
    kind = VERDICTS.get(event)
    if not failures or kind is None:
        return None
    text = f"{event.spec.name} hook failed: {failures[0]}"
    if _is_listed(event, config, "fail_closed"):
        return kind.refusal(text)
    if event not in GATES or _is_listed(event, config, "fail_open"):
        return None
    return kind.confirmation(text)


def _is_listed(event: Event, config: Mapping[str, Any], key: str) -> bool:
    hooks = config.get("hooks")
    names = hooks.get(key) if isinstance(hooks, Mapping) else None
    return isinstance(names, list) and event.spec.snake in {snake(str(name)) for name in names}
