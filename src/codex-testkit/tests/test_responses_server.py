from __future__ import annotations

import http.client
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from codex_testkit.memory._model_input import mock_script, texts, tool_output
from codex_testkit.servers.responses import ResponsesServer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def server() -> Iterator[ResponsesServer]:
    with ResponsesServer() as running:
        yield running


def user(text: str) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


def ask(
    server: ResponsesServer, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=5)
    connection.request(method, f"/v1{path}", None if body is None else json.dumps(body), headers or {})
    response = connection.getresponse()
    try:
        data = response.read()
    except http.client.IncompleteRead as error:
        data = error.partial + b"(broken)"
    finally:
        connection.close()
    return response.status, {name.lower(): value for name, value in response.getheaders()}, data


def respond(server: ResponsesServer, *items: dict[str, Any], key: str = "thread") -> list[dict[str, Any]]:
    _status, _headers, data = ask(server, "POST", "/responses", {"input": list(items), "prompt_cache_key": key})
    return [json.loads(line[6:]) for line in data.decode().splitlines() if line.startswith("data: ")]


def said(events: list[dict[str, Any]]) -> str:
    return str(events[-1]["response"]["output"][0]["content"][0]["text"])


def test_without_a_script_the_last_user_message_is_repeated(server: ResponsesServer) -> None:
    assert said(respond(server, user("first"), user("hello there"))) == "mock: hello there"


def test_a_script_answers_request_after_request(server: ResponsesServer) -> None:
    server.play([[{"say": "one"}], [{"say": "two"}]])

    assert [said(respond(server, user("go"))) for _ in range(3)] == ["one", "two", "done"]


def test_a_user_message_can_be_a_script_that_counts_from_itself(server: ResponsesServer) -> None:
    first = user('MOCK:[[{"say": "a"}], [{"say": "b"}]]')
    second = user('MOCK: [[{"say": "c"}]]\n\n<stdin>\nmore\n</stdin>')

    answers = [said(respond(server, *items)) for items in [(first,), (first, user("on")), (first, second)]]

    assert answers == ["a", "b", "c"]


def test_two_threads_play_the_same_user_script_each_from_its_start(server: ResponsesServer) -> None:
    script = user('MOCK:[[{"say": "a"}], [{"say": "b"}]]')

    assert [said(respond(server, script, key=key)) for key in ("one", "two", "one")] == ["a", "a", "b"]


def test_items_of_one_thread_never_share_an_id(server: ResponsesServer) -> None:
    ids = [respond(server, user('MOCK:[[{"say": "a"}]]'))[-1]["response"]["output"][0]["id"] for _ in range(3)]

    assert len(set(ids)) == 3


def test_a_user_script_with_a_mistake_is_a_400_that_names_it(server: ResponsesServer) -> None:
    status, _headers, data = ask(server, "POST", "/responses", {"input": [user('MOCK:[[{"speak": "a"}]]')]})

    assert status == 400
    assert "speak" in json.loads(data)["error"]["message"]


def test_requests_are_recorded_with_headers_and_body(server: ResponsesServer) -> None:
    ask(server, "POST", "/responses", {"input": [], "model": "m"}, {"Session_Id": "t"})

    [request] = server.wait_for_turns(1)
    assert (request.method, request.path, request.headers["session_id"]) == ("POST", "/v1/responses", "t")
    assert request.body["model"] == "m"


def test_waiting_for_requests_that_do_not_come_ends(server: ResponsesServer) -> None:
    with pytest.raises(TimeoutError, match="0 of 1"):
        server.wait_for_turns(1, timeout=0.01)


def test_an_http_failure_has_its_status_headers_and_body(server: ResponsesServer) -> None:
    server.play([[{"fail": {"status": 429, "retry_after": 1, "message": "slow"}}]])

    status, headers, data = ask(server, "POST", "/responses", {"input": []})

    assert (status, headers["retry-after"]) == (429, "1")
    assert json.loads(data)["error"]["message"] == "slow"


@pytest.mark.parametrize(("how", "broken"), [("before_completed", False), ("abrupt", True)])
def test_a_cut_stream_ends_without_completed(server: ResponsesServer, how: str, broken: bool) -> None:
    server.play([[{"say": "part"}, {"fail": {"cut": how}}]])

    _status, _headers, data = ask(server, "POST", "/responses", {"input": []})

    assert b"response.output_item.done" in data
    assert b"response.completed" not in data
    assert data.endswith(b"(broken)") is broken


def test_a_silent_stream_ends_when_the_server_closes() -> None:
    server = ResponsesServer([[{"fail": {"cut": "silence"}}]])
    with server:
        connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=5)
        connection.request("POST", "/v1/responses", '{"input": []}')
        response = connection.getresponse()
        first = response.readline()
    with pytest.raises(http.client.IncompleteRead):
        response.read()
    connection.close()

    assert first.startswith(b"event: response.created")


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/models", {}, 200),
        ("GET", "/models?client_version=1", {}, 200),
        ("GET", "/responses", {"upgrade": "websocket", "connection": "upgrade"}, 426),
        ("GET", "/nowhere", {}, 404),
        ("POST", "/nowhere", {}, 404),
        ("POST", "/responses", {}, 400),
    ],
)
def test_other_requests_are_answered_as_a_plain_server_does(
    server: ResponsesServer, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    found, _headers, _data = ask(server, method, path, None, headers)

    assert found == status


def test_one_connection_serves_request_after_request(server: ResponsesServer) -> None:
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=5)
    for _ in range(3):
        connection.request("POST", "/v1/responses", '{"input": []}')
        assert b"response.completed" in connection.getresponse().read()
    connection.close()


@pytest.mark.anyio
async def test_it_opens_in_async_code_as_well() -> None:
    async with ResponsesServer([[{"say": "hi"}]]) as server:
        assert said(respond(server, user("go"))) == "hi"


def test_model_input_gives_texts_by_role_and_outputs_by_call() -> None:
    items = [
        {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "be kind"}]},
        user("hi"),
        {"type": "function_call_output", "call_id": "c", "output": "plain"},
        {"type": "function_call_output", "call_id": "d", "output": [{"type": "input_text", "text": "parts"}]},
    ]

    assert texts(items, "developer") == ["be kind"]
    assert (tool_output(items, "c"), tool_output(items, "d")) == ("plain", "parts")
    assert mock_script(items) is None
    with pytest.raises(LookupError, match="'e'"):
        tool_output(items, "e")
