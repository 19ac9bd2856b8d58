"""The provider knows its models: the host only passes on what it says of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from codex_hookspecs import hookimpl
from codex_hookspecs.errors import ConfigError
from codex_hookspecs.ports.models import ModelProvider
from codex_hookspecs.types.models import Completed, ItemDone, ModelInfo
from codex_testkit import ScriptedModel

pytestmark = pytest.mark.anyio

ANSWER = {"type": "message", "role": "assistant", "id": "m", "content": [{"type": "output_text", "text": "done"}]}


class Plain(ModelProvider):
    """A provider that knows no models."""

    def __init__(self) -> None:
        self.requests: list[Any] = []

    async def stream(self, request: Any) -> AsyncIterator[Any]:
        self.requests.append(request)
        yield ItemDone(ANSWER)
        yield Completed("r")

    async def aclose(self) -> None: ...


class Knowing(Plain):
    """A provider of one model, which reasons."""

    default_model = "bright"

    def info(self, model: str) -> ModelInfo:
        return ModelInfo(reasoning_effort="high", reasoning_summary="brief") if model == "bright" else ModelInfo()


async def test_a_thread_that_names_no_model_has_the_providers_default(host: Any) -> None:
    provider = Knowing()

    outcome = await host(model=provider).turn("go")

    [request] = provider.requests
    assert outcome.thread.settings.model == request.model == "bright"
    assert (request.reasoning_effort, request.reasoning_summary) == ("high", "brief")


async def test_what_configuration_says_comes_first(host: Any) -> None:
    provider = Knowing()

    await host(model=provider, config={"model_reasoning_effort": "low"}).turn("go")
    await host(model=provider, config={"model": "other"}).turn("go")

    told = [(request.model, request.reasoning_effort, request.reasoning_summary) for request in provider.requests]
    assert told == [("bright", "low", "brief"), ("other", None, None)]


async def test_without_a_default_a_thread_has_to_name_a_model(host: Any) -> None:
    with pytest.raises(ConfigError, match=r"^no model is named, and the model provider `test` has no default; set `mo"):
        await host(model=Plain()).turn("go")


async def test_a_provider_that_fails_to_tell_of_a_model_is_named(host: Any, kit: Any) -> None:
    class Broken(Knowing):
        def info(self, model: str) -> ModelInfo:
            raise KeyError(model)

    outcome = await host(
        plugins=[kit.plugin("brain", model_provider=lambda name: Broken())], config={"model_provider": "broken"}
    ).turn("go")

    assert outcome.turn.error.message.startswith("plugin brain (brain 0): the model provider raised KeyError: 'bright'")


async def test_two_third_parties_that_answer_for_a_provider_are_told_once(host: Any) -> None:
    closed: list[str] = []

    class Provider(ScriptedModel):
        async def aclose(self) -> None:
            closed.append("unused")

    class Serving:
        def __init__(self, *names: str) -> None:
            self.names = names

        @hookimpl
        def model_provider(self, name: str) -> Any:
            return Provider("served") if name in self.names else None

    plugins = [("greet", Serving("oracle", "greet")), ("oracle", Serving("oracle"))]
    run = host(plugins=plugins, config={"model_provider": "oracle"})
    outcome = await run.turn("go")

    assert outcome.warnings == [
        "plugins greet and oracle both answer model_provider for 'oracle', where one answer counts: that of oracle "
        'is not used (plugin_order.model_provider = "oracle" puts it first)'
    ]
    assert closed == ["unused"]
    assert (await run.turn("again")).warnings == []


async def test_two_third_parties_with_providers_of_their_own_are_no_rivals(host: Any) -> None:
    class Serving:
        def __init__(self, name: str) -> None:
            self.name = name

        @hookimpl
        def model_provider(self, name: str) -> Any:
            return ScriptedModel("served") if name == self.name else None

    plugins = [("greet", Serving("greet")), ("oracle", Serving("oracle"))]

    assert (await host(plugins=plugins, config={"model_provider": "greet"}).turn("go")).warnings == []
