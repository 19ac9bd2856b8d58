"""What counts as a message, and what it is refused with otherwise."""

from __future__ import annotations

import base64
import json

import pytest

from codex_exec_server.messages import (
    InvalidMessage,
    Notification,
    Request,
    UnexpectedResponse,
    encode_process_event,
    parse,
)
from codex_hookspecs.environments import OutputChunk, ProcessClosed, ProcessExited


@pytest.mark.parametrize("number", [0, -5, 2**63 - 1, "a", ""])
def test_ids_are_whole_numbers_of_64_bits_or_texts(number: object) -> None:
    assert parse(json.dumps({"id": number, "method": "m"}).encode()) == Request(number, "m", None)


@pytest.mark.parametrize("number", [None, 1.5, True, {}, [], 2**63, 10**30])
def test_other_ids_are_refused(number: object) -> None:
    found = parse(json.dumps({"id": number, "method": "m"}).encode())

    assert found == InvalidMessage("data did not match any variant of untagged enum RequestId")


def test_a_message_without_id_is_a_notification() -> None:
    assert parse(b'{"method":"initialized","params":{}}') == Notification("initialized")


@pytest.mark.parametrize("text", ['{"id":1,"result":null}', '{"id":"a","error":{"code":1,"message":"x"}}'])
def test_responses_are_recognized(text: str) -> None:
    assert parse(text.encode()) == UnexpectedResponse()


@pytest.mark.parametrize(
    "text",
    [
        "garbage",
        "[]",
        "5",
        "{}",
        '{"id":1}',
        '{"method":5}',
        "[" * 100000,
        '{"id":1,"id":2,"method":"m"}',
        "",
        " ",
        '{"id":1,"method":"m"} x',
        '{"id":1,"method":"m","params":NaN}',
        '{"id":1,"method":"\\ud800"}',
        '{"result":{}}',
    ],
)
def test_invalid_messages_are_recognized(text: str) -> None:
    assert isinstance(parse(text.encode()), InvalidMessage)


def test_bytes_that_are_not_utf_8_are_an_invalid_message() -> None:
    assert isinstance(parse(b"\xff\xfe\x00"), InvalidMessage)


@pytest.mark.parametrize(
    ("event", "method", "params"),
    [
        (OutputChunk(3, "pty", data=b"\x00\xff"), "process/output", {"seq": 3, "stream": "pty", "chunk": "AP8="}),
        (ProcessExited(4, 137), "process/exited", {"seq": 4, "exitCode": 137, "sandboxDenied": False}),
        (ProcessClosed(5), "process/closed", {"seq": 5}),
    ],
)
def test_events_become_notifications(event, method: str, params: dict) -> None:
    found = json.loads(encode_process_event(json.dumps('a "b"'), event))

    assert found == {"method": method, "params": {"processId": 'a "b"', **params}}


LONG = base64.b64encode(bytes(range(256)) * 200).decode()


@pytest.mark.parametrize("name", ["chunk", "dataBase64", "bodyBase64"])
@pytest.mark.parametrize("separators", [(",", ":"), (" ,\n", "\t: ")])
def test_long_base64_is_decoded_at_once(name: str, separators: tuple[str, str]) -> None:
    params = {"handleId": "h", name: LONG, "offset": 5}
    text = json.dumps({"id": 1, "method": "m", "params": params}, separators=separators)

    assert parse(text.encode()) == Request(1, "m", {**params, name: bytes(range(256)) * 200})


@pytest.mark.parametrize(
    "params",
    [
        {"chunk": LONG[:-1] + "!"},
        {"chunk": LONG, "path": "a\\b"},
        {"path": LONG},
        {"sandbox": {"chunk": LONG}},
        {"chunk": "", "sandbox": {"chunk": LONG}},
        [{"chunk": LONG}],
        {"chunk": LONG, "dataBase64": "ü"},
        LONG,
    ],
)
def test_other_long_documents_are_taken_as_they_are(params: object) -> None:
    call = {"id": 1, "method": "m", "params": params}
    expected = json.loads(json.dumps(call))
    if isinstance(params, dict) and "dataBase64" in params:
        expected["params"]["chunk"] = base64.b64decode(LONG)

    found = parse(json.dumps(call, ensure_ascii=False).encode())

    assert found == Request(1, "m", expected["params"])


@pytest.mark.parametrize(
    "text",
    [
        '{"id":1,"method":"m","params":{"chunk":"LONG","chunk":"LONG"}}',
        '{"id":1,"method":"m","params":{"chunk":"LONG}}',
        '{"id":1,"method":"m","params":{"chunk":"LONG\n"}}',
        '{"id":1,"method":"m","params":{"chunk" "LONG"}}',
        '{"id":1,"method":"m","params":{"chunk":"LONG"}',
        '{"id":1,"method":"m","params":{"chunk":"LONG"x}}',
    ],
)
def test_long_invalid_documents_are_recognized(text: str) -> None:
    assert isinstance(parse(text.replace("LONG", LONG).encode()), InvalidMessage)
