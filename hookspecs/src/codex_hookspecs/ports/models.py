"""The model provider."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Protocol

from codex_hookspecs.types.models import ModelEvent, ModelInfo, ModelRequest

if TYPE_CHECKING:
    from codex_hookspecs.types.app_server.models import Model


class ModelProvider(Protocol):
    """Streams model responses; implementations do their own retries. One instance per thread, closed with it.

    A subclass inherits defaults: no default model, no catalogue and no facts about models.
    """

    @property
    def name(self) -> str:
        """Key of the provider in the configuration."""
        ...

    @property
    def default_model(self) -> str | None:
        """Model for threads that set none; with ``None``, threads must set one."""
        return None

    def models(self) -> Sequence[Model]:
        """Return the models that users can choose, in the order to show them; empty if they are not known.

        Which one is the default is decided by the host.
        """
        return ()

    def info(self, model: str) -> ModelInfo:
        """Return facts about a model, of any name."""
        return ModelInfo()

    def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """Send a request and iterate over its events, ending after ``Completed``.

        The iterator is closed when the turn is interrupted, and must release the connection at once.

        :raises ModelError: (while iterating) when the request failed finally.
        """
        ...

    async def aclose(self) -> None:
        """Close connections; may be called twice."""
        ...
