"""What a model provider does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from codex_hookspecs.types.models import ModelEvent, ModelInfo, ModelRequest


class ModelProvider(Protocol):
    """Sends requests to models; retries are its own affair. One per thread, closed with it.

    A class that inherits from it gets a provider that has no default model and knows nothing of models.
    """

    @property
    def name(self) -> str:
        """Key of the provider, as configured."""
        ...

    @property
    def default_model(self) -> str | None:
        """Model for threads that name none; with ``None``, a thread has to name one."""
        return None

    def info(self, model: str) -> ModelInfo:
        """Return what is known of a model; any name may come."""
        return ModelInfo()

    def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """Send a request and iterate its events, ending after ``Completed``.

        The iterator is closed when the turn is interrupted and must then let go of the connection at once.

        :raises ModelError: (while iterating) when the request failed for good.
        """
        ...

    async def aclose(self) -> None:
        """Close connections; may be called twice."""
        ...
