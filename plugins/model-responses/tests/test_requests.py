"""What goes over the wire, compared with what Codex 0.118.0 sent to the same server."""

from __future__ import annotations

import json

import pytest

from codex_hookspecs.errors import ConfigError
from codex_model_responses.encoded_input import EncodedInput
from codex_testkit.servers.responses import ResponsesServer

pytestmark = pytest.mark.anyio

SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}


async def sent(choose, listen, request, *, table=None, environ=None, server_headers=None):
    with ResponsesServer([[{"say": "ok"}]], headers=server_headers) as server:
        provider = choose("mock", {"base_url": server.url, **(table or {})}, environ=environ)
        await listen(provider, request)
        return server.requests[0]


async def test_the_headers_are_those_of_codex(choose, listen, ask) -> None:
    request = ask(
        metadata={"session_id": "thread-1", "turn_id": "turn-1", "sandbox": "seccomp"},
        user_agent="codex_exec/0.118.0 (Debian 12.0.0; x86_64) xterm (codex-exec; 0.118.0)",
        originator="codex_exec",
    )

    seen = await sent(choose, listen, request, table={"env_key": "MOCK_KEY"}, environ={"MOCK_KEY": "sk-mock"})

    assert list(seen.headers.items()) == [
        ("host", seen.headers["host"]),
        ("x-codex-turn-metadata", '{"session_id":"thread-1","turn_id":"turn-1","sandbox":"seccomp"}'),
        ("x-client-request-id", "thread-1"),
        ("session_id", "thread-1"),
        ("authorization", "Bearer sk-mock"),
        ("accept", "text/event-stream"),
        ("content-type", "application/json"),
        ("user-agent", "codex_exec/0.118.0 (Debian 12.0.0; x86_64) xterm (codex-exec; 0.118.0)"),
        ("originator", "codex_exec"),
        ("content-length", seen.headers["content-length"]),
    ]


async def test_a_plain_body_has_the_members_of_codex_in_their_order(choose, listen, ask) -> None:
    seen = await sent(choose, listen, ask(parallel_tool_calls=False))

    assert json.dumps(seen.body) == json.dumps(
        {
            "model": "gpt-5.2-codex",
            "instructions": "Be brief.",
            "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}],
            "tools": [],
            "tool_choice": "auto",
            "parallel_tool_calls": False,
            "reasoning": None,
            "store": False,
            "stream": True,
            "include": [],
            "prompt_cache_key": "thread-1",
        }
    )


async def test_everything_chosen_is_in_the_body_where_codex_has_it(choose, listen, ask) -> None:
    request = ask(
        reasoning_effort="high",
        reasoning_summary="detailed",
        verbosity="low",
        service_tier="fast",
        output_schema=SCHEMA,
    )

    seen = await sent(choose, listen, request)

    assert list(seen.body)[6:] == [
        "reasoning", "store", "stream", "include", "service_tier", "prompt_cache_key", "text",
    ]  # fmt: skip
    assert seen.body["reasoning"] == {"effort": "high", "summary": "detailed"}
    assert seen.body["include"] == ["reasoning.encrypted_content"]
    assert seen.body["service_tier"] == "priority"
    assert json.dumps(seen.body["text"]) == json.dumps(
        {
            "verbosity": "low",
            "format": {"type": "json_schema", "strict": True, "schema": SCHEMA, "name": "codex_output_schema"},
        }
    )


async def test_history_items_are_sent_as_codex_sends_them(choose, listen, ask) -> None:
    items = (
        {"type": "reasoning", "id": "rs_1", "summary": [], "content": None, "encrypted_content": "x"},
        {
            "type": "message",
            "id": "msg_1",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "a", "annotations": []}],
            "phase": "p",
        },
        {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": "{}", "namespace": "ns"},
        {"type": "custom_tool_call", "id": "fc_2", "status": "completed", "call_id": "c2", "name": "p", "input": "x"},
        {"type": "web_search_call", "id": "ws", "status": "completed", "action": {"type": "search", "query": "q"}},
        {"type": "function_call_output", "call_id": "c1", "output": "done"},
        {"type": "something_new", "id": "kept", "value": 1},
    )

    seen = await sent(choose, listen, ask(input=items))

    assert [json.dumps(item) for item in seen.body["input"]] == [
        '{"type": "reasoning", "summary": [], "content": null, "encrypted_content": "x"}',
        '{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "a"}], "phase": "p"}',
        '{"type": "function_call", "name": "f", "namespace": "ns", "arguments": "{}", "call_id": "c1"}',
        '{"type": "custom_tool_call", "status": "completed", "call_id": "c2", "name": "p", "input": "x"}',
        '{"type": "web_search_call", "status": "completed", "action": {"type": "search", "query": "q"}}',
        '{"type": "function_call_output", "call_id": "c1", "output": "done"}',
        '{"type": "something_new", "id": "kept", "value": 1}',
    ]


async def test_configured_headers_and_parameters_are_sent(choose, listen, ask) -> None:
    table = {
        "query_params": {"b": "2 x&", "a": "1"},
        "http_headers": {"X-One": "1", "Originator": "mine"},
        "env_http_headers": {"X-Two": "TWO", "X-Three": "UNSET", "X-Four": "BLANK"},
        "experimental_bearer_token": "tok",
    }

    seen = await sent(choose, listen, ask(), table=table, environ={"TWO": "2", "BLANK": " "})

    assert seen.path == "/v1/responses?b=2%20x%26&a=1"
    assert {name: seen.headers.get(name) for name in ("x-one", "x-two", "x-three", "x-four")} == {
        "x-one": "1", "x-two": "2", "x-three": None, "x-four": None,
    }  # fmt: skip
    assert seen.headers["authorization"] == "Bearer tok"
    assert seen.headers["originator"] == "mine"


async def test_the_kind_of_a_subagent_is_told(choose, listen, ask) -> None:
    seen = await sent(choose, listen, ask(subagent="collab_spawn"))

    assert seen.headers["x-openai-subagent"] == "collab_spawn"


async def test_text_outside_ascii_never_breaks_a_request(choose, listen, ask) -> None:
    message = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Grüße 🎉 \ud800"}]}
    request = ask(input=(message,), user_agent="tür/1", metadata={"session_id": "ö"})

    seen = await sent(choose, listen, request)

    assert seen.body["input"][0]["content"][0]["text"] == "Grüße 🎉 ?"
    assert seen.headers["user-agent"] == "t_r/1"
    assert seen.headers["x-codex-turn-metadata"] == '{"session_id":"\\u00f6"}'


async def test_turn_state_is_sent_back_for_the_rest_of_the_turn_only(choose, listen, ask) -> None:
    with ResponsesServer([[{"say": "1"}], [{"say": "2"}], [{"say": "3"}]]) as server:
        provider = choose("mock", {"base_url": server.url})
        state: dict[str, str] = {}
        server.headers["x-codex-turn-state"] = "first"
        await listen(provider, ask(turn_state=state))
        server.headers["x-codex-turn-state"] = "second"
        await listen(provider, ask(turn_state=state))
        await listen(provider, ask(turn_id="turn-2", turn_state={}))

        assert [turn.headers.get("x-codex-turn-state") for turn in server.turns] == [None, "first", None]


async def test_the_built_in_provider_says_its_version_and_organization(choose, listen, ask) -> None:
    with ResponsesServer([[{"say": "ok"}]]) as server:
        provider = choose(
            "openai",
            environ={"CODEX_API_KEY": "sk-api", "OPENAI_ORGANIZATION": "org1"},
            values={"openai_base_url": server.url},
        )
        await listen(provider, ask())

        headers = server.turns[0].headers
    assert (headers["version"], headers["openai-organization"]) == ("9.8.7", "org1")
    assert headers["authorization"] == "Bearer sk-api"


async def test_ten_megabytes_of_input_arrive(choose, listen, ask) -> None:
    text = "x" * 10_000_000
    message = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}

    seen = await sent(choose, listen, ask(input=(message,)))

    assert seen.body["input"][0]["content"][0]["text"] == text


async def test_a_host_and_a_user_agent_of_the_users_own_are_sent_once(choose, ask, raw) -> None:
    heads: list[str] = []

    async def talk(reader, writer) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        await reader.readexactly(int(head.lower().split("content-length: ")[1].split("\r\n")[0]))
        heads.append(head)
        writer.write(raw.answer(raw.completed))

    table = {"http_headers": {"Host": "elsewhere.example", "User-Agent": "mine/1", "X-Name": "é"}}
    async with raw.listening(talk) as port:
        provider = choose("mock", {"base_url": f"http://127.0.0.1:{port}/v1", **table})
        assert [event async for event in provider.stream(ask(user_agent="ours/1"))]

    lines = heads[0].strip().split("\r\n")
    assert lines[1] == "host: elsewhere.example"
    names = [line.split(":")[0] for line in lines[1:]]
    assert len(names) == len(set(names))
    assert {"user-agent: mine/1", "x-name: é"} <= set(lines)


async def test_what_a_variable_holds_that_is_no_header_is_refused_without_showing_it(choose) -> None:
    with pytest.raises(ConfigError, match=r'env_http_headers is invalid at "X-Key"') as error:
        choose("mock", {"base_url": "http://h/v1", "env_http_headers": {"X-Key": "K"}}, environ={"K": "top\nsecret"})

    assert "secret" not in str(error.value)


async def test_what_was_sent_before_is_not_encoded_again(ask) -> None:
    encoded: list[str] = []

    def encode(item) -> bytes:
        encoded.append(item["call_id"])
        return json.dumps(item).encode()

    items = [{"type": "function_call_output", "call_id": str(number), "output": "x"} for number in range(50)]
    other = {"type": "function_call_output", "call_id": "other", "output": "y"}
    sent = EncodedInput(encode)

    for count in range(len(items) + 1):
        assert json.loads(sent.to_json_array(items[:count])) == items[:count]
    assert encoded == [str(number) for number in range(50)]
    for changed in ([*items[:20], other, *items[21:]], [other], [], items):
        assert json.loads(sent.to_json_array(changed)) == changed


async def test_every_request_of_a_thread_has_the_whole_conversation(choose, listen, ask) -> None:
    items = [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": str(n)}]} for n in range(9)]
    with ResponsesServer([[{"say": "ok"}] for _ in range(9)]) as server:
        provider = choose("mock", {"base_url": server.url})
        for count in (1, 4, 9, 2):
            await listen(provider, ask(input=tuple(items[:count])))

        assert [turn.body["input"] for turn in server.turns] == [items[:count] for count in (1, 4, 9, 2)]
