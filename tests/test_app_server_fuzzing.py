"""Whatever arrives at the app-server, it goes on serving others, and nothing of it stays."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from codex_app_server.methods import methods

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codex_hookspecs.surface import RpcMethod

LIMIT = 20
GROWTH_KIB = 64 * 1024
CHANGING = {"fs/remove", "fs/writeFile", "fs/copy", "fs/createDirectory", "command/exec", "thread/shellCommand"}
"""Methods that random parameters must not reach: they would change this machine."""


def names(method: RpcMethod) -> tuple[str, ...]:
    """Return the parameters of a method; those of a choice between several shapes are not looked into."""
    kind = method.params if method.params is None or isinstance(method.params, type) else method.params()
    return tuple(field.name for field in attrs.fields(kind)) if isinstance(kind, type) and attrs.has(kind) else ()


PARAMS = {method.name: names(method) for method in methods() if method.name not in CHANGING}
HELLO = {
    "id": 0,
    "method": "initialize",
    "params": {"clientInfo": {"name": "f", "version": "1"}},
}
BOUNDED = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=40),
    st.sampled_from(["", "\x00", "\ud800", "/", "..", "-1", "a" * 5000, "00000000-0000-7000-8000-000000000000"]),
)  # fmt: skip
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@st.composite
def requests(draw: st.DrawFn) -> dict[str, Any]:
    """Requests of known methods whose parameters have the right names and any values."""
    name = draw(st.sampled_from(sorted(PARAMS)))
    keys = [re.sub(r"_(\w)", lambda found: found[1].upper(), key) for key in PARAMS[name]]
    params = draw(st.fixed_dictionaries({}, optional=dict.fromkeys(keys, values)) if keys else values)
    return {"id": draw(st.integers(1, 99) | st.text(max_size=5)), "method": name, "params": params}


envelopes = st.one_of(
    requests(),
    values,
    st.fixed_dictionaries(
        {},
        optional={
            "id": values, "method": st.sampled_from(sorted(PARAMS)) | st.text(max_size=9),
            "params": values, "result": values, "error": values, "trace": values,
        },
    ),
)  # fmt: skip


class Server:
    """``codex app-server`` on a websocket."""

    def __init__(self, folder: Path) -> None:
        home = folder / "home"
        home.mkdir()
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("CODEX", "OPENAI"))}
        self.process = subprocess.Popen(
            [str(Path(sys.executable).with_name("codex")), "app-server", "--listen", "ws://127.0.0.1:0"],
            cwd=folder, env={**kept, "HOME": str(home), "CODEX_HOME": str(home)},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace",
        )  # fmt: skip
        assert self.process.stderr is not None
        self.log: list[str] = []
        while (
            found := re.search(r"listening on: (ws://127.0.0.1:(\d+))", line := self.process.stderr.readline())
        ) is None:
            assert line, "the server ended"
        self.url, self.port = found[1], int(found[2])
        self._reader = threading.Thread(target=lambda: self.log.extend(self.process.stderr or ()))
        self._reader.start()
        with self.client() as client:
            ask(client, "thread/loaded/list", {})

    @contextlib.contextmanager
    def client(self) -> Iterator[ClientConnection]:
        with connect(self.url, max_size=None, open_timeout=LIMIT, close_timeout=1) as client:
            client.send(json.dumps(HELLO))
            yield client

    def tcp(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=LIMIT)

    def memory(self) -> int:
        """Return the resident KiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.findall(r"VmRSS:\s+(\d+)", status)[0])

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def close(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(LIMIT)
        self._reader.join()
        assert self.process.stderr is not None
        self.process.stderr.close()


def ask(client: ClientConnection, method: str, params: Any) -> Any:
    """Ask and wait for the answer, past whatever else comes."""
    client.send(json.dumps({"id": "control", "method": method, "params": params}))
    while True:
        message = json.loads(client.recv(timeout=LIMIT))
        if message.get("id") == "control" and "method" not in message:
            return message["result"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("fuzzed"))
    yield running
    running.close()
    assert running.process.returncode == 0, running.log[-20:]
    assert not [line for line in running.log if "Traceback" in line or "never retrieved" in line]


@pytest.fixture
def unharmed(server: Server) -> Iterator[Server]:
    """The server, which afterwards answers as before and holds no more than before."""
    before, open_before = server.memory(), server.descriptors()
    yield server
    with server.client() as client:
        for thread in ask(client, "thread/loaded/list", {"limit": 1000})["data"]:
            ask(client, "thread/unsubscribe", {"threadId": thread})
        assert ask(client, "thread/loaded/list", {})["data"] == []
    assert server.process.poll() is None
    for _ in range(LIMIT * 10):
        if server.memory() - before < GROWTH_KIB and server.descriptors() <= open_before + 2:
            break
        threading.Event().wait(0.1)
    assert server.memory() - before < GROWTH_KIB
    assert server.descriptors() <= open_before + 2


def test_any_bytes_instead_of_an_upgrade_are_refused_or_waited_for(unharmed: Server) -> None:
    @BOUNDED
    @given(
        st.binary(max_size=400),
        st.sampled_from([b"", b"\r\n\r\n", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"]),
    )
    def send(data: bytes, head: bytes) -> None:
        with unharmed.tcp() as wire:
            wire.sendall(head + data)
            wire.shutdown(socket.SHUT_WR)
            answer = b""
            with contextlib.suppress(ConnectionError):
                while part := wire.recv(65536):
                    answer += part
            assert not answer or answer.startswith(b"HTTP/1.1 4") or b" 200 OK" in answer[:20]

    send()


def test_any_frame_leaves_the_connection_of_others_alone(unharmed: Server) -> None:
    upgrade = (
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    with unharmed.client() as other:

        @BOUNDED
        @given(st.lists(st.binary(max_size=200), max_size=4))
        def send(frames: list[bytes]) -> None:
            with unharmed.tcp() as wire:
                wire.sendall(upgrade)
                assert wire.recv(65536).startswith(b"HTTP/1.1 101")
                with contextlib.suppress(ConnectionError):
                    for frame in frames:
                        wire.sendall(frame)
            ask(other, "thread/loaded/list", {})

        send()


def test_any_json_is_answered_refused_or_ignored(unharmed: Server) -> None:
    with unharmed.client() as client:

        @BOUNDED
        @given(st.lists(envelopes, min_size=1, max_size=4))
        def send(messages: list[Any]) -> None:
            for message in messages:
                client.send(json.dumps(message).encode(), text=True)
            ask(client, "thread/loaded/list", {})

        send()


def test_any_text_is_ignored(unharmed: Server) -> None:
    with unharmed.client() as client:

        @BOUNDED
        @given(st.text(max_size=300))
        def send(text: str) -> None:
            client.send(text.encode("utf-8", "replace"), text=True)
            ask(client, "thread/loaded/list", {})

        send()


@pytest.mark.parametrize("opening", ["[", '{"a":', '{"id":1,"method":"thread/list","params":{"config":'])
def test_json_that_is_nested_too_deep_is_ignored(unharmed: Server, opening: str) -> None:
    with unharmed.client() as client:
        client.send(opening * 200_000)
        ask(client, "thread/loaded/list", {})


def test_a_message_that_is_too_large_ends_its_own_connection_only(unharmed: Server) -> None:
    with unharmed.client() as other, contextlib.suppress(WebSocketException, OSError), unharmed.client() as client:
        part = " " * (8 * 1024 * 1024)
        client.send(part for _ in range(40))
        ask(client, "thread/loaded/list", {})
    with unharmed.client() as other:
        ask(other, "thread/loaded/list", {})
