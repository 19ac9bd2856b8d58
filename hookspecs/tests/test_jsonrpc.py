"""The JSON-RPC session: messages in, events out, nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex_hookspecs.errors import RpcError
from codex_hookspecs.jsonrpc import (
    ABSENT,
    LineFramer,
    Malformed,
    Notification,
    Request,
    Response,
    RpcSession,
    UnknownResponse,
    dump,
)


def test_a_request_keeps_its_id_in_kind() -> None:
    session = RpcSession()

    assert session.receive('{"method":"a","id":1,"params":{"x":1}}') == Request(1, "a", params={"x": 1})
    assert session.receive(b'{"jsonrpc":"2.0","method":"a","id":"one"}') == Request("one", "a", params=ABSENT)


def test_null_parameters_are_not_absent_ones() -> None:
    assert RpcSession().receive('{"method":"a","id":1,"params":null}') == Request(1, "a", params=None)


def test_a_message_without_an_id_is_a_notification() -> None:
    assert RpcSession().receive('{"method":"initialized"}') == Notification("initialized")


@pytest.mark.parametrize(
    "text",
    ["no json", "", "[]", "[1]", "1", '{"foo":1}', '{"method":"a","id":null}', '{"method":"a","id":1.5}',
     '{"method":"a","id":true}', '{"method":5,"id":1}', '{"id":1}', b"\xff", "[" * 100_000],
)  # fmt: skip
def test_what_is_no_message_is_malformed_and_breaks_nothing(text: str | bytes) -> None:
    session = RpcSession()

    assert isinstance(session.receive(text), Malformed)
    assert session.receive('{"method":"a"}') == Notification("a")


def test_half_a_character_is_malformed_and_a_whole_one_is_not() -> None:
    session = RpcSession()

    assert isinstance(session.receive(rb'{"method":"a","params":"\ud83d"}'), Malformed)
    assert isinstance(session.receive(r'{"method":"a","params":"\uDE00"}'), Malformed)
    assert session.receive(rb'{"method":"a","params":"\ud83d\ude00"}') == Notification("a", "😀")


def test_a_message_that_is_too_long_is_not_even_read() -> None:
    event = RpcSession(max_message=10).receive('{"method":"abc"}')

    assert event == Malformed("a message of 16 bytes, allowed are 10")


def test_an_answer_belongs_to_its_question_and_comes_once() -> None:
    session = RpcSession()
    first, message = session.request("ask", {"a": 1})

    assert message == {"method": "ask", "id": 0, "params": {"a": 1}}
    assert session.receive_value({"id": first, "result": {"ok": True}}) == Response(0, {"ok": True})
    assert session.receive_value({"id": first, "result": {}}) == UnknownResponse(0)


def test_an_error_answer_carries_code_message_and_data() -> None:
    session = RpcSession()
    number, _ = session.request("ask")

    event = session.receive_value({"id": number, "error": {"code": -1, "message": "no", "data": [1]}})

    assert isinstance(event, Response)
    assert event.error is not None
    assert (event.error.code, event.error.message, event.error.data) == (-1, "no", [1])


@pytest.mark.parametrize("error", ["text", {}, {"code": "x", "message": None}])
def test_an_odd_error_answer_still_is_a_refusal(error: Any) -> None:
    session = RpcSession()
    number, _ = session.request("ask")

    event = session.receive_value({"id": number, "error": error})

    assert isinstance(event, Response)
    assert isinstance(event.error, RpcError)


def test_a_forgotten_question_takes_no_answer() -> None:
    session = RpcSession()
    number, _ = session.request("ask")
    session.forget(number)

    assert session.receive_value({"id": number, "result": 1}) == UnknownResponse(0)


def test_answers_are_written_without_a_version_member() -> None:
    session = RpcSession()

    assert session.answer("a", {}) == {"id": "a", "result": {}}
    assert session.refuse(1, RpcError("no", code=-5)) == {"error": {"code": -5, "message": "no"}, "id": 1}
    assert session.refuse(1, RpcError("no", data=0))["error"]["data"] == 0
    assert session.notify("told", {"a": None}) == {"method": "told", "params": {"a": None}}
    assert session.notify("told") == {"method": "told"}


def test_messages_are_compact_utf8_even_with_broken_characters() -> None:
    assert dump({"a": "ü\ud800"}) == '{"a":"ü?"}'.encode()


@given(st.binary(max_size=60) | st.from_regex(r'\{"(method|id|result|error|params)":[^}]{0,9}\}').map(str.encode))
def test_nothing_that_comes_in_raises(data: bytes) -> None:
    assert RpcSession().receive(data) is not None


@given(st.lists(st.binary(max_size=9)), st.data())
def test_lines_do_not_depend_on_how_the_bytes_came(parts: list[bytes], data: st.DataObject) -> None:
    whole = b"\n".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)))))
    framer, at_once = LineFramer(), LineFramer()

    pieces = [whole[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    lines = [line for piece in pieces for line in framer.feed(piece)]

    assert [*lines, *framer.finish()] == [*at_once.feed(whole), *at_once.finish()]


def test_lines_are_cut_wherever_the_bytes_were_cut() -> None:
    framer = LineFramer()

    assert list(framer.feed(b'{"a"')) == []
    assert list(framer.feed(b":1}\n\n{}\nre")) == [b'{"a":1}', b"{}"]
    assert list(framer.finish()) == [b"re"]


def test_a_line_that_is_too_long_is_dropped_and_the_next_one_read() -> None:
    framer = LineFramer(max_message=4)

    assert list(framer.feed(b"123")) == []
    assert list(framer.feed(b"456")) == []
    assert list(framer.feed(b"7\nab\n")) == [b"ab"]
    assert framer.dropped == 1
