"""Bring one event of the host to the handlers configured for it and the answer back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .engine import Engine
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
    return verdict_of(event, await engine.run(registry, detached), engine)
