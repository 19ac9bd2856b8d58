"""An analytics sink that keeps what it gets."""

from __future__ import annotations

from codex_hookspecs.types.json import JsonObject


class RecordingSink:
    """Keeps every fact in ``facts``, oldest first."""

    def __init__(self) -> None:
        self.facts: list[tuple[str, JsonObject]] = []
        self.closed = False

    def record(self, fact: str, fields: JsonObject) -> None:
        """Take one fact."""
        self.facts.append((fact, fields))

    async def aclose(self) -> None:
        """Note that nothing more will come."""
        self.closed = True
