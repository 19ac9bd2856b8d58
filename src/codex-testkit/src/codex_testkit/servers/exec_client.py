"""Start an exec-server, and a client for its protocol.

    async with exec_server() as server, server.client() as client:
        await client.start("p", ["echo", "hi"])
        assert await client.output("p") == b"hi\\n"

A client reads its socket only while the test waits for something; otherwise it is a slow reader.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from base64 import b64decode
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from codex_hookspecs.environments.file_uri import uri_of
from codex_hookspecs.errors import RpcError
from codex_hookspecs.types.json import JsonObject

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

LIMIT: Final = 20.0
"""Time limit of a wait in seconds."""
PATH: Final = "/usr/local/bin:/usr/bin:/bin"


class ExecClient:
    """One connection to a server.

    :ivar told: received notifications that no wait has consumed yet.
    """

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.told: list[JsonObject] = []
        self.session_id = ""
        self.info: JsonObject = {}
        self._answers: dict[int | str, JsonObject] = {}
        self._count = 0

    async def begin(self, resume: str | None = None) -> None:
        """Start a session, or resume one."""
        params = {"clientName": "test-kit", "resumeSessionId": resume}
        result = await self.request("initialize", params)
        self.session_id, self.info = result["sessionId"], result["environmentInfo"]
        await self.notify("initialized", {})

    async def send(self, method: str, params: Any = None) -> int:
        """Send a request and return its id."""
        self._count += 1
        await self.send_raw(json.dumps({"id": self._count, "method": method, "params": params}))
        return self._count

    async def send_raw(self, text: str | bytes) -> None:
        """Send a message as it is."""
        await self.socket.send(text)

    async def notify(self, method: str, params: Any = None) -> None:
        """Send a notification."""
        await self.send_raw(json.dumps({"method": method, "params": params}))

    async def answer(self, request_id: int | str) -> Any:
        """Wait for the response to a request.

        :raises RpcError: when it is an error.
        """
        while request_id not in self._answers:
            await self._read()
        message = self._answers.pop(request_id)
        if "error" in message:
            raise RpcError(message["error"]["message"], code=message["error"]["code"])
        return message["result"]

    async def request(self, method: str, params: Any = None) -> Any:
        """Send a request and wait for the response.

        :raises RpcError: when it is an error.
        """
        return await self.answer(await self.send(method, params))

    async def event(self, wanted: Callable[[JsonObject], bool]) -> JsonObject:
        """Wait for the first matching notification; others are kept for later waits."""
        seen = 0
        while True:
            for place in range(seen, len(self.told)):
                if wanted(self.told[place]):
                    return self.told.pop(place)
            seen = len(self.told)
            await self._read()

    async def start(self, process_id: str, argv: Sequence[str], **params: Any) -> Any:
        """Start a process."""
        given = {"processId": process_id, "argv": list(argv), "cwd": uri_of("/"), "env": {"PATH": PATH}, "tty": False}
        return await self.request("process/start", {**given, **params})

    async def events(self, process_id: str) -> list[JsonObject]:
        """Return all events of a process up to the closing one, in order."""
        found: list[JsonObject] = []
        while not found or found[-1]["method"] != "process/closed":
            found.append(await self.event(lambda told: told["params"].get("processId") == process_id))
        return found

    async def output(self, process_id: str) -> bytes:
        """Return all output of a process."""
        return output_of(await self.events(process_id))

    async def lost(self) -> bool:
        """Wait until the server closes the connection; return whether it did so without the closing handshake."""
        from websockets.exceptions import ConnectionClosed

        try:
            while True:
                await self._read()
        except ConnectionClosed as error:
            return error.rcvd is None

    def cut(self) -> None:
        """Abort the connection without the closing handshake."""
        self.socket.transport.abort()

    async def _read(self) -> None:
        async with asyncio.timeout(LIMIT):
            message = json.loads(await self.socket.recv())
        if "method" in message:
            self.told.append(message)
        else:
            self._answers[message["id"]] = message


class ExecServerAt:
    """A running server.

    :param process: its process, if it was started by the test.
    """

    def __init__(self, url: str, process: asyncio.subprocess.Process | None = None) -> None:
        self.url = url
        self.process = process

    @property
    def pid(self) -> int | None:
        """Id of its process."""
        return self.process.pid if self.process is not None else None

    @asynccontextmanager
    async def client(self, *, begin: bool = True, resume: str | None = None) -> AsyncIterator[ExecClient]:
        """Connect; with ``begin`` also start a session."""
        from websockets.asyncio.client import connect

        async with connect(self.url, compression=None, max_size=None, ping_interval=None, close_timeout=1) as socket:
            client = ExecClient(socket)
            if begin:
                await client.begin(resume)
            yield client


@asynccontextmanager
async def exec_server(
    *arguments: str, command: Sequence[str] | None = None, env: Mapping[str, str] | None = None
) -> AsyncIterator[ExecServerAt]:
    """Run a server in a separate process.

    :param arguments: further arguments.
    :param command: the program, by default the ``codex`` of this Python environment.
    :param env: further environment variables.
    """
    program = command or (os.path.join(os.path.dirname(sys.executable), "codex"),)
    process = await asyncio.create_subprocess_exec(
        *program,
        "exec-server",
        "--listen",
        "ws://127.0.0.1:0",
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, **(env or {})},
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(LIMIT):
            url = (await process.stdout.readline()).decode().strip()
        yield ExecServerAt(url, process)
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            async with asyncio.timeout(LIMIT):
                await process.communicate()  # A child that was just forked may still have its stdout open.
        except TimeoutError:
            process.kill()
            await process.communicate()


def output_of(events: Sequence[JsonObject], stream: str | None = None) -> bytes:
    """Return the output in notifications, of one stream if it is given."""
    parts = [event["params"] for event in events if event["method"] == "process/output"]
    return b"".join(b64decode(part["chunk"]) for part in parts if stream in (None, part["stream"]))
