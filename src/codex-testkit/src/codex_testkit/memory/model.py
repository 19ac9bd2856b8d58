"""A scripted model for tests, which records its requests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from codex_responses.known_models import DEFAULT_MODEL, info_of
from codex_responses.script.player import ScriptPlayer
from codex_responses.script.steps import Script, script_from
from codex_testkit.memory._model_input import texts, tool_output

if TYPE_CHECKING:
    from codex_hookspecs.types.models import ModelEvent, ModelInfo, ModelRequest

Round = str | Sequence[Mapping[str, Any]]


class ScriptedModel:
    """A model provider that answers each request with the next round of a script, and at last with ``done``.

    ::

        model = ScriptedModel("a plain answer", [{"sh": "ls"}], [{"fail": 500}], "the end")

    All threads share the rounds. Failures are retried as by a real provider, but without delays.

    :param rounds: text of a response, steps of a round (:mod:`codex_responses.script.steps`), or a whole script.
    :param name: key of the provider.
    :raises ConfigError: when a step is invalid.
    """

    default_model = DEFAULT_MODEL

    def __init__(self, *rounds: Round | Script, name: str = "scripted") -> None:
        self.name = name
        self.requests: list[ModelRequest] = []
        """All requests, oldest first; a retried one appears once."""
        self.closed = 0
        """How often it was closed by a thread."""
        self._player = ScriptPlayer(_script(rounds), patience=_at_once, resume=False)

    def info(self, model: str) -> ModelInfo:
        """Return facts about a model."""
        return info_of(model)

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """Play the next round."""
        self.requests.append(request)
        played = self._player.play(request)
        try:
            async for event in played:
                yield event
        finally:
            await played.aclose()

    async def aclose(self) -> None:
        """Count the close; requests are still answered."""
        self.closed += 1

    def told(self, role: str = "user", *, request: int = -1) -> list[str]:
        """Return the texts of a request's messages of a role.

        :param request: index of the request, by default the newest.
        """
        return texts(self.requests[request].input, role)

    def output(self, call_id: str, *, request: int = -1) -> str:
        """Return the output of a tool call in a request.

        :raises LookupError: when it has no output of that call.
        """
        return tool_output(self.requests[request].input, call_id)


def _script(rounds: Sequence[Round | Script]) -> Script:
    if len(rounds) == 1 and isinstance(rounds[0], Script):
        return rounds[0]
    return script_from([[{"say": given}] if isinstance(given, str) else _steps(given) for given in rounds])


def _steps(given: Any) -> Any:
    return list(given) if isinstance(given, (list, tuple)) else given


async def _at_once(_seconds: float) -> None:
    await asyncio.sleep(0)
