"""A model for tests that says what it is told to say and keeps the requests it got."""

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
    """Model provider that answers the first request with its first round, and so on; then it says ``done``.

    ::

        model = ScriptedModel("a plain answer", [{"sh": "ls"}], [{"fail": 500}], "the end")

    All threads share the rounds. Failures are retried as they really are, without the waits in between.

    :param rounds: text for an answer, or the steps of a round (:mod:`codex_responses.script.steps`); or a whole script.
    :param name: key of the provider.
    :raises ConfigError: when a step is not one.
    """

    default_model = DEFAULT_MODEL

    def __init__(self, *rounds: Round | Script, name: str = "scripted") -> None:
        self.name = name
        self.requests: list[ModelRequest] = []
        """Every request, oldest first; a retried one is there once."""
        self.closed = 0
        """How often a thread closed it."""
        self._player = ScriptPlayer(_script(rounds), patience=_at_once, resume=False)

    def info(self, model: str) -> ModelInfo:
        """Return what is known of a model by its name."""
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
        """Count that a thread is done with it; it can still be asked."""
        self.closed += 1

    def told(self, role: str = "user", *, request: int = -1) -> list[str]:
        """List the texts that a request carried in messages of a role.

        :param request: which one, the newest if not given.
        """
        return texts(self.requests[request].input, role)

    def output(self, call_id: str, *, request: int = -1) -> str:
        """Give what a request told the model about a tool call.

        :raises LookupError: when it has no output for that call.
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
