"""A fake exec-server without real processes, which misbehaves as a test requires.

async with fake_exec_server() as fake:
    fake.behaviour["process/start"] = refuse(-32603, "No space left on device (os error 28)")
"""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from codex_hookspecs.types.json import JsonObject

if TYPE_CHECKING:
    from websockets.asyncio.server import ServerConnection

LIMIT: Final = 10.0
"""Time limit of a wait in seconds."""
Behaviour = Callable[[Any], Any]


class Refuse(Exception):
    """Raised by a behaviour to respond with an error."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def refuse(code: int, message: str) -> Behaviour:
    """Return a behaviour that responds with an error."""

    def behave(_params: Any) -> Any:
        raise Refuse(code, message)

    return behave


def cut(_params: Any) -> Any:
    """Abort the connection instead of responding."""
    raise Cut


def silence(_params: Any) -> Any:
    """Never respond."""
    raise Silence


class Cut(Exception):
    """Raised by a behaviour to abort the connection instead of responding."""


class Silence(Exception):
    """Raised by a behaviour to never respond."""


class FakeProcess:
    """The server's state of a process; nothing is run."""

    def __init__(self, start: JsonObject) -> None:
        self.start = start
        self.events: list[tuple[str, JsonObject]] = []
        self.written: list[bytes] = []
        self.write_ids: list[str | None] = []

    def note(self, kind: str, **members: Any) -> tuple[str, JsonObject]:
        """Number an event."""
        params = {"processId": self.start["processId"], "seq": len(self.events) + 1, **members}
        self.events.append((f"process/{kind}", params))
        return self.events[-1]


class FakeExecServer:
    """The server.

    :ivar behaviour: functions that replace methods: called with the parameters, return the result.
    :ivar requests: all requests, in order.
    :ivar early: notifications to send before the next response.
    :ivar retained: only events after this sequence number can be read.
    """

    def __init__(self, dialect: str) -> None:
        self.dialect = dialect
        self.url = ""
        self.behaviour: dict[str, Behaviour] = {}
        self.requests: list[tuple[str, Any]] = []
        self.processes: dict[str, FakeProcess] = {}
        self.connections: list[ServerConnection] = []
        self.headers: list[str | None] = []
        self.early: list[JsonObject] = []
        self.retained = 0
        self.info: JsonObject = {}
        self._changed = asyncio.Event()

    def asked(self, method: str) -> list[JsonObject]:
        """Return the parameters of all requests of a method."""
        return [params for name, params in self.requests if name == method]

    async def until(self, fits: Callable[[], bool]) -> None:
        """Wait until a request makes a condition true."""
        async with asyncio.timeout(LIMIT):
            while not fits():
                self._changed.clear()
                await self._changed.wait()

    async def say(self, process_id: str, text: str, *, tell: bool = True) -> None:
        """Simulate output of a process."""
        chunk = b64encode(text.encode()).decode()
        await self.happen(process_id, "output", tell=tell, stream="stdout", chunk=chunk)

    async def end(self, process_id: str, code: int = 0, *, tell: bool = True) -> None:
        """Simulate the exit and close of a process."""
        await self.happen(process_id, "exited", tell=tell, exitCode=code, sandboxDenied=False)
        await self.happen(process_id, "closed", tell=tell)

    async def happen(self, process_id: str, kind: str, *, tell: bool = True, **members: Any) -> None:
        """Record an event, and send its notification."""
        method, params = self.processes[process_id].note(kind, **members)
        if tell:
            await self.tell(method, params)

    async def tell(self, method: str, params: JsonObject) -> None:
        """Send a notification on the newest connection."""
        await self.send({"method": method, "params": params})

    async def send(self, message: Any) -> None:
        """Send a message, JSON or text, on the newest connection."""
        await self.connections[-1].send(message if isinstance(message, str) else json.dumps(message))

    def cut(self) -> None:
        """Abort the newest connection."""
        self.connections[-1].transport.abort()

    async def handle(self, connection: ServerConnection) -> None:
        """Serve one connection."""
        from websockets.exceptions import ConnectionClosed

        assert connection.request is not None
        self.headers.append(connection.request.headers.get("Authorization"))
        self.connections.append(connection)
        try:
            async for message in connection:
                await self._take(connection, json.loads(message))
        except ConnectionClosed:
            return

    async def _take(self, connection: ServerConnection, message: JsonObject) -> None:
        method, params = message["method"], message.get("params")
        self.requests.append((method, params))
        if "id" in message:
            try:
                behave = self.behaviour.get(method, getattr(self, "_" + method.replace("/", "_"), self._unknown))
                answer: JsonObject = {"result": behave(params)}
            except Refuse as error:
                answer = {"error": {"code": error.code, "message": error.message}}
            except Silence:
                answer = {}
            except Cut:
                connection.transport.abort()
                answer = {}
            while self.early:
                await connection.send(json.dumps(self.early.pop(0)))
            if answer:
                await connection.send(json.dumps({"id": message["id"], **answer}))
        self._changed.set()

    def _unknown(self, _params: JsonObject) -> Any:
        raise Refuse(-32601, "exec-server stub does not implement it yet")

    def _initialize(self, params: JsonObject) -> Any:
        if self.dialect == "A":
            return {}
        return {"sessionId": params["resumeSessionId"] or "session", "environmentInfo": self.info}

    def _process_start(self, params: JsonObject) -> Any:
        process_id = params["processId"]
        if process_id in self.processes:
            raise Refuse(-32600, f"process {process_id} already exists")
        self.processes[process_id] = FakeProcess(params)
        return {"processId": process_id}

    def _process_read(self, params: JsonObject) -> Any:
        if params["processId"] not in self.processes:
            raise Refuse(-32600, f"unknown process id {params['processId']}")
        process = self.processes[params["processId"]]
        after = max(params.get("afterSeq") or 0, self.retained)
        kinds = dict(process.events)
        chunks = [told for method, told in process.events if method == "process/output" and told["seq"] > after]
        return {
            "chunks": [{key: chunk[key] for key in ("seq", "stream", "chunk")} for chunk in chunks],
            "nextSeq": len(process.events) + 1,
            "exited": "process/exited" in kinds,
            "exitCode": kinds.get("process/exited", {}).get("exitCode"),
            "closed": "process/closed" in kinds,
            "failure": None,
        }

    def _process_write(self, params: JsonObject) -> Any:
        process = self.processes[params["processId"]]
        write_id = params.get("writeId")
        if write_id is None or write_id not in process.write_ids:
            process.written.append(b64decode(params["chunk"]))
        process.write_ids.append(write_id)
        return {"status": "accepted"}

    def _process_terminate(self, params: JsonObject) -> Any:
        process = self.processes.get(params["processId"])
        running = process is not None and not any(method == "process/exited" for method, _ in process.events)
        if process is not None and running:
            for kind in ("exited", "closed"):
                method, told = process.note(kind, exitCode=137)
                self.early.append({"method": method, "params": told})
        return {"running": running}


@asynccontextmanager
async def fake_exec_server(dialect: str = "B") -> AsyncIterator[FakeExecServer]:
    """Run a server in this process.

    :param dialect: protocol version: ``A`` for 0.118, ``B`` for 0.169.
    """
    from websockets.asyncio.server import serve

    fake = FakeExecServer(dialect)
    async with serve(fake.handle, "127.0.0.1", 0, max_size=None, compression=None, close_timeout=0.2) as listener:
        port = next(iter(listener.sockets)).getsockname()[1]
        fake.url = f"ws://127.0.0.1:{port}"
        yield fake
