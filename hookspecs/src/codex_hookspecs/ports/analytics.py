"""The analytics sink."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from codex_hookspecs.types.json import JsonObject


class AnalyticsSink(Protocol):
    """Receives analytics events; must never delay a turn."""

    def record(self, fact: str, fields: JsonObject) -> None:
        """Record one event; must return at once."""
        ...

    async def aclose(self) -> None:
        """Deliver pending events, within a second."""
        ...
