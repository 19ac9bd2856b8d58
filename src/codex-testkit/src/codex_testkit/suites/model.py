"""Contract suite for model providers, to be subclassed.

A subclass defines the fixture ``provider_for``, a factory that is called with the rounds of a script
(:mod:`codex_responses.script.steps`) and returns a provider whose model plays them. Providers must be closed after the
test, and retry failures at least once.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import pytest

from codex_hookspecs.errors import ModelError
from codex_hookspecs.ports.models import ModelProvider
from codex_hookspecs.types.models import (
    Completed,
    ItemAdded,
    ItemDone,
    ModelEvent,
    ModelInfo,
    ModelRequest,
    Retrying,
    SummaryDelta,
    SummaryPartAdded,
    TextDelta,
)

ProviderFor = Callable[[list[list[dict[str, Any]]]], ModelProvider]

TEXT = "A sentence that is long enough to arrive in more than one piece. ö🎉"


def request_of(*items: dict[str, Any], **fields: Any) -> ModelRequest:
    """Return a request with the user message ``go``, followed by the items."""
    user = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "go"}]}
    return ModelRequest(thread_id="t1", turn_id="u1", model="m", instructions="Work.", input=(user, *items), **fields)


async def answer(provider: ModelProvider, request: ModelRequest | None = None) -> list[ModelEvent]:
    """Return all events of a request, within ten seconds."""
    async with asyncio.timeout(10):
        return [event async for event in provider.stream(request or request_of())]


class ModelProviderContract:
    """Stream an answer, retry, fail, let go."""

    pytestmark = pytest.mark.anyio

    @pytest.fixture
    def provider_for(self) -> ProviderFor:
        """Return the factory of the providers to test."""
        pytest.fail("a suite gives the providers it tests")

    async def test_it_has_a_name(self, provider_for: ProviderFor) -> None:
        assert provider_for([]).name

    async def test_a_stream_ends_after_the_response_is_complete(self, provider_for: ProviderFor) -> None:
        events = await answer(provider_for([[{"say": TEXT}]]))

        assert [isinstance(event, Completed) for event in events].index(True) == len(events) - 1

    async def test_usage_is_told(self, provider_for: ProviderFor) -> None:
        usage = {"input": 100, "cached": 40, "output": 10, "reasoning": 3}

        completed = (await answer(provider_for([[{"say": "x"}, {"usage": usage}]])))[-1]

        assert isinstance(completed, Completed)
        assert completed.usage is not None
        assert (completed.usage.input_tokens, completed.usage.cached_input_tokens) == (100, 40)
        assert (completed.usage.output_tokens, completed.usage.reasoning_output_tokens) == (10, 3)
        assert completed.usage.total_tokens == 110

    async def test_text_arrives_in_pieces_of_an_announced_item(self, provider_for: ProviderFor) -> None:
        events = await answer(provider_for([[{"say": TEXT}]]))

        added = next(event for event in events if isinstance(event, ItemAdded))
        deltas = [event for event in events if isinstance(event, TextDelta)]
        done = next(event for event in events if isinstance(event, ItemDone))
        assert events.index(added) < events.index(deltas[0]) < events.index(done)
        assert {event.item_id for event in deltas} == {added.item["id"]} == {done.item["id"]}
        assert "".join(event.delta for event in deltas) == done.item["content"][0]["text"] == TEXT

    async def test_reasoning_arrives_as_parts_of_a_summary(self, provider_for: ProviderFor) -> None:
        events = await answer(provider_for([[{"reason": TEXT}, {"say": "x"}]]))

        parts = [event for event in events if isinstance(event, SummaryPartAdded)]
        deltas = [event for event in events if isinstance(event, SummaryDelta)]
        assert [part.summary_index for part in parts] == [0]
        assert "".join(event.delta for event in deltas) == TEXT

    async def test_tool_calls_are_done_whole_and_in_order(self, provider_for: ProviderFor) -> None:
        steps = [{"sh": "ls", "call_id": "a"}, {"patch": "*** Begin Patch\n*** End Patch", "call_id": "b"}]

        events = await answer(provider_for([steps]))

        first, second = [event.item for event in events if isinstance(event, ItemDone)]
        assert (first["type"], first["call_id"], json.loads(first["arguments"])) == (
            "function_call",
            "a",
            {"cmd": "ls"},
        )
        assert (second["type"], second["call_id"]) == ("custom_tool_call", "b")
        assert second["input"].startswith("*** Begin Patch")

    async def test_one_request_follows_the_other(self, provider_for: ProviderFor) -> None:
        provider = provider_for([[{"sh": "ls"}], [{"say": "end"}]])

        call = next(event.item for event in await answer(provider) if isinstance(event, ItemDone))
        output = {"type": "function_call_output", "call_id": call["call_id"], "output": "a"}
        events = await answer(provider, request_of(call, output))

        assert [event.item["type"] for event in events if isinstance(event, ItemDone)] == ["message"]

    async def test_a_request_may_use_every_field(self, provider_for: ProviderFor) -> None:
        request = request_of(
            {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "Be kind."}]},
            tools=({"type": "function", "name": "f", "parameters": {"type": "object"}},),
            parallel_tool_calls=False,
            reasoning_effort="high",
            reasoning_summary="auto",
            verbosity="low",
            output_schema={"type": "object"},
            service_tier="flex",
            originator="kit",
            user_agent="kit/1 (test)",
            metadata={"turn_id": "u1"},
            turn_state={},
            subagent="review",
        )

        events = await answer(provider_for([[{"say": "x"}]]), request)

        assert isinstance(events[-1], Completed)

    async def test_a_broken_stream_is_announced_and_tried_again(self, provider_for: ProviderFor) -> None:
        cut: list[dict[str, Any]] = [{"say": "half"}, {"fail": {"cut": "before_completed"}}]

        events = await answer(provider_for([cut, [{"say": "whole"}]]))

        retrying = [event for event in events if isinstance(event, Retrying)]
        assert [type(event.info) for event in retrying] == [dict]
        assert retrying[0].message
        assert isinstance(events[-1], Completed)

    async def test_a_failure_for_good_is_a_model_error(self, provider_for: ProviderFor) -> None:
        provider = provider_for([[{"fail": {"code": "context_length_exceeded", "always": True}}]])

        with pytest.raises(ModelError) as error:
            await answer(provider)

        assert error.value.info == "contextWindowExceeded"
        assert str(error.value)

    async def test_a_provider_can_be_used_after_a_failure(self, provider_for: ProviderFor) -> None:
        provider = provider_for([[{"fail": 400}], [{"say": "x"}]])
        with pytest.raises(ModelError):
            await answer(provider)

        assert isinstance((await answer(provider))[-1], Completed)

    async def test_a_stream_can_be_closed_at_any_event(self, provider_for: ProviderFor) -> None:
        provider = provider_for([[{"say": TEXT}, {"fail": {"cut": "silence"}}], [{"say": "next"}]])

        async with asyncio.timeout(10), aclosing(provider.stream(request_of())) as stream:  # type: ignore[type-var]
            async for event in stream:
                if isinstance(event, TextDelta):
                    break

        assert isinstance((await answer(provider))[-1], Completed)

    async def test_waiting_for_an_event_can_be_cancelled(self, provider_for: ProviderFor) -> None:
        provider = provider_for([[{"say": "x"}, {"fail": {"cut": "silence"}}]])
        said = asyncio.Event()

        async def listen() -> None:
            async for event in provider.stream(request_of()):
                if isinstance(event, ItemDone):
                    said.set()

        task = asyncio.create_task(listen())
        await asyncio.wait_for(said.wait(), 10)
        task.cancel()
        done, _ = await asyncio.wait([task], timeout=5)

        assert done
        assert task.cancelled()

    async def test_closing_twice_is_fine(self, provider_for: ProviderFor) -> None:
        provider = provider_for([[{"say": "x"}]])
        await answer(provider)

        await provider.aclose()
        await provider.aclose()

    async def test_any_model_can_be_asked_about(self, provider_for: ProviderFor) -> None:
        provider = provider_for([])

        known = [provider.info(name) for name in ("gpt-5.3-codex", "llama", "a/b:c", "\ud800", "")]

        assert {type(info) for info in known} == {ModelInfo}
        assert provider.default_model is None or provider.default_model
