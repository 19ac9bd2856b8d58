"""An app-server on a websocket in a process of its own, and many clients of it that cost next to nothing."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

from websockets.frames import Frame, Opcode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

CODEX = str(Path(sys.executable).with_name("codex"))
LIMIT = 60
"""Seconds after which a wait has failed."""
UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
EVERY_THREAD = ("thread/started", "thread/status/changed", "thread/closed", "thread/name/updated")
"""Notifications that all clients get of all threads."""

Message = dict[str, Any]


class WebsocketServer:
    """``codex app-server --listen ws://127.0.0.1:0``; use as an asynchronous context manager.

    :param folder: holds ``home`` and ``ws``, which are made.
    :param base_url: of the server that plays the model.
    :param config: TOML lines for the top of the configuration.
    :param tables: TOML tables for the end of it.
    :ivar launcher: words before the command line.
    """

    def __init__(self, folder: Path, base_url: str, config: str = "", tables: str = "") -> None:
        self.launcher: tuple[str, ...] = ()
        self._clients: list[RawClient] = []
        self.home, self.ws, self._log = folder / "home", folder / "ws", folder / "log"
        for each in (self.home, self.ws):
            each.mkdir(parents=True, exist_ok=True)
        table = f'[model_providers.mock]\nname = "mock"\nbase_url = "{base_url}"\nwire_api = "responses"\n'
        retries = "request_max_retries = 0\nstream_max_retries = 0\n"
        (self.home / "config.toml").write_text(
            f'model = "gpt-5.2-codex"\nmodel_provider = "mock"\n{config}\n{table}{retries}{tables}'
        )

    async def __aenter__(self) -> Self:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("CODEX", "OPENAI"))}
        self._log_start = self._log.stat().st_size if self._log.exists() else 0
        with self._log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *self.launcher, CODEX, "app-server", "--listen", "ws://127.0.0.1:0",
                cwd=self.ws, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=log,
                env={**kept, "CODEX_HOME": str(self.home), "HOME": str(self.home), "CODEX_LOG": "warning",
                     "SHELL": "/bin/bash"},
            )  # fmt: skip
        try:
            async with asyncio.timeout(LIMIT):
                while (found := re.search(r"listening on: ws://127.0.0.1:(\d+)", self.log())) is None:
                    assert self.process.returncode is None, self.log()
                    await asyncio.sleep(0.02)
        except BaseException:
            await self.__aexit__()
            raise
        self.port = int(found[1])
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()
        for client in self._clients:
            client.vanish()
        await asyncio.gather(*(client.lost.wait() for client in self._clients))

    @property
    def pid(self) -> int:
        return self.process.pid

    def log(self) -> str:
        """Return what this server has logged."""
        return self._log.read_bytes()[self._log_start :].decode("utf-8", "replace")

    def memory(self, peak: bool = False) -> int:
        """Return the resident KiB, or the most there were."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.findall(rf"{'VmHWM' if peak else 'VmRSS'}:\s+(\d+)", status)[0])

    def open_files(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def children(self) -> set[int]:
        """Return the ids of the processes that it has started and not yet waited for."""
        folder = f"/proc/{self.pid}/task"
        found = [Path(folder, task, "children").read_text().split() for task in os.listdir(folder)]
        return {int(child) for children in found for child in children}

    def signal(self, number: signal.Signals = signal.SIGTERM) -> None:
        os.kill(self.pid, number)

    async def ended(self) -> int:
        """Wait for its end and return the exit status."""
        return await asyncio.wait_for(self.process.wait(), LIMIT)

    async def connect(self, *, reads: bool = True, opt_out: Iterable[str] = ()) -> RawClient:
        """Connect a client and make its handshake.

        :param reads: whether it reads any further.
        :param opt_out: notifications that it does not want.
        """
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(LIMIT):
            _, client = await loop.create_connection(RawClient, "127.0.0.1", self.port)
            self._clients.append(client)
            await client.ask(
                "initialize",
                clientInfo={"name": "client", "version": "1"},
                capabilities={"experimentalApi": True, "optOutNotificationMethods": list(opt_out)},
            )
        client.send({"method": "initialized"})
        if not reads:
            client.stall()
        return client


class RawClient(asyncio.Protocol):
    """One client, which reads as fast as it can.

    :ivar handle: called with each message that is no answer; without it they are kept in ``messages``.
    :ivar lost: set when the connection has ended.
    """

    def __init__(self) -> None:
        self.handle: Callable[[Message], None] | None = None
        self.messages: list[Message] = []
        self.answers: dict[int, list[Message]] = {}
        self.lost = asyncio.Event()
        self._data = bytearray()
        self._upgraded = False
        self._number = 0
        self._waiting: dict[int, asyncio.Future[Message]] = {}
        self._changed = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(UPGRADE)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set()
        self._changed.set()
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(ConnectionResetError("the connection is lost"))

    def data_received(self, data: bytes) -> None:
        self._data += data
        if not self._upgraded:
            head, end, rest = self._data.partition(b"\r\n\r\n")
            if not end:
                return
            assert head.startswith(b"HTTP/1.1 101"), head
            self._data, self._upgraded = rest, True
        self._take_frames()

    def send(self, message: Any) -> None:
        """Send a message."""
        self.transport.write(Frame(Opcode.TEXT, json.dumps(message).encode()).serialize(mask=True))

    def begin(self, method: str, params: Any) -> int:
        """Send a request and return its id."""
        self._number += 1
        self.send({"id": self._number, "method": method, "params": params})
        return self._number

    async def answer(self, number: int) -> Message:
        """Wait for the answer to a request."""
        if number in self.answers:
            return self.answers[number][0]
        self._waiting[number] = asyncio.get_running_loop().create_future()
        return await asyncio.wait_for(self._waiting[number], LIMIT)

    async def call(self, method: str, /, **params: Any) -> Message:
        """Send a request and return the whole answer."""
        return await self.answer(self.begin(method, params))

    async def ask(self, method: str, /, **params: Any) -> Any:
        """Send a request and return its result."""
        answer = await self.call(method, **params)
        assert "result" in answer, (method, answer)
        return answer["result"]

    async def thread(self, **params: Any) -> str:
        """Start a thread with full access and return its id."""
        defaults = {"sandbox": "danger-full-access", "approvalPolicy": "never"}
        return str((await self.ask("thread/start", **{**defaults, **params}))["thread"]["id"])

    async def turn(self, thread_id: str, content: Any, **params: Any) -> str:
        """Start a turn and return its id."""
        text = [{"type": "text", "text": content, "text_elements": []}] if isinstance(content, str) else content
        return str((await self.ask("turn/start", threadId=thread_id, input=text, **params))["turn"]["id"])

    async def until(self, wanted: Callable[[Message], Any]) -> Message:
        """Wait for a message that is kept, whether it is there already or not."""
        seen = 0
        async with asyncio.timeout(LIMIT):
            while True:
                for message in self.messages[seen:]:
                    if wanted(message):
                        return message
                seen = len(self.messages)
                assert not self.lost.is_set(), "the connection is lost"
                self._changed.clear()
                await self._changed.wait()

    async def completed(self, thread_id: str, turn_id: str | None = None) -> Message:
        """Wait for the end of a turn."""

        def is_it(message: Message) -> bool:
            if message.get("method") != "turn/completed" or message["params"]["threadId"] != thread_id:
                return False
            return turn_id is None or message["params"]["turn"]["id"] == turn_id

        return await self.until(is_it)

    def stall(self) -> None:
        """Read no more."""
        self.transport.pause_reading()

    def vanish(self) -> None:
        """Drop the connection without a word."""
        self.transport.abort()

    async def close(self) -> None:
        """Drop the connection and wait for its end."""
        self.transport.close()
        with suppress(TimeoutError):
            await asyncio.wait_for(self.lost.wait(), LIMIT)

    def _take_frames(self) -> None:
        data, at = self._data, 0
        while len(data) - at >= 2:
            size, start = data[at + 1], at + 2
            if size >= 126:
                width = 2 if size == 126 else 8
                if len(data) < start + width:
                    break
                size, start = int.from_bytes(data[start : start + width], "big"), start + width
            if len(data) < start + size:
                break
            if data[at] == 0x81:
                self._take(json.loads(data[start : start + size]))
            at = start + size
        del data[:at]

    def _take(self, message: Message) -> None:
        if "id" in message and "method" not in message:
            number = message["id"]
            self.answers.setdefault(number, []).append(message)
            future = self._waiting.pop(number, None)
            if future is not None and not future.done():
                future.set_result(message)
        elif self.handle is not None:
            self.handle(message)
        else:
            self.messages.append(message)
            self._changed.set()


def sleep(server: WebsocketServer) -> str:
    """Return a command that sleeps, and that no other test uses."""
    return f"sleep 600.{server.port}"


def processes(command: str) -> list[int]:
    """Return the processes whose command line has a text."""
    wanted = command.replace(" ", "\0").encode()
    ids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return [each for each in ids if wanted in command_line(each)]


def command_line(process: int) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""
