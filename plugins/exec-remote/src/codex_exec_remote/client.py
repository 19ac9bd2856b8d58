"""Keep one session with an exec-server, across lost connections (sessions of the exec-server protocol)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from logging import Logger
from typing import Any, Final, Protocol

from codex_exec_remote.dialect import Garbled, Name, read_initialized
from codex_exec_remote.link import MAX_MESSAGE, Link, LinkError, Target, open_link
from codex_hookspecs.errors import EnvironmentLost, RpcError
from codex_hookspecs.jsonrpc import Malformed, Notification, Response, RpcId, RpcSession, dump
from codex_hookspecs.protocol import JsonObject

CLIENT_NAME: Final = "codex-environment"
INITIALIZE_SECONDS: Final = 5.0
CALL_SECONDS: Final = 30.0
RESUME_SECONDS: Final = 30.0
"""How long a lost connection is tried to be resumed; servers keep a session for 30 to 80 seconds."""
MOST_RESUMES: Final = 10
"""Times that a connection may break within ``RESUME_SECONDS``."""
_FIRST_DELAY, _LONGEST_DELAY = 0.02, 2.0
_ATTACHED = -32010
LOST: Final = "the connection to the exec-server was lost"


_NAMED_BY: Final = {"process": "processId", "http": "requestId"}


class Listener(Protocol):
    """A process that hears of its events, or the body of an HTTP answer."""

    def notified(self, method: str, params: JsonObject) -> None:
        """Take a notification."""
        ...

    def resumed(self) -> None:
        """Make up for what was missed while there was no connection."""
        ...

    def lost(self, message: str) -> None:
        """End: nothing more will come."""
        ...


class Client:
    """One session.

    :param resumable: whether a lost connection is made again.
    :ivar dialect: found out with the first connection.
    :ivar info: what the server told of its machine.
    :ivar dead: why the session is over, or ``None``.
    :ivar resumes: how often the connection was resumed.
    :ivar processes: who hears of a process or request, by its id.
    """

    def __init__(self, target: Target, log: Logger, *, resumable: bool = True) -> None:
        self.dialect: Name = "B"
        self.info: JsonObject = {}
        self.dead: str | None = None
        self.resumes = 0
        self.processes: dict[str, Listener] = {}
        self._target = target
        self._log = log
        self._resumable = resumable
        self._loop = asyncio.get_running_loop()
        self._session: str | None = None
        self._rpc = RpcSession(max_message=MAX_MESSAGE)
        self._pending: dict[RpcId, asyncio.Future[Any]] = {}
        self._link: Link | None = None
        self._ready = False
        self._changed = asyncio.Event()
        self._holders: set[str] = set()
        self._hurried = 0
        self._resuming: asyncio.Task[None] | None = None
        self._resumed_at: deque[float] = deque(maxlen=MOST_RESUMES)
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def held(self) -> bool:
        """Whether nothing is read because the reader of a process is behind."""
        return bool(self._holders)

    @property
    def connected(self) -> bool:
        """Whether there is a connection now."""
        return self._ready

    def capable(self, name: str) -> bool:
        """Tell whether the server said that it can do something."""
        capabilities = self.info.get("capabilities")
        return isinstance(capabilities, dict) and capabilities.get(name) is True

    async def open(self) -> None:
        """Connect for the first time.

        :raises EnvironmentLost: when that fails.
        """
        try:
            await self._establish()
        except (LinkError, RpcError, Garbled) as error:
            raise EnvironmentLost(
                f"failed to connect to exec-server websocket `{self._target.url}`: {error}"
            ) from error

    async def call(
        self,
        method: str,
        params: Any,
        *,
        seconds: float | None = CALL_SECONDS,
        done_before: Callable[[RpcError], bool] | None = None,
    ) -> Any:
        """Ask the server; what was asked when the connection broke is asked again when it is back.

        :param seconds: how long to wait for the answer.
        :param done_before: says of a refusal of the second attempt that the first one had been carried out.
        :raises RpcError: when the server refuses.
        :raises EnvironmentLost: when there is no answer.
        """
        attempts = 0
        try:
            async with asyncio.timeout(seconds):
                while True:
                    link = await self._connected()
                    attempts += 1
                    try:
                        return await self._ask(link, method, params)
                    except LinkError:
                        continue
                    except RpcError as error:
                        if attempts > 1 and done_before is not None and done_before(error):
                            return None
                        raise
        except TimeoutError as error:
            raise EnvironmentLost(f"the exec-server did not answer {method} within {seconds:g} seconds") from error

    def post(self, method: str, params: JsonObject) -> None:
        """Ask for something whose answer does not matter, if there is a connection."""
        if self._link is None or not self._ready:
            return
        request_id, message = self._rpc.request(method, params)
        self._rpc.forget(request_id)
        try:
            self._link.post(dump(message))
        except LinkError:
            return

    def hold(self, process_id: str, *, held: bool) -> None:
        """Read nothing while a process's reader is behind, unless somebody waits for an answer."""
        if held:
            self._holders.add(process_id)
        else:
            self._holders.discard(process_id)
        self._adjust()

    def renew(self, reason: str) -> None:
        """Give up a connection that does not work any more."""
        if self._link is not None:
            self._link.drop(reason)

    def own(self, task: asyncio.Task[Any]) -> None:
        """Keep a task until it is done; it ends with the session."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def aclose(self) -> None:
        """End the session."""
        link, self._link = self._link, None
        self._die("the environment is closed")
        tasks = [*self._tasks, *([self._resuming] if self._resuming is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if link is not None:
            await link.aclose()

    async def _establish(self) -> None:
        """Connect and open the session, or resume it."""
        self._rpc = RpcSession(max_message=MAX_MESSAGE)
        link = await open_link(self._target, self._received, self._lost)
        self._link = link
        try:
            async with asyncio.timeout(INITIALIZE_SECONDS):
                answer = read_initialized(await self._initialize(link))
                await link.send(dump(self._rpc.notify("initialized", {})))
        except BaseException as error:
            self._link = None
            link.drop("initialize failed")
            if isinstance(error, TimeoutError):
                raise LinkError("no answer to initialize in time") from error
            raise
        self._session = answer.session
        self.dialect = "A" if answer.session is None else "B"
        self.info = answer.info or self.info
        self._ready = True
        self._changed.set()
        self._adjust()

    async def _initialize(self, link: Link) -> Any:
        delay = _FIRST_DELAY
        while True:
            try:
                asked = {"clientName": CLIENT_NAME, "resumeSessionId": self._session}
                return await self._ask(link, "initialize", asked)
            except RpcError as error:
                # The server may not have noticed yet that the old connection is gone.
                if error.code != _ATTACHED:
                    raise
            await asyncio.sleep(delay)
            delay *= 2

    async def _connected(self) -> Link:
        while self._link is None or not self._ready:
            if self.dead is not None:
                raise EnvironmentLost(self.dead)
            self._changed.clear()
            await self._changed.wait()
        return self._link

    async def _ask(self, link: Link, method: str, params: Any) -> Any:
        request_id, message = self._rpc.request(method, params)
        answer = self._pending[request_id] = self._loop.create_future()
        # A write may wait for as long as the process does that nobody listens to.
        hurried = method != "process/write"
        self._hurried += hurried
        self._adjust()
        try:
            await link.send(dump(message))
            return await answer
        finally:
            if self._pending.get(request_id) is answer:
                del self._pending[request_id]
                self._rpc.forget(request_id)
            self._hurried -= hurried
            self._adjust()

    def _adjust(self) -> None:
        if self._link is not None:
            self._link.hold(held=bool(self._holders) and not self._hurried)

    def _received(self, payload: bytes) -> None:
        event = self._rpc.receive(payload)
        if type(event) is Notification:
            self._told(event)
        elif type(event) is Response:
            future = self._pending.get(event.id)
            if future is None or future.done():
                return
            if event.error is None:
                future.set_result(event.result)
            else:
                future.set_exception(event.error)
        elif type(event) is Malformed:
            self.renew(f"the server sent what is no message: {event.reason}")

    def _told(self, event: Notification) -> None:
        params = event.params
        member = _NAMED_BY.get(event.method.partition("/")[0])
        if member is None or type(params) is not dict:
            return
        name = params.get(member)
        listener = self.processes.get(name) if type(name) is str else None
        if listener is None:
            return
        try:
            listener.notified(event.method, params)
        except Garbled as error:
            self.renew(f"the server sent a notification that can't be read: {error}")

    def _lost(self, reason: str) -> None:
        was_ready, self._ready = self._ready, False
        self._link = None
        pending, self._pending = self._pending, {}
        for future in pending.values():
            if not future.done():
                future.set_exception(LinkError(reason))
                future.exception()
        if self.dead is not None or not was_ready:
            return
        self._log.warning("connection to %s lost: %s", self._target.url, reason)
        if self._session is None or not self._resumable:
            self._die(LOST)
        else:
            self._resuming = self._loop.create_task(self._resume(), name="resume exec-server session")

    async def _resume(self) -> None:
        now = self._loop.time()
        often = len(self._resumed_at) == MOST_RESUMES and now - self._resumed_at[0] < RESUME_SECONDS
        self._resumed_at.append(now)
        delay = _FIRST_DELAY
        while not often:
            try:
                await self._establish()
            except (LinkError, Garbled) as error:
                self._log.info("connecting to %s again: %s", self._target.url, error)
            except RpcError as error:
                self._log.info("resuming the session at %s: %s", self._target.url, error)
                break
            else:
                self._catch_up()
                return
            if self._loop.time() - now > RESUME_SECONDS:
                break
            await asyncio.sleep(delay)
            delay = min(2 * delay, _LONGEST_DELAY)
        self._die(f"{LOST} and could not be resumed")

    def _catch_up(self) -> None:
        self.resumes += 1
        self._holders.clear()
        self._adjust()
        for listener in list(self.processes.values()):
            listener.resumed()

    def _die(self, reason: str) -> None:
        if self.dead is None:
            self.dead = reason
        self._changed.set()
        listeners, self.processes = list(self.processes.values()), {}
        for listener in listeners:
            listener.lost(reason)
