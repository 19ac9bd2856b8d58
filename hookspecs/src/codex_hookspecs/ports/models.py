"""What a model provider does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from codex_hookspecs.types.models import ModelEvent, ModelRequest


class ModelProvider(Protocol):
    """Sends requests to models; retries are its own affair. One per thread, closed with it."""

    @property
    def name(self) -> str:
        """Key of the provider, as configured."""
        ...

    def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """Send a request and iterate its events, ending after ``Completed``.

        The iterator is closed when the turn is interrupted and must then let go of the connection at once.

        :raises ModelError: (while iterating) when the request failed for good.
        """
        ...

    async def aclose(self) -> None:
        """Close connections; may be called twice."""
        ...
