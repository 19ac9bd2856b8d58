"""Hook specifications, one module per area; ``AREAS`` lists them in the order of the reference."""

from __future__ import annotations

from types import ModuleType

from codex_hookspecs.specs import (
    analytics,
    auth,
    context,
    environment,
    lifecycle,
    models,
    policy,
    sandbox,
    storage,
    surface,
    tools,
)

AREAS: tuple[ModuleType, ...] = (
    lifecycle,
    tools,
    models,
    context,
    environment,
    sandbox,
    policy,
    auth,
    storage,
    surface,
    analytics,
)
