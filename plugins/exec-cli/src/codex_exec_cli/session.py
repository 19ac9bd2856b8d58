"""Run one turn through the app-server and report its events."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Self

from codex_exec_cli.errors import ExecError, await_response
from codex_hookspecs.errors import CodexError, RpcError
from codex_hookspecs.protocol import (
    AgentMessage,
    ConfigWarning,
    ItemCompleted,
    Plan,
    ThreadStartParams,
    TurnCompleted,
    TurnStartParams,
    WarningNotice,
)

if TYPE_CHECKING:
    from codex_exec_cli.reporter import Reporter
    from codex_exec_cli.request import ExecRequest
    from codex_hookspecs.protocol import (
        Notification,
        ReviewStartResponse,
        ThreadForkResponse,
        ThreadStartResponse,
        TurnStartResponse,
        TurnStatus,
    )
    from codex_hookspecs.surface import AppClient, SurfaceHost

CLIENT_NAME: Final = "codex_exec"
_INTERRUPTED_STATUS: Final = 1
_SIGNALS: Final = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


async def run_session(request: ExecRequest, host: SurfaceHost, reporter: Reporter) -> tuple[int, str | None]:
    """Run the turn.

    :return: exit status and final message.
    :raises ExecError: when the thread can't be started or resumed, or the turn can't be started.
    """
    client = await await_response(
        host.app_server().connect(client_name=CLIENT_NAME, client_version=host.version, session_source="exec")
    )
    session = _Session(client, reporter)
    try:
        with _Signals(session) as signals:
            status = await session.run(request)
        return signals.status or status, session.final_message
    finally:
        await client.aclose()


class _Session:
    def __init__(self, client: AppClient, reporter: Reporter) -> None:
        self._client = client
        self._reporter = reporter
        self._thread_id = ""
        self._turn_id = ""
        self._kept = False
        self._warnings: set[str] = set()
        self._interrupting: asyncio.Task[None] | None = None
        self.final_message: str | None = None

    async def run(self, request: ExecRequest) -> int:
        opened = await _open(self._client, request, self._reporter)
        if request.in_repository:
            from codex_exec_cli.remote import check_remote_directory

            await check_remote_directory(self._client, opened.cwd)
        self._thread_id = opened.thread.id
        self._kept = not opened.thread.ephemeral
        self._reporter.begin(opened, request.prompt if request.turn else None)
        if request.adds_directories and opened.sandbox.get("type") == "readOnly":
            self._reporter.remark(
                "warning: --add-dir has no effect: the sandbox is read-only (-s workspace-write lets commands write)"
            )
        if not request.turn:
            return 0
        self._turn_id = await self._begin(request)
        status = await self._follow()
        if status != "completed":
            self.final_message = None
        self._reporter.end(self.final_message, completed=status == "completed")
        return {"completed": 0, "failed": 1}.get(status, _INTERRUPTED_STATUS)

    def interrupt(self) -> bool:
        """Interrupt the turn; return ``False`` when none is running yet."""
        if not self._turn_id:
            return False
        if self._interrupting is None:
            self._interrupting = asyncio.create_task(self._interrupt())
        return True

    async def _begin(self, request: ExecRequest) -> str:
        if request.review is not None:
            review = {"threadId": self._thread_id, "target": request.review}
            if request.output_schema is not None:
                review["outputSchema"] = request.output_schema
            answer: TurnStartResponse | ReviewStartResponse = await await_response(
                self._client.request("review/start", review)
            )
        else:
            params = TurnStartParams(
                thread_id=self._thread_id, input=request.input, output_schema=request.output_schema
            )
            answer = await await_response(self._client.request("turn/start", params))
        return answer.turn.id

    async def _follow(self) -> TurnStatus:
        try:
            async for notification in self._client.notifications():
                if not self._is_relevant(notification) or self._was_told(notification):
                    continue
                if isinstance(notification, ItemCompleted) and isinstance(notification.item, AgentMessage | Plan):
                    self.final_message = notification.item.text
                self._reporter.show(notification)
                if isinstance(notification, TurnCompleted):
                    return notification.turn.status
        except RpcError as error:
            return self._lose(error.message)
        return self._lose("the app-server closed the connection before the turn was over")

    def _lose(self, message: str) -> TurnStatus:
        """Report a turn whose end can't be known."""
        from codex_hookspecs.protocol import ErrorNotice, Turn, TurnError

        error, ids = TurnError(message), {"thread_id": self._thread_id, "turn_id": self._turn_id}
        self._reporter.show(ErrorNotice(error=error, will_retry=False, **ids))
        turn = Turn(id=self._turn_id, status="failed", error=error)
        self._reporter.show(TurnCompleted(thread_id=self._thread_id, turn=turn))
        if self._kept:
            self._reporter.remark(f"to go on, when the server is there again: codex exec resume {self._thread_id}")
        return "failed"

    def _is_relevant(self, notification: Notification) -> bool:
        return getattr(notification, "thread_id", None) in (None, self._thread_id)

    def _was_told(self, notification: Notification) -> bool:
        """Return whether a warning about the program was shown before; a server repeats some with a thread."""
        if isinstance(notification, ConfigWarning):
            before = notification.summary in self._warnings
            self._warnings.add(notification.summary)
            return before
        return isinstance(notification, WarningNotice) and notification.message in self._warnings

    async def _interrupt(self) -> None:
        from codex_hookspecs.protocol import TurnInterruptParams

        params = TurnInterruptParams(self._thread_id, self._turn_id)
        try:
            await self._client.request("turn/interrupt", params)
        except CodexError:
            # The turn has ended in the meantime.
            return


class _Signals:
    """Handles signals: the first one interrupts the turn, a second one ends the program."""

    def __init__(self, session: _Session) -> None:
        self._session = session
        self._received = 0
        self.status = 0

    def __enter__(self) -> Self:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        loop = asyncio.get_running_loop()
        with suppress(NotImplementedError):  # Not available on Windows: there Ctrl-C ends the program directly.
            for number in _SIGNALS:
                loop.add_signal_handler(number, self._handle, number)
        return self

    def __exit__(self, *_: object) -> None:
        loop = asyncio.get_running_loop()
        with suppress(NotImplementedError):
            for number in _SIGNALS:
                loop.remove_signal_handler(number)

    def _handle(self, number: signal.Signals) -> None:
        self._received += 1
        if number != signal.SIGINT:
            self.status = 128 + number
        if self._received > 1 or not self._session.interrupt():
            self.status = 128 + number
            self._task.cancel()


async def _open(
    client: AppClient, request: ExecRequest, reporter: Reporter
) -> ThreadStartResponse | ThreadForkResponse:
    if request.fork is not None:
        return await _fork(client, request, request.fork)
    if request.resume is None:
        start = ThreadStartParams(**request.settings, ephemeral=request.ephemeral or None)
        return await await_response(client.request("thread/start", start))
    from codex_exec_cli.finding import explained, find_thread

    thread_id = await find_thread(client, request, request.resume)
    if thread_id is None:
        if request.resume:
            raise ExecError(
                f"Error: no session is named `{request.resume}`; give its whole id, or --last for the newest one"
            )
        where = "" if request.everywhere else " of this directory (--all: of any directory)"
        reporter.remark(f"There is no session{where} to resume; a new one is started.")
        return await await_response(client.request("thread/start", ThreadStartParams(**request.settings)))
    from codex_hookspecs.protocol import ThreadResumeParams

    resume = ThreadResumeParams(thread_id=thread_id, **request.settings)
    try:
        return await client.request("thread/resume", resume)
    except RpcError as error:
        raise await explained(client, request, "thread/resume", thread_id, error) from error


async def _fork(client: AppClient, request: ExecRequest, session: str) -> ThreadForkResponse:
    from codex_exec_cli.finding import explained, find_thread
    from codex_hookspecs.protocol import ThreadForkParams

    thread_id = await find_thread(client, request, session)
    if thread_id is None:
        raise ExecError(f"Error: no session is named `{session}`; give its whole id")
    fork = ThreadForkParams(thread_id=thread_id, **request.settings, ephemeral=request.ephemeral)
    try:
        opened: ThreadForkResponse = await client.request("thread/fork", fork)
    except RpcError as error:
        raise await explained(client, request, "thread/fork", thread_id, error) from error
    return opened
