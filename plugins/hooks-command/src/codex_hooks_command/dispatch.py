"""Bring one event of the host to the handlers configured for it and the answer back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from codex_hookspecs.lifecycle import PermissionVerdict
from codex_hookspecs.wire import snake

from .engine import Concluded, Engine
from .events import Event
from .refusals import GATES
from .verdicts import VERDICTS, verdict_of

if TYPE_CHECKING:
    from codex_hookspecs.host import Host
    from codex_hookspecs.lifecycle import HookScope, LifecycleEvent, Verdict

    from .detached import DetachedRuns
    from .discovery import Registry


_STRICTEST_FIRST = ("deny", "ask", "allow", None)


async def dispatch(
    event: Event, facts: LifecycleEvent, scope: HookScope, host: Host, *, registry: Registry, detached: DetachedRuns
) -> Verdict | None:
    """Run the handlers of an event.

    :return: what they want together, or ``None``.
    """
    engine = Engine(event, facts, scope, host)
    runs = await engine.run(registry, detached)
    verdict = verdict_of(event, runs, engine)
    doubt = _doubt(event, [*registry.lost, *_failures(runs, scope.config, event)], scope.config)
    if doubt is None:
        return verdict
    return doubt if verdict is None else _joined(verdict, doubt)


def _joined(verdict: Verdict, doubt: Verdict) -> Verdict:
    """Return what the handlers want with the doubt added; of two words on a permission the stricter counts."""
    if isinstance(verdict, PermissionVerdict) and isinstance(doubt, PermissionVerdict):
        return min(verdict, doubt, key=lambda each: _STRICTEST_FIRST.index(each.behavior))
    unsaid = [field.name for field in attrs.fields(type(verdict)) if getattr(verdict, field.name) is None]
    return attrs.evolve(verdict, **{name: getattr(doubt, name) for name in unsaid})


def _failures(runs: Sequence[Concluded], config: Mapping[str, Any], event: Event) -> list[str]:
    """Return what went wrong with the handlers whose opinion is missed."""
    closed = _named(event, config, "fail_closed")
    missed = (run.outcome for run in runs if run.outcome.unanswered or (closed and run.outcome.status == "failed"))
    return [outcome.entries[-1][1] for outcome in missed]


def _doubt(event: Event, failures: Sequence[str], config: Mapping[str, Any]) -> Verdict | None:
    """Return what the event answers because an opinion is missed."""
    kind = VERDICTS.get(event)
    if not failures or kind is None:
        return None
    text = f"{event.facts.name} hook failed: {failures[0]}"
    if _named(event, config, "fail_closed"):
        return kind.refusal(text)
    if event not in GATES or _named(event, config, "fail_open"):
        return None
    return kind.doubt(text)


def _named(event: Event, config: Mapping[str, Any], key: str) -> bool:
    hooks = config.get("hooks")
    names = hooks.get(key) if isinstance(hooks, Mapping) else None
    return isinstance(names, list) and event.facts.snake in {snake(str(name)) for name in names}
