"""Run one turn through the app-server and report its events."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Self, TypeVar

from codex_exec_cli.errors import ExecError
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
    is_uuid,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from codex_exec_cli.reporter import Reporter
    from codex_exec_cli.request import ExecRequest
    from codex_hookspecs.protocol import (
        Notification,
        ReviewStartResponse,
        ThreadForkResponse,
        ThreadListResponse,
        ThreadSourceKind,
        ThreadStartResponse,
        TurnStartResponse,
        TurnStatus,
    )
    from codex_hookspecs.surface import AppClient, SurfaceHost

T = TypeVar("T")

CLIENT_NAME: Final = "codex_exec"
SOURCE_KINDS: Final[list[ThreadSourceKind]] = ["cli", "vscode", "exec", "appServer", "unknown"]
_PAGE: Final = 100
_MAX_PAGES: Final = 200
_INTERRUPTED_STATUS: Final = 1
_SIGNALS: Final = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


async def run_session(request: ExecRequest, host: SurfaceHost, reporter: Reporter) -> tuple[int, str | None]:
    """Run the turn.

    :return: exit status and final message.
    :raises ExecError: when the thread can't be started or resumed, or the turn can't be started.
    """
    client = await _await_response(
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
        self._warnings: set[str] = set()
        self._interrupting: asyncio.Task[None] | None = None
        self.final_message: str | None = None

    async def run(self, request: ExecRequest) -> int:
        opened = await _open(self._client, request, self._reporter)
        if request.in_repository:
            from codex_exec_cli.remote import check_remote_directory

            await check_remote_directory(self._client, opened.cwd)
        self._thread_id = opened.thread.id
        self._reporter.begin(opened, request.prompt if request.turn else None)
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
            answer: TurnStartResponse | ReviewStartResponse = await _await_response(
                self._client.request("review/start", review)
            )
        else:
            params = TurnStartParams(
                thread_id=self._thread_id, input=request.input, output_schema=request.output_schema
            )
            answer = await _await_response(self._client.request("turn/start", params))
        return answer.turn.id

    async def _follow(self) -> TurnStatus:
        async for notification in self._client.notifications():
            if not self._is_relevant(notification) or self._was_told(notification):
                continue
            if isinstance(notification, ItemCompleted) and isinstance(notification.item, AgentMessage | Plan):
                self.final_message = notification.item.text
            self._reporter.show(notification)
            if isinstance(notification, TurnCompleted):
                return notification.turn.status
        raise ExecError("Error: the app-server closed the connection before the turn was over")

    def _is_relevant(self, notification: Notification) -> bool:
        return getattr(notification, "thread_id", None) in (None, self._thread_id)

    def _was_told(self, notification: Notification) -> bool:
        """Return whether a warning was shown before; a server tells some of itself, and again with a thread."""
        if isinstance(notification, ConfigWarning):
            text = notification.summary
        elif isinstance(notification, WarningNotice):
            text = notification.message
        else:
            return False
        before = text in self._warnings
        self._warnings.add(text)
        return before

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
        return await _await_response(client.request("thread/start", start))
    thread_id = await _find_thread(client, request, request.resume)
    if thread_id is None:
        if request.resume:
            raise ExecError(f"Error: no session is named `{request.resume}`; give its id, or --last for the newest one")
        where = "" if request.everywhere else " of this directory (--all: of any directory)"
        reporter.remark(f"There is no session{where} to resume; a new one is started.")
        return await _await_response(client.request("thread/start", ThreadStartParams(**request.settings)))
    from codex_hookspecs.protocol import ThreadResumeParams

    resume = ThreadResumeParams(thread_id=thread_id, **request.settings)
    try:
        return await client.request("thread/resume", resume)
    except RpcError as error:
        raise await _explained(client, "thread/resume", thread_id, error) from error


async def _fork(client: AppClient, request: ExecRequest, session: str) -> ThreadForkResponse:
    from codex_hookspecs.protocol import ThreadForkParams

    thread_id = await _find_thread(client, request, session)
    if thread_id is None:
        raise ExecError(f"Error: no session is named `{session}`; give its id")
    fork = ThreadForkParams(thread_id=thread_id, **request.settings, ephemeral=request.ephemeral)
    try:
        opened: ThreadForkResponse = await client.request("thread/fork", fork)
    except RpcError as error:
        raise await _explained(client, "thread/fork", thread_id, error) from error
    return opened


async def _explained(client: AppClient, method: str, thread_id: str, error: RpcError) -> ExecError:
    """Return the error for a thread that can't be opened; one that can be read is archived."""
    message = error.message
    if "no rollout found" in message:
        from codex_hookspecs.protocol import ThreadReadParams

        with suppress(RpcError):
            await client.request("thread/read", ThreadReadParams(thread_id=thread_id))
            message = f"session {thread_id} is archived; bring it back with: codex unarchive {thread_id}"
    return ExecError(f"Error: {method}: {method} failed: {message}")


async def _find_thread(client: AppClient, request: ExecRequest, wanted: str) -> str | None:
    """Find a thread: by id, by name, or the newest if neither is given; ``None`` when there is none."""
    if is_uuid(wanted):
        return wanted.lower()
    from codex_hookspecs.protocol import ThreadListParams

    cursor = None
    for _page in range(_MAX_PAGES):
        query = ThreadListParams(
            cursor=cursor,
            limit=_PAGE if wanted else 1,
            sort_key="updated_at",
            source_kinds=SOURCE_KINDS,
            cwd=None if request.everywhere else request.settings.get("cwd"),
        )
        page = await _await_response(client.request("thread/list", query))
        if not wanted:
            _refuse_if_newest_is_unreadable(page)
        for thread in page.data:
            if not wanted or thread.name == wanted:
                return thread.id
        if not wanted or page.next_cursor is None:
            return None
        cursor = page.next_cursor
    return None


def _refuse_if_newest_is_unreadable(page: ThreadListResponse) -> None:
    """Check that no unreadable session is newer than the first thread of a page.

    :raises ExecError: when one is.
    """
    newest = max(page.unreadable, key=lambda each: each.updated_at, default=None)
    if newest is None or (page.data and page.data[0].updated_at > newest.updated_at):
        return
    raise ExecError(
        f"Error: the newest session can't be resumed: {newest.reason}; move that file away or repair it, "
        "or give the id of the session to resume"
    )


async def _await_response(answer: Awaitable[T]) -> T:
    try:
        return await answer
    except RpcError as error:
        raise ExecError(f"Error: {error.message}") from error
