"""The offline model: its script, its place in it, its failures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from codex_hookspecs.errors import ConfigError, ModelError
from codex_hookspecs.models import Completed, ItemDone, ModelRequest, Retrying, TextDelta
from codex_model_scripted.plugin import model_provider

pytestmark = pytest.mark.anyio


class Program:
    """What the plugin asks of the running program."""

    def __init__(self, environ: dict[str, str], origin: str | None) -> None:
        self.environ = environ
        self.config = self
        self._origin = origin

    def origin(self, key: str) -> str | None:
        return self._origin


@pytest.fixture
def script(tmp_path: Path):
    """Write a script and give its path."""

    def write(rounds: Any, name: str = "script.json") -> str:
        path = tmp_path / name
        path.write_text(rounds if isinstance(rounds, str) else json.dumps(rounds))
        return str(path)

    return write


def choose(table: dict[str, Any] | None = None, *, environ: dict[str, str] | None = None, origin: str | None = None):
    return model_provider("scripted", table or {}, Program(environ or {}, origin))


def asked(*items: dict[str, Any]) -> ModelRequest:
    user = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "go"}]}
    return ModelRequest(thread_id="t", turn_id="u", model="m", instructions="", input=(user, *items))


async def played(provider, *items: dict[str, Any]) -> list[Any]:
    return [event async for event in provider.stream(asked(*items))]


def said(events: list[Any]) -> list[str]:
    return [event.item["content"][0]["text"] for event in events if isinstance(event, ItemDone)]


def without_id(item: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in item.items() if key != "id"}


async def test_each_request_plays_the_next_round(script) -> None:
    provider = choose({"script": script([[{"say": "one"}], [{"say": "two"}]])})

    assert [said(await played(provider)) for _ in range(3)] == [["one"], ["two"], ["done"]]


async def test_text_streams_in_pieces_and_the_response_completes(script) -> None:
    events = await played(choose({"script": script([[{"say": "a sentence of some length"}]])}))

    assert "".join(event.delta for event in events if isinstance(event, TextDelta)) == "a sentence of some length"
    assert len([event for event in events if isinstance(event, TextDelta)]) > 1
    assert isinstance(events[-1], Completed)


async def test_the_environment_names_the_script(script) -> None:
    provider = choose(environ={"CODEX_MODEL_SCRIPT": script([[{"say": "from there"}]])})

    assert said(await played(provider)) == ["from there"]


async def test_the_configuration_comes_before_the_environment(script) -> None:
    provider = choose(
        {"script": script([[{"say": "file"}]])}, environ={"CODEX_MODEL_SCRIPT": script([[{"say": "env"}]], "e.json")}
    )

    assert said(await played(provider)) == ["file"]


async def test_a_relative_path_starts_at_the_file_that_has_it(script, tmp_path) -> None:
    script([[{"say": "beside"}]], "beside.json")

    provider = choose({"script": "beside.json"}, origin=str(tmp_path / "config.toml"))

    assert said(await played(provider)) == ["beside"]


async def test_a_relative_path_on_the_command_line_starts_at_the_working_directory(
    script, tmp_path, monkeypatch
) -> None:
    script([[{"say": "here"}]], "here.json")
    monkeypatch.chdir(tmp_path)

    provider = choose({"script": "here.json"}, origin="command line")

    assert said(await played(provider)) == ["here"]


async def test_without_a_script_the_model_says_what_it_is_every_time() -> None:
    provider = choose()

    first, second = said(await played(provider)), said(await played(provider))

    assert first == second
    for way in ("offline model", "script =", "CODEX_MODEL_SCRIPT", "OPENAI_API_KEY", "model_provider"):
        assert way in first[0]


@pytest.mark.parametrize("keep_ids", [True, False])
async def test_another_process_goes_on_where_the_history_ends(keep_ids, script) -> None:
    path = script([[{"reason": "hm"}, {"say": "look"}, {"sh": "ls"}], [{"say": "two"}], [{"say": "three"}]])
    first = choose({"script": path})
    items = [event.item for event in await played(first) if isinstance(event, ItemDone)]
    items.append({"type": "function_call_output", "call_id": "call_0_2", "output": "a"})
    items += [event.item for event in await played(first, *items) if isinstance(event, ItemDone)]
    items.append({"type": "message", "role": "user", "content": [{"type": "input_text", "text": "more"}]})

    events = await played(choose({"script": path}), *(items if keep_ids else map(without_id, items)))

    assert said(events) == ["three"]


async def test_calls_whose_outputs_came_between_count_as_one_round(script) -> None:
    path = script([[{"sh": "a"}, {"sh": "b"}], [{"say": "two"}]])
    calls = [event.item for event in await played(choose({"script": path})) if isinstance(event, ItemDone)]
    outputs = [{"type": "function_call_output", "call_id": call["call_id"], "output": ""} for call in calls]

    events = await played(choose({"script": path}), calls[0], outputs[0], calls[1], outputs[1])

    assert said(events) == ["two"]


async def test_the_session_of_the_last_output_is_filled_in(script) -> None:
    provider = choose({"script": script([[{"stdin": {"session_id": "$SESSION", "chars": "x"}}]])})
    output = {"type": "function_call_output", "call_id": "c", "output": "Process running with session ID 42"}

    events = await played(provider, output)

    assert json.loads(events[-2].item["arguments"]) == {"session_id": 42, "chars": "x"}


async def test_a_broken_stream_is_announced_and_tried_again(script) -> None:
    cut = [{"say": "half"}, {"fail": {"cut": "before_completed"}}]
    provider = choose({"script": script([cut, [{"say": "whole"}]])})

    events = await played(provider)

    assert said(events) == ["half", "whole"]
    assert [event for event in events if isinstance(event, Retrying)] == [
        Retrying(
            message="Reconnecting... 1/5",
            info={"responseStreamDisconnected": {"httpStatusCode": None}},
            details="stream disconnected before completion: stream closed before response.completed",
        )
    ]


async def test_a_server_error_is_tried_again_silently(script) -> None:
    events = await played(choose({"script": script([[{"fail": 503}], [{"say": "ok"}]])}))

    assert said(events) == ["ok"]
    assert not any(isinstance(event, Retrying) for event in events)


@pytest.mark.parametrize(
    ("failure", "message", "info"),
    [
        ({"code": "context_length_exceeded"}, "Codex ran out of room", "contextWindowExceeded"),
        ({"status": 429, "type": "usage_limit_reached"}, "You've hit your usage limit.", "usageLimitExceeded"),
        ({"status": 404, "message": "none"}, "unexpected status 404 Not Found: none, url: scripted", "other"),
        ({"cut": "abrupt"}, "stream disconnected before completion: Transport error", "other"),
        ({"cut": "silence"}, "stream disconnected before completion: idle timeout waiting for SSE", "other"),
    ],
)
async def test_a_failure_that_stays_ends_the_request(failure, message, info, script) -> None:
    path = script([[{"fail": {**failure, "always": True}}]])
    provider = choose({"script": path, "stream_max_retries": 0, "stream_idle_timeout_ms": 10})

    with pytest.raises(ModelError) as error:
        await played(provider)

    assert str(error.value).startswith(message)
    assert error.value.info == info


async def test_after_a_failed_turn_the_next_one_goes_on_in_the_script(script) -> None:
    provider = choose({"script": script([[{"fail": 400}], [{"say": "better"}]])})
    with pytest.raises(ModelError):
        await played(provider)

    assert said(await played(provider)) == ["better"]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"scrypt": "x"}, "model_providers.scripted.scrypt is unknown, allowed are name, script, "),
        ({"script": 7}, "model_providers.scripted.script is 7, allowed is the path of a script"),
        ({"script": ""}, "model_providers.scripted.script is '', allowed is the path of a script"),
        ({"stream_max_retries": "x"}, "model_providers.scripted.stream_max_retries is 'x', allowed is a whole number"),
        (
            {"script": "/missing.json"},
            "model_providers.scripted.script names /missing.json, which can't be read",
        ),
        ({"script": "/"}, "model_providers.scripted.script names /, which can't be read: Is a directory"),
        ({"script": "a\0b"}, "model_providers.scripted.script names a\0b, which can't be read: embedded null byte"),
        ({"script": "~no.such.user/x"}, "model_providers.scripted.script names ~no.such.user/x, which can't be read"),
    ],
)
def test_what_is_wrong_with_the_table_is_said_with_its_key(table, message) -> None:
    with pytest.raises(ConfigError) as error:
        choose(table, origin="command line")

    assert error.value.message.startswith(message)
    assert error.value.source == "command line"


@pytest.mark.parametrize("text", ["{", "[[{}]]", '[[{"say": 1}]]', "\ud800".encode("utf-8", "surrogatepass")])
def test_a_bad_script_is_named(text, script, tmp_path) -> None:
    path = tmp_path / "script.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())

    with pytest.raises(ConfigError) as error:
        choose({"script": str(path)})

    assert error.value.source == str(path)


def test_other_names_are_left_to_other_plugins() -> None:
    assert model_provider("openai", {}, Program({}, None)) is None
