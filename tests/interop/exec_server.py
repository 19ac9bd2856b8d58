"""A raw client of exec-servers, which knows the wire and nothing of our code, and how to start the servers."""

from __future__ import annotations

import base64
import json
import os
import selectors
import subprocess
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
from websockets.asyncio.client import connect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping

    from websockets.asyncio.client import ClientConnection

    from interop.clients import Codex

Message = dict[str, Any]
LIMIT = 15
PATH = "/usr/local/bin:/usr/bin:/bin"


class Absent:
    """Stands for ``params`` that are not sent."""


ABSENT = Absent()


class Refused(Exception):
    """Raised for an error answer.

    :ivar code: its code.
    :ivar message: its text.
    """

    def __init__(self, error: Message) -> None:
        super().__init__(error)
        self.code: int = error["code"]
        self.message: str = error["message"]


def uri(path: Path | str) -> str:
    """Give the URI of a path."""
    return Path(path).as_uri()


def b64(data: bytes | str) -> str:
    return base64.b64encode(data.encode() if isinstance(data, str) else data).decode()


def unb64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def output(messages: Iterable[Message], stream: str | None = None) -> bytes:
    """Join the output that notifications carry, or the chunks of a read."""
    parts = [message.get("params", message) for message in messages]
    return b"".join(unb64(part["chunk"]) for part in parts if "chunk" in part and stream in (None, part["stream"]))


def _number(message: Message) -> int:
    return int(message["params"]["seq"])


def environment(home: Path, **extra: str) -> dict[str, str]:
    """Give the environment of a server."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("CODEX", "OPENAI"))}
    return {**kept, "CODEX_HOME": str(home), "SHELL": "/bin/bash", **extra}


class Server:
    """A running ``codex exec-server``.

    :param arguments: more of its command line.
    :param extra: more of its environment.
    """

    def __init__(self, codex: Codex, home: Path, *arguments: str, **extra: str) -> None:
        home.mkdir(parents=True, exist_ok=True)
        log = home / "stderr"
        with log.open("wb") as errors:
            self.process = subprocess.Popen(
                [str(codex.path), "exec-server", "--listen", "ws://127.0.0.1:0", *arguments],
                env=environment(home, **extra),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
            )
        assert self.process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            assert selector.select(LIMIT), "the server said nothing"
        self.first_line = self.process.stdout.readline()
        assert self.first_line, f"the server did not start: {log.read_text()}"
        self.url = self.first_line.decode().strip()

    @property
    def address(self) -> tuple[str, int]:
        host, _, port = self.url.removeprefix("ws://").rpartition(":")
        return host, int(port)

    def memory(self) -> int:
        """Give the bytes of memory that the server has resident."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS"))

    def close(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(LIMIT)
        finally:
            self.process.kill()
            assert self.process.stdout is not None
            self.process.stdout.close()


class Wire:
    """One connection. It reads only while something is waited for."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.seen: list[Message] = []
        self.session = ""
        self._last = 0

    async def send(self, message: Any) -> None:
        """Send JSON, or text and bytes as they are."""
        await self.connection.send(message if isinstance(message, str | bytes) else json.dumps(message))

    async def post(self, method: str, params: Any = ABSENT, **more: Any) -> int:
        """Send a request and give its id."""
        self._last += 1
        message = {"id": self._last, "method": method, **more}
        await self.send(message if params is ABSENT else {**message, "params": params})
        return self._last

    async def until(self, fits: Callable[[Message], bool], limit: float = LIMIT) -> Message:
        """Give the first message that fits, be it here already or to come."""
        for message in self.seen:
            if fits(message):
                return message
        with anyio.fail_after(limit):
            while not fits(message := await self.more()):
                pass
            return message

    async def more(self, limit: float = LIMIT) -> Message:
        """Give the next message."""
        with anyio.fail_after(limit):
            text = await self.connection.recv()
        assert isinstance(text, str), "the server sent a binary message"
        self.seen.append(json.loads(text))
        return self.seen[-1]

    async def answer(self, ident: int | str, limit: float = LIMIT) -> Message:
        """Give the whole answer to a request."""
        return await self.until(lambda message: message.get("id") == ident, limit)

    async def result(self, ident: int | str, limit: float = LIMIT) -> Any:
        """Give the result of a request.

        :raises Refused: when it failed.
        """
        message = await self.answer(ident, limit)
        if "error" in message:
            raise Refused(message["error"])
        return message["result"]

    async def call(self, method: str, params: Any = ABSENT, limit: float = LIMIT) -> Any:
        """Send a request and give its result."""
        return await self.result(await self.post(method, params), limit)

    async def fault(self, method: str, params: Any = ABSENT) -> tuple[int, str]:
        """Send a request that has to fail and give code and text."""
        message = await self.answer(await self.post(method, params))
        assert "error" in message, message
        return message["error"]["code"], message["error"]["message"]

    async def initialize(self, resume: str | None = None) -> Any:
        """Make the handshake."""
        result = await self.call("initialize", {"clientName": "interop", "resumeSessionId": resume})
        self.session = result["sessionId"]
        await self.send({"method": "initialized"})
        return result

    async def start(self, process: str, *argv: str, **more: Any) -> Any:
        """Start a process."""
        return await self.call("process/start", launch(process, *argv, **more))

    async def start_shell(self, process: str, script: str, **more: Any) -> Any:
        return await self.start(process, "/bin/sh", "-c", script, **more)

    def of(self, process: str) -> list[Message]:
        """List the notifications of a process so far."""
        return [
            message
            for message in self.seen
            if message.get("method", "").startswith("process/") and message["params"]["processId"] == process
        ]

    async def event(self, process: str, kind: str, limit: float = LIMIT) -> Message:
        """Give the parameters of the first notification of a kind for a process."""
        method = f"process/{kind}"
        message = await self.until(
            lambda each: each.get("method") == method and each["params"]["processId"] == process, limit
        )
        params: Message = message["params"]
        return params

    async def closed(self, process: str, limit: float = LIMIT) -> list[Message]:
        """Wait for the end of a process and give all of its notifications in the order of their numbers.

        The real server numbers and sends in separate steps, so that the last ones may change places.
        """
        last = (await self.event(process, "closed", limit))["seq"]
        while len(seen := sorted(self.of(process), key=_number)) <= last - _number(seen[0]):
            await self.more(limit)
        return seen

    async def printed(self, process: str, text: str, limit: float = LIMIT) -> bytes:
        """Wait until a process has printed something."""
        with anyio.fail_after(limit):
            while text.encode() not in (found := output(self.of(process))):
                await self.more(limit)
        return found

    async def run(self, process: str, *argv: str, **more: Any) -> tuple[int, bytes]:
        """Run a process to its end; give exit code and output."""
        await self.start(process, *argv, **more)
        seen = await self.closed(process)
        return (await self.event(process, "exited"))["exitCode"], output(seen)

    async def run_shell(self, process: str, script: str, **more: Any) -> tuple[int, bytes]:
        return await self.run(process, "/bin/sh", "-c", script, **more)

    async def alive(self) -> bool:
        """Whether the server still answers here."""
        return "exec-server stub does not implement" in (await self.fault("no/such"))[1]

    async def lost(self, limit: float = LIMIT) -> int | None:
        """Wait until the server has dropped this client; give the code of the closing handshake."""
        with anyio.fail_after(limit):
            await self.connection.wait_closed()
        return self.connection.close_code


def launch(process: str, *argv: str, env: Mapping[str, str] | None = None, **more: Any) -> Message:
    """Give the parameters of ``process/start``."""
    environ = {"PATH": PATH} if env is None else dict(env)
    return {"processId": process, "argv": list(argv), "cwd": "file:///", "env": environ, "tty": False, **more}


@asynccontextmanager
async def wire(url: str, **options: Any) -> AsyncIterator[Wire]:
    """Connect without a handshake of the protocol."""
    plain: dict[str, Any] = {"compression": None, "max_size": None, "ping_interval": None, "close_timeout": 2}
    async with connect(url, **{**plain, **options}) as connection:
        yield Wire(connection)


@asynccontextmanager
async def client(url: str, resume: str | None = None, **options: Any) -> AsyncIterator[Wire]:
    """Connect and make the handshake."""
    async with wire(url, **options) as made:
        await made.initialize(resume)
        yield made


async def ended(pid: int) -> None:
    """Wait until there is no such process, or only what its parent has still to collect."""
    with anyio.fail_after(LIMIT):
        while True:
            try:
                state = (await anyio.Path(f"/proc/{pid}/stat").read_text()).rpartition(")")[2].split()[0]
            except (FileNotFoundError, ProcessLookupError):
                return
            if state == "Z":
                return
            await anyio.sleep(0.01)


async def appears(path: Path) -> None:
    """Wait until there is such a file."""
    with anyio.fail_after(LIMIT):
        while True:
            if await anyio.Path(path).exists():
                return
            await anyio.sleep(0.01)
