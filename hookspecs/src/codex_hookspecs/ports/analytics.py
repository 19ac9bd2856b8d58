"""What takes facts about what the program does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from codex_hookspecs.types.json import JsonObject


class AnalyticsSink(Protocol):
    """Takes facts about what happened; never holds up a turn."""

    def record(self, fact: str, fields: JsonObject) -> None:
        """Take one fact; must return at once."""
        ...

    async def aclose(self) -> None:
        """Deliver what is left, within a second."""
        ...
