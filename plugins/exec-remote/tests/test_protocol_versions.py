"""Encoding and decoding in both versions of the protocol."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from codex_exec_remote.event_order import EventOrder
from codex_exec_remote.facts import decode_facts, parse_probe
from codex_exec_remote.protocol_versions import (
    ProtocolError,
    decode_event,
    decode_initialize,
    decode_read,
    encode_start,
    encode_write,
)
from codex_hookspecs.environments import EnvironPolicy, ExecParams, OutputChunk, ProcessClosed, ProcessExited
from codex_hookspecs.errors import ExecError
from codex_hookspecs.sandbox import SandboxPolicy

ENVIRON = {"PATH": "/bin", "MY_TOKEN": "x"}


def params(**more: Any) -> ExecParams:
    return ExecParams(**{"process_id": "p", "argv": ("ls", "-l"), "cwd": "/a b", "env": {"0.118": "1"}, **more})


def chunk(seq: int, data: bytes = b"x") -> dict[str, Any]:
    return {"seq": seq, "stream": "stdout", "chunk": b64encode(data).decode()}


def reading(*seqs: int, following: int, **more: Any) -> dict[str, Any]:
    state = {"exited": False, "exitCode": None, "closed": False, "failure": None, **more}
    return {"chunks": [chunk(seq) for seq in seqs], "nextSeq": following, **state}


def test_a_start_has_uris_and_a_policy_for_0_169() -> None:
    policy = EnvironPolicy(exclude=("X",), set={"0.169": "2"})

    found = encode_start("0.169", params(env_policy=policy, tty=True, arg0="me"), ENVIRON)

    assert found == {
        "processId": "p",
        "argv": ["ls", "-l"],
        "cwd": "file:///a%20b",
        "tty": True,
        "arg0": "me",
        "env": {"0.118": "1"},
        "envPolicy": {
            "inherit": "all",
            "ignoreDefaultExcludes": True,
            "exclude": ["X"],
            "set": {"0.169": "2"},
            "includeOnly": [],
        },
        "pipeStdin": False,
        "sandbox": None,
        "metadata": None,
        "rows": 24,
        "columns": 80,
    }


def test_a_start_has_a_plain_path_and_the_complete_environment_for_0_118() -> None:
    policy = EnvironPolicy(ignore_default_excludes=False)

    found = encode_start("0.118", params(env_policy=policy), ENVIRON)

    assert (found["cwd"], found["env"]) == ("/a b", {"PATH": "/bin", "0.118": "1"})
    assert "envPolicy" not in found


def test_an_environment_without_a_policy_is_exact() -> None:
    assert encode_start("0.118", params(), ENVIRON)["env"] == {"0.118": "1"}
    assert encode_start("0.169", params(), ENVIRON)["envPolicy"] is None


def test_a_0_118_server_gets_no_command_that_needs_a_sandbox() -> None:
    with pytest.raises(ExecError, match=r"^the command was not run: this exec-server can't enforce a sandbox policy$"):
        encode_start("0.118", params(sandbox=SandboxPolicy("readOnly")), ENVIRON)


def test_only_a_0_169_server_gets_write_ids() -> None:
    assert encode_write("0.169", "p", b"a", "w") == {"processId": "p", "chunk": "YQ==", "writeId": "w"}
    assert encode_write("0.118", "p", b"a", "w") == {"processId": "p", "chunk": "YQ=="}


def test_a_workspace_can_be_written_but_for_what_is_protected() -> None:
    policy = SandboxPolicy("workspaceWrite", writable_roots=("/opt/a b",))

    found = encode_start("0.169", params(sandbox=policy, sandbox_cwd="/ws"), ENVIRON)["sandbox"]

    entries = found["permissions"]["file_system"]["entries"]
    assert [entry["path"].get("value", entry["path"]) for entry in entries if entry["access"] == "write"] == [
        {"kind": "project_roots"},
        {"kind": "slash_tmp"},
        {"kind": "tmpdir"},
        {"type": "path", "path": "file:///opt/a%20b"},
    ]
    assert entries[0] == {"path": {"type": "special", "value": {"kind": "root"}}, "access": "read"}
    assert [entry["path"]["value"]["subpath"] for entry in entries if "missing_path_behavior" in entry] == [
        ".git",
        ".agents",
        ".codex",
        ".aws",
    ]
    assert (found["cwd"], found["workspaceRoots"]) == ("file:///ws", ["file:///ws", "file:///opt/a%20b"])
    assert found["permissions"]["network"] == "restricted"


def test_a_read_only_policy_names_what_can_be_read() -> None:
    policy = SandboxPolicy("readOnly", network_access=True, readable_roots=("/r",), platform_defaults=False)

    found = encode_start("0.169", params(sandbox=policy), ENVIRON)["sandbox"]

    entries = found["permissions"]["file_system"]["entries"]
    assert [entry["access"] for entry in entries] == ["read", "read"]
    assert entries[1]["path"] == {"type": "path", "path": "file:///r"}
    assert found["permissions"]["network"] == "enabled"


def test_the_network_alone_can_be_restricted() -> None:
    found = encode_start("0.169", params(sandbox=SandboxPolicy("externalSandbox")), ENVIRON)["sandbox"]

    assert found["permissions"] == {
        "type": "managed",
        "file_system": {"type": "unrestricted"},
        "network": "restricted",
    }


def test_full_access_is_no_sandbox() -> None:
    assert encode_start("0.169", params(sandbox=SandboxPolicy("dangerFullAccess")), ENVIRON)["sandbox"] is None


@pytest.mark.parametrize("result", [None, [], "x"])
def test_an_answer_to_initialize_is_an_object(result: object) -> None:
    with pytest.raises(ProtocolError):
        decode_initialize(result)


def test_a_session_id_tells_the_protocol_version() -> None:
    assert decode_initialize({}).session is None
    assert decode_initialize({"sessionId": "s", "environmentInfo": None}) == ("s", {})


def test_an_event_without_its_bytes_is_only_a_wake_up() -> None:
    assert decode_event("process/output", {"processId": "p", "seq": 1}) is None
    assert decode_event("process/output", {"processId": "p"}) is None
    assert decode_event("process/output", chunk(2, b"a")) == OutputChunk(2, "stdout", data=b"a")


@pytest.mark.parametrize(
    ("result", "events"),
    [
        (reading(1, 2, following=3), [1, 2]),
        (reading(following=1), []),
        (reading(1, following=4, exited=True, exitCode=3, closed=True), [1, ProcessExited(2, 3), ProcessClosed(3)]),
        (reading(2, following=4, exited=True, exitCode=3, closed=True), [ProcessExited(1, 3), 2, ProcessClosed(3)]),
        (reading(1, following=3, exited=True, exitCode=0), [1, ProcessExited(2, 0)]),
    ],
)
def test_a_reading_tells_exit_and_close_by_the_numbers_in_between(result: dict[str, Any], events: list[Any]) -> None:
    found = decode_read(result, 0, (), exit_known=False)

    assert [event.seq if isinstance(event, OutputChunk) else event for event in found.events] == events
    assert not found.gap


def test_a_reading_passes_over_what_is_known() -> None:
    result = reading(3, following=6, exited=True, exitCode=0, closed=True)

    found = decode_read(result, 2, {4}, exit_known=True)

    assert [event.seq for event in found.events] == [3, 5]
    assert not found.gap


@pytest.mark.parametrize(
    "result",
    [
        reading(3, following=4),
        reading(4, following=5, exited=True, exitCode=0),
        reading(following=10**12),
    ],
)
def test_a_reading_tells_that_output_is_lost(result: dict[str, Any]) -> None:
    assert decode_read(result, 1, (), exit_known=False).gap


@pytest.mark.parametrize("result", [None, {}, {"chunks": 3}])
def test_a_reading_is_an_object_with_chunks(result: object) -> None:
    with pytest.raises(ProtocolError):
        decode_read(result, 0, (), exit_known=False)


def test_events_are_put_in_order_and_counted_once() -> None:
    sequence = EventOrder()
    events = {seq: OutputChunk(seq, "stdout", data=b"") for seq in range(1, 5)}

    found = [sequence.add(events[seq]) for seq in (2, 2, 1, 1, 4, 3)]

    assert [[event.seq for event in each] for each in found] == [[], [], [1, 2], [], [], [3, 4]]
    assert (sequence.last, list(sequence.pending)) == (4, [])


def test_facts_are_those_told() -> None:
    info = {"userHomeDir": "file:///home/a%20b", "cwd": "file:///w", "platformOs": "macos", "tempDir": "file:///t"}

    found = decode_facts(info, "/bin/zsh")

    assert (found.os, found.shell, found.home) == ("macos", "/bin/zsh", "/home/a b")
    assert (found.cwd, found.temporary_directory) == ("/w", "/t")


def test_a_server_that_tells_only_its_shell_leaves_the_rest_to_defaults() -> None:
    found = decode_facts({"tempDir": 3}, "/bin/bash")

    assert (found.os, found.home, found.cwd, found.temporary_directory) == ("linux", "/", "/", "/tmp")


def test_facts_are_those_that_a_shell_says() -> None:
    found = parse_probe("Darwin\n/w\n/Users/a\n/bin/zsh\n/var/t\n")

    assert (found.os, found.cwd, found.home) == ("macos", "/w", "/Users/a")
    assert (found.shell, found.temporary_directory) == ("/bin/zsh", "/var/t")


def test_a_machine_that_says_little_has_a_plain_shell() -> None:
    found = parse_probe("Linux\n/w\n\n/usr/sbin/nologin\n")

    assert (found.shell, found.home, found.temporary_directory) == ("/bin/sh", "/", "/tmp")
