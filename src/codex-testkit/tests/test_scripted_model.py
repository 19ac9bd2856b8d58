"""The model of the test kit."""

from __future__ import annotations

import pytest

from codex_hookspecs.errors import ConfigError, ModelError
from codex_hookspecs.types.models import ItemDone, ModelRequest, Retrying
from codex_responses.script.steps import script_from
from codex_testkit import ScriptedModel
from codex_testkit.suites.model import ModelProviderContract

pytestmark = pytest.mark.anyio


def asked(*items, thread: str = "t") -> ModelRequest:
    user = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "go"}]}
    return ModelRequest(thread_id=thread, turn_id="u", model="m", instructions="", input=(user, *items))


async def answers(model: ScriptedModel, request: ModelRequest) -> list[dict]:
    return [event.item async for event in model.stream(request) if isinstance(event, ItemDone)]


async def test_each_text_is_one_answer_then_it_is_done() -> None:
    model = ScriptedModel("one", "two")

    said = [(await answers(model, asked()))[0]["content"][0]["text"] for _ in range(3)]

    assert said == ["one", "two", "done"]


async def test_steps_and_texts_mix_and_a_whole_script_plays_too() -> None:
    mixed = ScriptedModel([{"sh": "ls"}], "end")
    script = ScriptedModel(script_from([[{"call": "roll", "args": {"n": 1}}]]))

    assert (await answers(mixed, asked()))[0]["name"] == "exec_command"
    assert (await answers(mixed, asked()))[0]["type"] == "message"
    assert (await answers(script, asked()))[0]["arguments"] == '{"n": 1}'


async def test_it_begins_with_its_first_round_whatever_the_history_holds() -> None:
    earlier = {"type": "message", "id": "msg_4_0", "role": "assistant", "content": []}

    item = (await answers(ScriptedModel("first"), asked(earlier)))[0]

    assert item["content"][0]["text"] == "first"
    assert item["id"] == "msg_5_0"


async def test_requests_are_kept_with_questions_about_them() -> None:
    model = ScriptedModel("a", "b")
    await answers(model, asked())
    await answers(model, asked({"type": "function_call_output", "call_id": "c1", "output": "42"}))

    assert [request.turn_id for request in model.requests] == ["u", "u"]
    assert model.told() == ["go"]
    assert model.output("c1") == "42"
    with pytest.raises(LookupError):
        model.output("c1", request=0)


async def test_failures_are_played_without_waiting() -> None:
    model = ScriptedModel([{"fail": {"cut": "abrupt"}}], [{"fail": 500}], "fine", [{"fail": 400}])

    events = [event async for event in model.stream(asked())]

    assert [type(event).__name__ for event in events if isinstance(event, Retrying)] == ["Retrying"]
    with pytest.raises(ModelError):
        await answers(model, asked())
    assert len(model.requests) == 2


async def test_a_wrong_step_is_refused_at_once() -> None:
    with pytest.raises(ConfigError, match="round 1, step 1"):
        ScriptedModel([{"sing": "la"}])


async def test_the_end_of_each_thread_is_counted() -> None:
    model = ScriptedModel(name="echo")

    await model.aclose()

    assert (model.name, model.closed) == ("echo", 1)


class TestScriptedModel(ModelProviderContract):
    @pytest.fixture
    def provider_for(self):
        return lambda rounds: ScriptedModel(*rounds)
