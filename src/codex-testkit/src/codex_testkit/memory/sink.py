"""An analytics sink that records events."""

from __future__ import annotations

from codex_hookspecs.types.json import JsonObject


class RecordingSink:
    """Records every event in ``facts``, oldest first."""

    def __init__(self) -> None:
        self.facts: list[tuple[str, JsonObject]] = []
        self.closed = False

    def record(self, fact: str, fields: JsonObject) -> None:
        """Record one event."""
        self.facts.append((fact, fields))

    async def aclose(self) -> None:
        """Close the sink."""
        self.closed = True
