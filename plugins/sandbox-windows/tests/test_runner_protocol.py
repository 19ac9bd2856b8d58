"""Frames and messages have the format of Codex's runner, and invalid ones are refused."""

from __future__ import annotations

import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex_sandbox_windows.frames import MAX_FRAME_BYTES, FrameError, FrameReader, encode_frame
from codex_sandbox_windows.messages import (
    CloseStdin,
    Exit,
    Failure,
    MessageError,
    Output,
    Resize,
    SpawnReady,
    SpawnRequest,
    Stdin,
    Terminate,
    decode_message,
    encode_message,
)

REQUEST = SpawnRequest(
    command=("cmd", "/c", "dir"),
    cwd=r"C:\w",
    env={"A": "ü"},
    policy="read-only",
    sandbox_policy_cwd=r"C:\w",
    codex_home="h",
    real_codex_home="r",
    cap_sids=("S-1-5-21-1",),
    timeout_ms=5,
    tty=True,
)


@pytest.mark.parametrize(
    ("message", "document"),
    [
        (SpawnReady(7), {"type": "spawn_ready", "payload": {"process_id": 7}}),
        (Output(b"a\xff", "stderr"), {"type": "output", "payload": {"data_b64": "Yf8=", "stream": "stderr"}}),
        (Stdin(b"x"), {"type": "stdin", "payload": {"data_b64": "eA=="}}),
        (CloseStdin(), {"type": "close_stdin", "payload": {}}),
        (Resize(3, 4), {"type": "resize", "payload": {"rows": 3, "cols": 4}}),
        (Terminate(), {"type": "terminate", "payload": {}}),
        (Exit(-1, True), {"type": "exit", "payload": {"exit_code": -1, "timed_out": True}}),
        (Failure("no", "spawn_failed"), {"type": "error", "payload": {"message": "no", "code": "spawn_failed"}}),
    ],
)
def test_a_message_has_version_type_and_payload(message, document: dict) -> None:
    assert json.loads(encode_message(message)) == {"version": 1, **document}
    assert decode_message(encode_message(message)) == message


def test_a_spawn_request_has_all_its_members() -> None:
    payload = json.loads(encode_message(REQUEST))["payload"]

    assert payload == {
        "command": ["cmd", "/c", "dir"],
        "cwd": r"C:\w",
        "env": {"A": "ü"},
        "policy_json_or_preset": "read-only",
        "sandbox_policy_cwd": r"C:\w",
        "codex_home": "h",
        "real_codex_home": "r",
        "cap_sids": ["S-1-5-21-1"],
        "timeout_ms": 5,
        "tty": True,
        "real_user_sid": None,
        "stdin_open": False,
        "use_private_desktop": False,
    }
    assert decode_message(encode_message(REQUEST)) == REQUEST


def test_newer_members_are_optional() -> None:
    document = json.loads(encode_message(REQUEST))
    for name in ("real_user_sid", "stdin_open", "use_private_desktop"):
        del document["payload"][name]

    assert decode_message(json.dumps(document).encode()) == REQUEST


def test_a_message_of_an_unknown_type_is_ignored() -> None:
    assert decode_message(b'{"version":1,"type":"later","payload":{}}') is None


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "not an object"),
        (b'{"version":2,"type":"terminate","payload":{}}', "unsupported protocol version 2, expected 1"),
        (b'{"type":"terminate"}', "version None"),
        (b'{"version":1,"payload":{}}', "needs a type"),
        (b'{"version":1,"type":"stdin","payload":[]}', "payload"),
        (b'{"version":1,"type":"stdin","payload":{}}', "lacks a member"),
        (b'{"version":1,"type":"stdin","payload":{"data_b64":"%"}}', "not base64"),
        (b'{"version":1,"type":"stdin","payload":{"data_b64":1}}', "not base64"),
        (b'{"version":1,"type":"exit","payload":{"exit_code":"1"}}', "expected int"),
        (b'{"version":1,"type":"output","payload":{"data_b64":"","stream":"x"}}', "expected stdout or stderr"),
        (
            b'{"version":1,"type":"resize","payload":{"rows":-1,"cols":80}}',
            "rows of resize is -1, allowed are 0 to 32767",
        ),
        (b'{"version":1,"type":"resize","payload":{"rows":1,"cols":40000}}', "cols of resize is 40000"),
        (b'{"version":1,"type":"spawn_ready","payload":{"process_id":4294967296}}', "process_id of spawn_ready"),
        (b'{"version":1,"type":"resize","payload":{"rows":true,"cols":80}}', "rows of resize is True, expected int"),
    ],
)
def test_an_invalid_message_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(MessageError, match=reason):
        decode_message(data)


@pytest.mark.parametrize("timeout", [-1, 2**64])
def test_an_invalid_timeout_is_refused(timeout: int) -> None:
    document = json.loads(encode_message(REQUEST))
    document["payload"]["timeout_ms"] = timeout

    with pytest.raises(MessageError, match="timeout_ms of spawn_request"):
        decode_message(json.dumps(document).encode())


@pytest.mark.parametrize(("member", "reason"), [("cap_sids", "no cap_sids"), ("command", "empty command")])
def test_a_spawn_request_needs_a_command_and_a_sid(member: str, reason: str) -> None:
    document = json.loads(encode_message(REQUEST))
    document["payload"][member] = []

    with pytest.raises(MessageError, match=reason):
        decode_message(json.dumps(document).encode())


@given(st.lists(st.binary(max_size=40), max_size=6), st.integers(1, 9))
def test_frames_can_be_split_anywhere(payloads: list[bytes], step: int) -> None:
    stream = b"".join(map(encode_frame, payloads))
    reader, frames = FrameReader(), []

    for at in range(0, len(stream), step):
        reader.feed(stream[at : at + step])
        while (frame := reader.next_frame()) is not None:
            frames.append(frame)
    reader.end()

    assert frames == payloads


def test_a_frame_begins_with_its_length_little_endian() -> None:
    assert encode_frame(b"abc") == b"\x03\x00\x00\x00abc"


def test_a_frame_that_is_too_large_is_refused_on_both_sides() -> None:
    reader = FrameReader()
    reader.feed(struct.pack("<I", MAX_FRAME_BYTES + 1))

    with pytest.raises(FrameError, match="frame too large: 8388609"):
        reader.next_frame()
    with pytest.raises(FrameError, match="frame too large: 8388609"):
        encode_frame(bytes(MAX_FRAME_BYTES + 1))


def test_eof_inside_a_length_is_accepted_and_inside_a_payload_is_an_error() -> None:
    orderly, broken = FrameReader(), FrameReader()
    orderly.feed(b"\x05\x00")
    broken.feed(b"\x05\x00\x00\x00ab")

    orderly.end()
    with pytest.raises(FrameError, match="2 of 5 bytes"):
        broken.end()
