"""A parent and a runner, connected by a socket pair, run real commands together."""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from posix_child import PosixChild, SocketTransport

from codex_hookspecs.errors import SandboxUnavailable
from codex_sandbox_windows.bridge import relay
from codex_sandbox_windows.channel import Channel
from codex_sandbox_windows.frames import encode_frame
from codex_sandbox_windows.messages import Exit, Failure, Output, SpawnReady, SpawnRequest, Terminate, encode_message
from codex_sandbox_windows.parent import RunnerSession
from codex_sandbox_windows.runner import serve


class Connection:
    """Both ends of a connection, with a runner at one of them."""

    def __init__(self) -> None:
        self.socket, theirs = socket.socketpair()
        self.socket.settimeout(20)
        self.channel = Channel(SocketTransport(self.socket))
        self.session = RunnerSession(self.channel)
        self.codes: list[int] = []
        self._theirs = Channel(SocketTransport(theirs))
        self._runner = threading.Thread(target=self._serve)
        self._runner.start()

    def _serve(self) -> None:
        self.codes.append(serve(self._theirs, PosixChild))
        self._theirs.close()

    def finish(self) -> list[Output | Exit]:
        return list(self.session.events())

    def code(self) -> int:
        self._runner.join(20)
        return self.codes[0]

    def close(self) -> None:
        self.socket.close()
        self._runner.join(20)
        assert not self._runner.is_alive()


@pytest.fixture
def connection() -> Iterator[Connection]:
    made = Connection()
    yield made
    made.close()


@pytest.fixture
def request_for(tmp_path: Path) -> Callable[..., SpawnRequest]:
    def make(script: str, **changes) -> SpawnRequest:
        request = SpawnRequest(
            command=("/bin/sh", "-c", script),
            cwd=str(tmp_path),
            env={"PATH": os.environ["PATH"], "GREETING": "hallo"},
            policy="workspace-write",
            sandbox_policy_cwd=str(tmp_path),
            codex_home=str(tmp_path),
            real_codex_home=str(tmp_path),
            cap_sids=("S-1-5-21-1",),
        )
        return attrs.evolve(request, **changes)

    return make


def text(events: list[Output | Exit], stream: str = "stdout") -> str:
    return b"".join(each.data for each in events if isinstance(each, Output) and each.stream == stream).decode()


def test_a_command_runs_in_its_directory_with_its_environment(connection, request_for, tmp_path: Path) -> None:
    connection.session.start(request_for('pwd; echo "$GREETING" >&2; exit 7'))

    events = connection.finish()

    assert text(events) == f"{tmp_path}\n"
    assert text(events, "stderr") == "hallo\n"
    assert events[-1] == Exit(7)
    assert connection.session.process_id > 0
    assert connection.code() == 7


def test_input_is_written_and_closed(connection, request_for) -> None:
    connection.session.start(request_for("cat; echo over", stdin_open=True))

    connection.session.write(b"one\n" * 1000)
    connection.session.close_stdin()

    assert text(connection.finish()) == "one\n" * 1000 + "over\n"


def test_input_that_is_not_open_reads_as_empty(connection, request_for) -> None:
    connection.session.start(request_for("cat; echo over"))

    assert text(connection.finish()) == "over\n"


def test_a_terminal_has_a_size_that_changes_and_one_stream(connection, request_for) -> None:
    script = "stty -echo; stty size; read line; stty size; echo warn >&2; test -t 0 && echo terminal"
    connection.session.start(request_for(script, tty=True))
    events = connection.session.events()
    assert next(events).data == b"24 80\r\n"

    connection.session.resize(30, 100)
    connection.session.write(b"go\n")

    rest = list(events)
    assert text(rest) == "30 100\r\nwarn\r\nterminal\r\n"
    assert text(rest, "stderr") == ""
    assert rest[-1] == Exit(0)


def test_a_command_is_terminated_on_request(connection, request_for) -> None:
    connection.session.start(request_for("echo on; sleep 60"))
    events = connection.session.events()
    next(events)

    connection.session.terminate()

    assert isinstance(list(events)[-1], Exit)


def test_a_command_that_times_out_has_exit_code_192(connection, request_for) -> None:
    connection.session.start(request_for("echo on; sleep 60", timeout_ms=200))

    events = connection.finish()

    assert text(events) == "on\n"
    assert events[-1] == Exit(192, True)
    assert connection.code() == 192


def test_everything_a_command_wrote_comes_before_its_exit(connection, request_for) -> None:
    connection.session.start(request_for("head -c 5000000 /dev/zero; head -c 3000000 /dev/zero >&2"))

    events = connection.finish()

    assert (len(text(events)), len(text(events, "stderr"))) == (5_000_000, 3_000_000)
    assert [isinstance(each, Exit) for each in events].index(True) == len(events) - 1


def test_background_processes_end_with_the_command(connection, request_for) -> None:
    connection.session.start(request_for("sleep 60 & echo $!"))

    events = connection.finish()

    assert events[-1] == Exit(0)


def test_a_command_that_can_not_be_started_is_a_structured_result(connection, request_for) -> None:
    request = request_for("", command=("/no/such/program",))

    with pytest.raises(SandboxUnavailable, match=r"runner error: /no/such/program: No such file or directory"):
        connection.session.start(request)

    assert connection.code() == 1


def test_the_first_message_must_be_a_spawn_request(connection) -> None:
    connection.channel.send(Terminate())

    assert connection.channel.receive(10) == Failure("expected spawn_request", "spawn_failed")


@pytest.mark.parametrize("frame", [b'{"version":2,"type":"spawn_request"}', b"nothing"])
def test_an_invalid_first_message_is_reported(connection, frame: bytes) -> None:
    connection.socket.sendall(encode_frame(frame))

    answer = connection.channel.receive(10)
    assert isinstance(answer, Failure)
    assert answer.code == "spawn_failed"


def test_an_invalid_later_message_is_ignored(connection, request_for) -> None:
    connection.session.start(request_for("cat", stdin_open=True))

    connection.socket.sendall(encode_frame(b'{"version":1,"type":"stdin","payload":{"data_b64":"%"}}'))
    connection.socket.sendall(encode_frame(b'{"version":1,"type":"later","payload":{}}'))
    connection.session.write(b"x")
    connection.session.close_stdin()

    assert text(connection.finish()) == "x"


def test_a_stream_without_valid_frames_kills_the_command(connection, request_for) -> None:
    connection.session.start(request_for("sleep 60"))

    connection.socket.sendall(b"\xff\xff\xff\xff")

    assert isinstance(connection.finish()[-1], Exit)


def test_eof_from_the_parent_closes_the_input(connection, request_for) -> None:
    connection.session.start(request_for("cat; echo over", stdin_open=True))

    connection.socket.shutdown(socket.SHUT_WR)

    assert text(connection.finish()) == "over\n"


def test_a_command_that_writes_is_killed_when_the_parent_is_gone(connection, request_for) -> None:
    connection.session.start(request_for("while :; do echo on; done"))

    connection.socket.close()

    assert connection.code() != 0


def test_a_runner_that_closes_at_once_is_reported() -> None:
    ours, theirs = socket.socketpair()
    theirs.close()

    with ours, pytest.raises(SandboxUnavailable, match="the command was not run: sandbox-windows"):
        RunnerSession(Channel(SocketTransport(ours))).start(_anything())


def test_a_silent_runner_times_out() -> None:
    ours, theirs = socket.socketpair()

    with ours, theirs, pytest.raises(SandboxUnavailable, match=r"did not answer within 0\.1 s"):
        RunnerSession(Channel(SocketTransport(ours))).start(_anything(), 0.1)


def test_an_unexpected_answer_of_the_runner_is_reported() -> None:
    ours, theirs = socket.socketpair()
    theirs.sendall(encode_frame(encode_message(Exit(0))))

    with ours, theirs, pytest.raises(SandboxUnavailable, match="expected spawn_ready from runner"):
        RunnerSession(Channel(SocketTransport(ours))).start(_anything(), 5)


def test_a_lost_runner_is_reported() -> None:
    ours, theirs = socket.socketpair()
    theirs.sendall(encode_frame(encode_message(SpawnReady(1))))
    session = RunnerSession(Channel(SocketTransport(ours)))
    session.start(_anything(), 5)
    theirs.close()

    with ours, pytest.raises(SandboxUnavailable, match="the runner of the command was lost"):
        list(session.events())


def test_a_bridge_forwards_input_and_output(connection, request_for, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"typed")
    connection.session.start(request_for("cat; echo warn >&2; exit 3", stdin_open=True))

    with open(tmp_path / "in", "rb") as stdin, open(tmp_path / "out", "wb") as out, open(tmp_path / "err", "wb") as err:
        code = relay(connection.session, stdin, out, err)

    assert (code, (tmp_path / "out").read_bytes(), (tmp_path / "err").read_bytes()) == (3, b"typed", b"warn\n")


def _anything() -> SpawnRequest:
    return SpawnRequest(
        command=("x",), cwd="/", env={}, policy="read-only", sandbox_policy_cwd="/", codex_home="/",
        real_codex_home="/", cap_sids=("S-1-1-0",),
    )  # fmt: skip
