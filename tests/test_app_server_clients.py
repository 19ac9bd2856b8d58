"""The app-server with real processes and sockets: many clients, slow ones, signals, Unix sockets, the proxy."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import signal
import socket
import stat
import sys
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

pytestmark = pytest.mark.anyio
LIMIT = 60.0
CODEX = (sys.executable, "-m", "codex_host")
OVERLOADED = -32001
PATH = "/usr/local/bin:/usr/bin:/bin"
WS = ("--listen", "ws://127.0.0.1:0")
UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


class Client:
    """A client over a WebSocket."""

    def __init__(self, link: ClientConnection) -> None:
        self.link = link
        self._number = 0

    async def send(self, method: str, params: Any) -> int:
        self._number += 1
        await self.link.send(json.dumps({"id": self._number, "method": method, "params": params}))
        return self._number

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(LIMIT):
            message: dict[str, Any] = json.loads(await self.link.recv())
            return message

    async def until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        while not wanted(message := await self.next()):
            pass
        return message

    async def ask(self, method: str, params: Any) -> dict[str, Any]:
        number = await self.send(method, params)
        return await self.until(lambda message: message.get("id") == number and "method" not in message)

    async def turn(self) -> tuple[str, str]:
        """Start a turn in a new thread; give the ids of both."""
        thread = (await self.ask("thread/start", {}))["result"]["thread"]["id"]
        answer = await self.ask("turn/start", {"threadId": thread, "input": [{"type": "text", "text": "go"}]})
        return thread, answer["result"]["turn"]["id"]


class Server:
    """A server process with a scripted model."""

    def __init__(self, folder: Path, process: asyncio.subprocess.Process) -> None:
        self.folder = folder
        self.process = process
        self.log = ""

    async def said(self, pattern: str) -> re.Match[str]:
        """Read the log until it has a text."""
        assert self.process.stderr is not None
        async with asyncio.timeout(LIMIT):
            while not (found := re.search(pattern, self.log)):
                line = await self.process.stderr.readline()
                assert line, self.log
                self.log += line.decode()
        return found

    async def url(self) -> str:
        return (await self.said(r"listening on: (ws://\S+)"))[1]

    async def ended(self) -> int:
        """Wait for the end; give the exit status."""
        assert self.process.stderr is not None
        async with asyncio.timeout(LIMIT):
            self.log += (await self.process.stderr.read()).decode()
            return await self.process.wait()

    @asynccontextmanager
    async def client(self, *, hello: bool = True) -> AsyncIterator[Client]:
        async with connect(await self.url(), compression=None, max_size=None) as link:
            yield await greeted(link) if hello else Client(link)


async def greeted(link: ClientConnection) -> Client:
    client = Client(link)
    answer = await client.ask("initialize", {"clientInfo": {"name": "test", "version": "1"}})
    assert answer["result"]["userAgent"].startswith("test/")
    await link.send('{"method":"initialized"}')
    return client


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Callable[..., Any]]:
    """Start servers, which are killed in the end."""
    async with AsyncExitStack() as stack:

        async def launch(*arguments: str, rounds: Any = (), config: str = "", stdin: int | None = None) -> Server:
            (tmp_path / "script.json").write_text(json.dumps(list(rounds)))
            (tmp_path / "config.toml").write_text(
                'model_provider = "scripted"\n[model_providers.scripted]\nscript = "script.json"\n' + config
            )
            process = await asyncio.create_subprocess_exec(
                *CODEX,
                "app-server",
                *arguments,
                cwd=tmp_path,
                env={"CODEX_HOME": str(tmp_path), "HOME": str(tmp_path), "PATH": PATH, "CODEX_LOG": "warning"},
                stdin=asyncio.subprocess.DEVNULL if stdin is None else stdin,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            stack.push_async_callback(kill, process)
            return Server(tmp_path, process)

        yield launch


async def kill(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.kill()
    await process.communicate()


async def made(path: Path) -> None:
    """Wait until a file is there."""
    async with asyncio.timeout(LIMIT):
        while not path.exists():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def shell(command: str) -> list[Any]:
    return [[{"sh": command}], [{"say": "done"}]]


async def test_each_connection_has_a_handshake_of_its_own(start) -> None:
    server = await start(*WS)

    async with server.client() as first, server.client(hello=False) as second:
        refused = await second.ask("thread/list", {})
        listed = await first.ask("thread/list", {})

    assert refused["error"] == {"code": -32600, "message": "Not initialized"}
    assert listed["result"]["data"] == []


async def test_what_is_no_text_is_ignored_and_pings_are_answered(start) -> None:
    server = await start(*WS)

    async with server.client() as client:
        await client.link.send(b'{"id": 9, "method": "thread/list", "params": {}}')
        await client.link.send("no JSON")
        pong = await client.link.ping()
        async with asyncio.timeout(LIMIT):
            await pong
        answer = await client.ask("thread/loaded/list", {})

    assert answer["result"]["data"] == []


async def test_an_invalid_message_is_a_warning_with_the_number_of_the_connection(start) -> None:
    server = await start(*WS)

    async with server.client() as client:
        await client.link.send("no JSON")
        await server.said(r"WARN app-server: ignored an invalid message: .* connection=1\n")
        assert (await client.ask("thread/loaded/list", {}))["result"]["data"] == []


async def test_a_message_in_fragments_is_one_message(start) -> None:
    server = await start(*WS)

    async with server.client() as client:
        await client.link.send(["{", '"id": "a", "method": "thread/list",', ' "params": {}}'])

        assert (await client.next())["id"] == "a"


async def test_a_burst_is_answered_whole_with_refusals_beyond_the_queue(start) -> None:
    server = await start(*WS)
    count = 3000

    async with server.client() as client:
        for _ in range(count):
            await client.send("thread/loaded/list", {})
        answers = [await client.next() for _ in range(count)]

    numbers = [answer["id"] for answer in answers]
    errors = [answer["error"] for answer in answers if "error" in answer]
    assert sorted(numbers) == list(range(2, count + 2))
    assert all(error == {"code": OVERLOADED, "message": "Server overloaded; retry later."} for error in errors)
    assert len(errors) < count


async def test_a_client_that_does_not_read_is_disconnected_and_hurts_nobody(start) -> None:
    rounds = [[{"say": "x" * 400_000}] for _ in range(40)]
    server = await start(*WS, rounds=rounds)
    host, port = (await server.url()).removeprefix("ws://").split(":")

    with socket.create_connection((host, int(port))) as stalled:
        async with server.client() as client:
            thread, _ = await client.turn()
            await client.until(lambda message: message.get("method") == "turn/completed")
            stalled.sendall(UPGRADE)
            info = {"clientInfo": {"name": "stalled", "version": "1"}}
            for number, (method, params) in enumerate([("initialize", info), ("thread/resume", {"threadId": thread})]):
                data = json.dumps({"id": number, "method": method, "params": params}).encode()
                stalled.sendall(b"\x81" + bytes([0x80 | 126]) + len(data).to_bytes(2, "big") + bytes(4) + data)
            for _ in range(30):
                await client.ask("turn/start", {"threadId": thread, "input": [{"type": "text", "text": "go"}]})
                await client.until(lambda message: message.get("method") == "turn/completed")
            await server.said("disconnected client 2, which does not read its messages")
            answer = await client.ask("thread/loaded/list", {})

    assert answer["result"]["data"] == [thread]


async def test_the_first_signal_waits_for_the_running_turn(start, tmp_path: Path) -> None:
    go, begun = tmp_path / "go", tmp_path / "begun"
    wait = f"touch {shlex.quote(str(begun))}; while [ ! -e {shlex.quote(str(go))} ]; do sleep 0.05; done; echo over"
    server = await start(*WS, rounds=shell(wait))
    url = await server.url()

    async with server.client() as client:
        thread = await client.ask("thread/start", {"sandbox": "danger-full-access", "approvalPolicy": "never"})
        thread_id = thread["result"]["thread"]["id"]
        text = {"type": "text", "text": "go"}
        begun_turn = await client.ask("turn/start", {"threadId": thread_id, "input": [text]})
        await made(begun)
        server.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(LIMIT):
            with suppress(OSError, InvalidHandshake):
                while True:  # until it accepts no more clients
                    async with connect(url, open_timeout=LIMIT):
                        await asyncio.sleep(0.01)
        for method, params in (
            ("thread/start", {}),
            ("thread/resume", {"threadId": thread_id}),
            ("thread/fork", {"threadId": thread_id}),
            ("turn/start", {"threadId": thread_id, "input": [{"type": "text", "text": "more"}]}),
            ("review/start", {"threadId": thread_id, "target": {"type": "uncommittedChanges"}}),
        ):
            refused = await client.ask(method, params)
            assert refused["error"] == {"code": -32001, "message": "the server is shutting down; retry later"}, method
        steered = {"threadId": thread_id, "input": [{"type": "text", "text": "more"}]}
        answer = await client.ask("turn/steer", {**steered, "expectedTurnId": begun_turn["result"]["turn"]["id"]})
        assert "result" in answer
        go.touch()
        turn = await client.until(lambda message: message.get("method") == "turn/completed")
        with pytest.raises(ConnectionClosed) as closed:
            await client.until(lambda _: False)

    assert turn["params"]["turn"]["status"] == "completed"
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1001
    assert await server.ended() == 0
    assert server.log.splitlines()[-1] == (
        "Waiting up to 30 s for 1 running turn; press Ctrl-C again (or send the signal again) to end at once"
    )


@pytest.mark.parametrize(
    ("config", "signals"),
    [("", 2), ("[plugins.app-server]\ndrain_seconds = 0.2\n", 1)],
    ids=["second signal", "setting"],
)
async def test_a_turn_that_does_not_end_is_waited_for_no_longer(
    start, tmp_path: Path, config: str, signals: int
) -> None:
    begun = tmp_path / "begun"
    server = await start(*WS, rounds=shell(f"touch {shlex.quote(str(begun))}; sleep 600"), config=config)

    async with server.client() as client:
        opened = await client.ask("thread/start", {"sandbox": "danger-full-access", "approvalPolicy": "never"})
        thread = opened["result"]["thread"]["id"]
        await client.ask("turn/start", {"threadId": thread, "input": [{"type": "text", "text": "go"}]})
        await made(begun)
        server.process.send_signal(signal.SIGTERM)
        if signals > 1:
            await server.said("Waiting up to 30 s for 1 running turn")
            server.process.send_signal(signal.SIGTERM)
        turn = await client.until(lambda message: message.get("method") == "turn/completed")
        with pytest.raises(ConnectionClosed) as closed:
            await client.until(lambda _: False)

    assert turn["params"]["turn"]["status"] == "interrupted"
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1001
    assert await server.ended() == 0
    assert "Traceback" not in server.log
    assert "never retrieved" not in server.log


async def test_a_signal_interrupts_the_turn_of_the_client_at_standard_input(start, tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    script = shell(f"touch {shlex.quote(str(begun))}; sleep 600")
    server = await start(rounds=script, stdin=asyncio.subprocess.PIPE)
    process = server.process
    settings = {"sandbox": "danger-full-access", "approvalPolicy": "never"}

    async def until(wanted: Callable[[Any], bool]) -> Any:
        async with asyncio.timeout(LIMIT):
            while line := await process.stdout.readline():
                if wanted(message := json.loads(line)):
                    return message
        raise AssertionError("the output has ended")

    async def ask(number: int, method: str, params: Any) -> Any:
        process.stdin.write(json.dumps({"id": number, "method": method, "params": params}).encode() + b"\n")
        return (await until(lambda message: message.get("id") == number))["result"]

    await ask(1, "initialize", {"clientInfo": {"name": "test", "version": "1"}})
    thread = (await ask(2, "thread/start", settings))["thread"]["id"]
    await ask(3, "turn/start", {"threadId": thread, "input": [{"type": "text", "text": "go"}]})
    await made(begun)
    process.send_signal(signal.SIGTERM)
    turn = await until(lambda message: message.get("method") == "turn/completed")

    assert turn["params"]["turn"]["status"] == "interrupted"
    assert await server.ended() == 0
    assert server.log == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_a_signal_ends_an_idle_server(start, number: signal.Signals) -> None:
    server = await start(*WS)
    await server.url()

    server.process.send_signal(number)

    assert await server.ended() == 0


async def test_a_setting_that_is_no_number_is_refused(start) -> None:
    server = await start(*WS, config='[plugins.app-server]\ndrain_seconds = "long"\n')

    assert await server.ended() == 1
    assert server.log == "Error: plugins.app-server.drain_seconds must be a number of seconds, not 'long'\n"


@asynccontextmanager
async def over_socket(path: Path) -> AsyncIterator[Client]:
    await made(path)
    with connect_socket(path) as connected:
        async with connect("ws://localhost/", sock=connected) as link:
            yield await greeted(link)


def connect_socket(path: Path) -> socket.socket:
    """Connect to a Unix socket, whose path may be too long for the system."""
    connected = socket.socket(socket.AF_UNIX)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        connected.connect(f"/proc/self/fd/{folder}/{path.name}")
    except OSError:
        connected.close()
        raise
    finally:
        os.close(folder)
    return connected


async def test_a_unix_socket_is_for_its_owner_and_removed_in_the_end(start, tmp_path: Path) -> None:
    server = await start("--listen", "unix://s.sock")
    path = tmp_path / "s.sock"

    async with over_socket(path) as client:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert (await client.ask("thread/list", {}))["result"]["data"] == []
        server.process.terminate()
        assert await server.ended() == 0

    assert mode == 0o600
    assert not path.exists()
    assert server.log == f"codex app-server (Unix socket)\n  listening on: {path}\n"


async def test_the_default_socket_is_below_the_home(start, tmp_path: Path) -> None:
    await start("--listen", "unix://")
    path = tmp_path / "app-server-control" / "app-server-control.sock"

    async with over_socket(path):
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_the_socket_of_a_dead_server_is_replaced_and_that_of_a_living_one_is_not(start, tmp_path: Path) -> None:
    path = tmp_path / "s.sock"
    first = await start("--listen", f"unix://{path}")
    async with over_socket(path):
        first.process.kill()
        await first.ended()
    assert path.exists()

    second = await start("--listen", f"unix://{path}")
    async with asyncio.timeout(LIMIT):
        while True:
            with suppress(OSError):
                async with over_socket(path):
                    break
            await asyncio.sleep(0.01)
    third = await start("--listen", f"unix://{path}")

    assert await third.ended() == 1
    assert third.log == f"Error: app-server control socket is already in use at {path}\n"
    async with over_socket(path):
        second.process.terminate()
        assert await second.ended() == 0


async def test_another_file_is_not_replaced(start, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("mine")

    server = await start("--listen", f"unix://{path}")

    assert await server.ended() == 1
    assert server.log == f"Error: app-server control socket path exists and is not a socket: {path}\n"
    assert path.read_text() == "mine"


async def test_a_name_that_is_too_long_is_refused(start, tmp_path: Path) -> None:
    server = await start("--listen", f"unix://{tmp_path / ('x' * 120)}")

    assert await server.ended() == 1
    limit = 107 if sys.platform == "linux" else 103
    assert f"the path of a Unix socket has at most {limit} bytes" in server.log


async def test_the_proxy_copies_bytes_to_the_socket(start, tmp_path: Path) -> None:
    await start("--listen", "unix://s.sock")
    async with over_socket(tmp_path / "s.sock"):
        proxy = await start("proxy", "--sock", "s.sock", stdin=asyncio.subprocess.PIPE)
        ours, theirs = proxy.process.stdin, proxy.process.stdout
        ours.write(UPGRADE)
        async with asyncio.timeout(LIMIT):
            head = await theirs.readuntil(b"\r\n\r\n")
        text = b'{"id":1,"method":"thread/list","params":{}}'
        ours.write(bytes([0x81, 0x80 | len(text)]) + bytes(4) + text)
        async with asyncio.timeout(LIMIT):
            first = await theirs.readexactly(2)
            answer = json.loads(await theirs.readexactly(first[1]))
        ours.close()

        assert await proxy.ended() == 0

    assert head.startswith(b"HTTP/1.1 101 ")
    assert answer == {"id": 1, "error": {"code": -32600, "message": "Not initialized"}}


async def test_the_proxy_says_when_no_server_is_there(start, tmp_path: Path) -> None:
    proxy = await start("proxy")

    assert await proxy.ended() == 1
    path = tmp_path / "app-server-control" / "app-server-control.sock"
    assert proxy.log == f"Error: failed to connect to socket at {path}: No such file or directory (os error 2)\n"


async def test_requests_before_the_end_of_standard_input_are_answered(start) -> None:
    server = await start(stdin=asyncio.subprocess.PIPE)
    info = {"clientInfo": {"name": "test", "version": "1"}}
    requests = [("initialize", info), ("thread/list", {}), ("thread/start", {}), ("thread/loaded/list", {})]
    lines = [
        json.dumps({"id": number, "method": name, "params": given}) for number, (name, given) in enumerate(requests)
    ]

    async with asyncio.timeout(LIMIT):
        out, log = await server.process.communicate("\n".join(lines).encode())

    answers = [json.loads(line) for line in out.splitlines()]
    assert sorted(answer["id"] for answer in answers if "id" in answer) == [0, 1, 2, 3]
    assert all("result" in answer for answer in answers if "id" in answer)
    assert (server.process.returncode, log) == (0, b"")


async def test_off_serves_nobody(start) -> None:
    server = await start("--listen", "off")

    assert await server.ended() == 1
    assert server.log == "Error: no transport configured; use --listen\n"


async def test_an_address_that_is_taken_is_told(start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"ws://127.0.0.1:{taken.getsockname()[1]}"
        server = await start("--listen", url)

        assert await server.ended() == 1

    assert server.log == f"Error: {os.strerror(98)} (os error 98): cannot listen at {url}\n"


async def test_a_socket_in_a_directory_that_is_missing_is_told(start, tmp_path: Path) -> None:
    server = await start("--listen", "unix://none/sock")

    assert await server.ended() == 1
    assert server.log == f"Error: {os.strerror(2)} (os error 2): cannot listen at unix://{tmp_path}/none/sock\n"


async def test_an_address_by_name_is_refused_with_the_one_to_use(start) -> None:
    server = await start("--listen", "ws://localhost:4500")

    assert await server.ended() == 2
    assert "tip: use ws://127.0.0.1:4500\n" in server.log


async def test_who_starts_it_in_a_terminal_is_told_what_it_waits_for(start) -> None:
    terminal, stdin = os.openpty()
    try:
        server = await start(stdin=stdin)
        await server.said("reading JSON-RPC messages from standard input; see --listen\n")
    finally:
        os.close(stdin)
        os.close(terminal)


async def test_whoever_lets_other_machines_in_is_warned(start) -> None:
    server = await start("--listen", "ws://0.0.0.0:0")

    await server.said("warning: whoever can connect to this port can run commands")
    assert (
        "note: websocket auth is opt-in in this build; configure `--ws-auth ...` before real remote use" in server.log
    )
