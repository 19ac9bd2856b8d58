"""The model provider that plays a script."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from codex_responses.known_models import DEFAULT_MODEL, info_of
from codex_responses.script.player import ScriptPlayer

if TYPE_CHECKING:
    from codex_hookspecs.models import ModelEvent, ModelInfo, ModelRequest
    from codex_hookspecs.protocol import Model
    from codex_model_scripted.settings import ScriptedSettings


class ScriptedProvider:
    """Streams the model responses of one thread from a script."""

    default_model = DEFAULT_MODEL

    def __init__(self, settings: ScriptedSettings) -> None:
        self._player = ScriptPlayer(
            settings.script,
            request_max_retries=settings.request_max_retries,
            stream_max_retries=settings.stream_max_retries,
            silence=settings.silence,
        )

    @property
    def name(self) -> str:
        """Key of the provider."""
        return "scripted"

    def models(self) -> Sequence[Model]:
        """Return the models that are known."""
        from codex_responses.catalogue import listed_models

        return listed_models()

    def info(self, model: str) -> ModelInfo:
        """Return what is known of a model by its name."""
        return info_of(model)

    def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """Play the next round of the thread; see :class:`~codex_hookspecs.ports.models.ModelProvider`."""
        return self._player.play(request)

    async def aclose(self) -> None:
        """Do nothing; there are no connections."""
