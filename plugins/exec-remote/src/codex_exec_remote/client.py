"""A client session with an exec-server that is resumed after a lost connection."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from logging import Logger
from typing import Any, Final, Protocol

from codex_exec_remote.protocol_versions import ProtocolError, ProtocolVersion, decode_initialize
from codex_exec_remote.websocket_link import MAX_MESSAGE, LinkError, Target, WebSocketLink, open_link
from codex_hookspecs.errors import EnvironmentLost, RpcError
from codex_hookspecs.jsonrpc import Malformed, Notification, Response, RpcId, RpcSession, dump
from codex_hookspecs.protocol import JsonObject

CLIENT_NAME: Final = "codex-environment"
INITIALIZE_SECONDS: Final = 5.0
CALL_SECONDS: Final = 30.0
RESUME_SECONDS: Final = 30.0
"""How long to try to resume a session; servers keep one for 30 to 80 seconds."""
MAX_RESUMES: Final = 10
"""Number of lost connections within ``RESUME_SECONDS`` after which the session is given up."""
_FIRST_DELAY, _LONGEST_DELAY = 0.02, 2.0
_ATTACHED = -32010
LOST: Final = "the connection to the exec-server was lost"


_ID_MEMBERS: Final = {"process": "processId", "http": "requestId"}


class Listener(Protocol):
    """Receives notifications of the session: a process, or the body of an HTTP response."""

    def on_notification(self, method: str, params: JsonObject) -> None:
        """Handle a notification."""
        ...

    def on_resumed(self) -> None:
        """Fetch what was missed while there was no connection."""
        ...

    def on_lost(self, message: str) -> None:
        """Fail: nothing more will arrive."""
        ...


class Client:
    """A session with an exec-server.

    :param resumable: whether the session is resumed after a lost connection.
    :ivar protocol_version: version that the server speaks, detected with the first connection.
    :ivar info: the server's facts about its environment.
    :ivar end_reason: why the session has ended, or ``None``.
    :ivar resumes: how often the session was resumed.
    :ivar processes: listeners by id of the process or request.
    """

    def __init__(self, target: Target, log: Logger, *, resumable: bool = True) -> None:
        self.protocol_version: ProtocolVersion = "0.169"
        self.info: JsonObject = {}
        self.end_reason: str | None = None
        self.resumes = 0
        self.processes: dict[str, Listener] = {}
        self._target = target
        self._log = log
        self._resumable = resumable
        self._loop = asyncio.get_running_loop()
        self._session: str | None = None
        self._rpc = RpcSession(max_message=MAX_MESSAGE)
        self._pending: dict[RpcId, asyncio.Future[Any]] = {}
        self._link: WebSocketLink | None = None
        self._ready = False
        self._changed = asyncio.Event()
        self._pausing: set[str] = set()
        self._urgent_calls = 0
        self._resuming: asyncio.Task[None] | None = None
        self._resumed_at: deque[float] = deque(maxlen=MAX_RESUMES)
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def paused(self) -> bool:
        """Whether reading is paused because the reader of a process is behind."""
        return bool(self._pausing)

    @property
    def connected(self) -> bool:
        """Whether there is a connection at the moment."""
        return self._ready

    def has_capability(self, name: str) -> bool:
        """Tell whether the server has announced a capability."""
        capabilities = self.info.get("capabilities")
        return isinstance(capabilities, dict) and capabilities.get(name) is True

    async def open(self) -> None:
        """Connect for the first time.

        :raises EnvironmentLost: when that fails.
        """
        try:
            await self._establish()
        except (LinkError, RpcError, ProtocolError) as error:
            raise EnvironmentLost(
                f"failed to connect to exec-server websocket `{self._target.url}`: {error}"
            ) from error

    async def call(
        self,
        method: str,
        params: Any,
        *,
        seconds: float | None = CALL_SECONDS,
        already_done: Callable[[RpcError], bool] | None = None,
    ) -> Any:
        """Send a request and return its result; after a lost connection the request is sent again.

        :param seconds: timeout of the response.
        :param already_done: tells whether an error of a repeated request means that the first one was carried out.
        :raises RpcError: when the server answers with an error.
        :raises EnvironmentLost: when there is no response.
        """
        attempts = 0
        try:
            async with asyncio.timeout(seconds):
                while True:
                    link = await self._wait_connected()
                    attempts += 1
                    try:
                        return await self._request(link, method, params)
                    except LinkError:
                        continue
                    except RpcError as error:
                        if attempts > 1 and already_done is not None and already_done(error):
                            return None
                        raise
        except TimeoutError as error:
            raise EnvironmentLost(f"the exec-server did not answer {method} within {seconds:g} seconds") from error

    def post(self, method: str, params: JsonObject) -> None:
        """Send a request and ignore its response; do nothing when there is no connection."""
        if self._link is None or not self._ready:
            return
        request_id, message = self._rpc.request(method, params)
        self._rpc.forget(request_id)
        try:
            self._link.post(dump(message))
        except LinkError:
            return

    def pause_reading(self, process_id: str, *, paused: bool) -> None:
        """Pause reading while a process's reader is behind; it continues while a response is awaited."""
        if paused:
            self._pausing.add(process_id)
        else:
            self._pausing.discard(process_id)
        self._update_reading()

    def reconnect(self, reason: str) -> None:
        """Drop the connection, which no longer works, so that a new one is opened."""
        if self._link is not None:
            self._link.drop(reason)

    def track_task(self, task: asyncio.Task[Any]) -> None:
        """Hold a reference to a task until it is done; it is cancelled with the session."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def aclose(self) -> None:
        """Close the session."""
        link, self._link = self._link, None
        self._end("the environment is closed")
        tasks = [*self._tasks, *([self._resuming] if self._resuming is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if link is not None:
            await link.aclose()

    async def _establish(self) -> None:
        """Connect, and open or resume the session."""
        self._rpc = RpcSession(max_message=MAX_MESSAGE)
        link = await open_link(self._target, self._on_message, self._on_connection_lost)
        self._link = link
        try:
            async with asyncio.timeout(INITIALIZE_SECONDS):
                answer = decode_initialize(await self._initialize(link))
                await link.send(dump(self._rpc.notify("initialized", {})))
        except BaseException as error:
            self._link = None
            link.drop("initialize failed")
            if isinstance(error, TimeoutError):
                raise LinkError("no answer to initialize in time") from error
            raise
        self._session = answer.session
        self.protocol_version = "0.118" if answer.session is None else "0.169"
        self.info = answer.info or self.info
        self._ready = True
        self._changed.set()
        self._update_reading()

    async def _initialize(self, link: WebSocketLink) -> Any:
        delay = _FIRST_DELAY
        while True:
            try:
                asked = {"clientName": CLIENT_NAME, "resumeSessionId": self._session}
                return await self._request(link, "initialize", asked)
            except RpcError as error:
                # The server may not have noticed the loss of the old connection yet.
                if error.code != _ATTACHED:
                    raise
            await asyncio.sleep(delay)
            delay *= 2

    async def _wait_connected(self) -> WebSocketLink:
        while self._link is None or not self._ready:
            if self.end_reason is not None:
                raise EnvironmentLost(self.end_reason)
            self._changed.clear()
            await self._changed.wait()
        return self._link

    async def _request(self, link: WebSocketLink, method: str, params: Any) -> Any:
        request_id, message = self._rpc.request(method, params)
        answer = self._pending[request_id] = self._loop.create_future()
        # A write may block until the process reads its input, which it may not do before its output is read.
        urgent = method != "process/write"
        self._urgent_calls += urgent
        self._update_reading()
        try:
            await link.send(dump(message))
            return await answer
        finally:
            if self._pending.get(request_id) is answer:
                del self._pending[request_id]
                self._rpc.forget(request_id)
            self._urgent_calls -= urgent
            self._update_reading()

    def _update_reading(self) -> None:
        if self._link is not None:
            self._link.pause_reading(paused=bool(self._pausing) and not self._urgent_calls)

    def _on_message(self, payload: bytes) -> None:
        event = self._rpc.receive(payload)
        if type(event) is Notification:
            self._dispatch(event)
        elif type(event) is Response:
            future = self._pending.get(event.id)
            if future is None or future.done():
                return
            if event.error is None:
                future.set_result(event.result)
            else:
                future.set_exception(event.error)
        elif type(event) is Malformed:
            self.reconnect(f"the server sent an invalid message: {event.reason}")

    def _dispatch(self, event: Notification) -> None:
        params = event.params
        member = _ID_MEMBERS.get(event.method.partition("/")[0])
        if member is None or type(params) is not dict:
            return
        name = params.get(member)
        listener = self.processes.get(name) if type(name) is str else None
        if listener is None:
            return
        try:
            listener.on_notification(event.method, params)
        except ProtocolError as error:
            self.reconnect(f"the server sent an invalid notification: {error}")

    def _on_connection_lost(self, reason: str) -> None:
        was_ready, self._ready = self._ready, False
        self._link = None
        pending, self._pending = self._pending, {}
        for future in pending.values():
            if not future.done():
                future.set_exception(LinkError(reason))
                future.exception()
        if self.end_reason is not None or not was_ready:
            return
        self._log.warning("connection to %s lost: %s", self._target.url, reason)
        if self._session is None or not self._resumable:
            self._end(LOST)
        else:
            self._resuming = self._loop.create_task(self._resume(), name="resume exec-server session")

    async def _resume(self) -> None:
        now = self._loop.time()
        often = len(self._resumed_at) == MAX_RESUMES and now - self._resumed_at[0] < RESUME_SECONDS
        self._resumed_at.append(now)
        delay = _FIRST_DELAY
        while not often:
            try:
                await self._establish()
            except (LinkError, ProtocolError) as error:
                self._log.info("connecting to %s again: %s", self._target.url, error)
            except RpcError as error:
                self._log.info("resuming the session at %s: %s", self._target.url, error)
                break
            else:
                self._notify_resumed()
                return
            if self._loop.time() - now > RESUME_SECONDS:
                break
            await asyncio.sleep(delay)
            delay = min(2 * delay, _LONGEST_DELAY)
        self._end(f"{LOST} and could not be resumed")

    def _notify_resumed(self) -> None:
        self.resumes += 1
        self._pausing.clear()
        self._update_reading()
        for listener in list(self.processes.values()):
            listener.on_resumed()

    def _end(self, reason: str) -> None:
        if self.end_reason is None:
            self.end_reason = reason
        self._changed.set()
        listeners, self.processes = list(self.processes.values()), {}
        for listener in listeners:
            listener.on_lost(reason)
