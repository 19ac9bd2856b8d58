"""Bring one event of the host to the handlers configured for it and the answer back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .engine import Concluded, Engine
from .events import Event
from .verdicts import verdict_of

if TYPE_CHECKING:
    from codex_hookspecs.ports.host import Host
    from codex_hookspecs.ports.threads import HookScope
    from codex_hookspecs.types.lifecycle import LifecycleEvent, Verdict

    from .detached import DetachedRuns
    from .discovery import Registry


async def dispatch(
    event: Event, facts: LifecycleEvent, scope: HookScope, host: Host, *, registry: Registry, detached: DetachedRuns
) -> Verdict | None:
    """Run the handlers of an event.

    :return: what they want together, or ``None``.
    """
    engine = Engine(event, facts, scope, host)
    runs = await engine.run(registry, detached)
    verdict = verdict_of(event, runs, engine)
    failure = _failure(runs)
    if verdict is None or failure is None or not _fails_closed(event, scope.config):
        return verdict
    kind = type(verdict)
    return kind.merged([verdict, kind.refusal(f"{event.facts.name} hook failed: {failure}")])


def _failure(runs: Sequence[Concluded]) -> str | None:
    failed = (run.outcome for run in runs if run.outcome.status == "failed")
    return next((outcome.entries[-1][1] for outcome in failed), None)


def _fails_closed(event: Event, config: Mapping[str, Any]) -> bool:
    hooks = config.get("hooks")
    names = hooks.get("fail_closed") if isinstance(hooks, Mapping) else None
    return isinstance(names, list) and event.facts.snake in names
