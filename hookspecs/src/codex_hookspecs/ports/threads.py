"""What the host's threads offer to surfaces, hooks and tools."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

from codex_hookspecs.types.json import JsonObject
from codex_hookspecs.types.notifications import HookRun, Notification
from codex_hookspecs.types.requests import ThreadResumeParams, ThreadStartParams
from codex_hookspecs.types.storage import ThreadPage, ThreadQuery
from codex_hookspecs.types.threads import Thread, ThreadSettings, ThreadTokenUsage, Turn

Listener: TypeAlias = Callable[[Notification], Awaitable[None]]
"""Gets every notification of a thread in order; the thread waits for it."""

RequestHandler: TypeAlias = Callable[[str, JsonObject], Awaitable[JsonObject]]
"""Answers a request to the client: its method and parameters in wire form in, the result out.

An answer that is an error raises :class:`~codex_hookspecs.errors.RpcError`.
"""


class AgentThread(Protocol):
    """One loaded thread, as its hooks and tools see it."""

    @property
    def id(self) -> str:
        """UUID of version 7."""
        ...

    @property
    def settings(self) -> ThreadSettings:
        """Settings that the next turn begins with."""
        ...

    @property
    def path(self) -> str | None:
        """File the thread is kept in, or ``None``."""
        ...

    @property
    def usage(self) -> ThreadTokenUsage:
        """Tokens so far."""
        ...

    @property
    def active_turn_id(self) -> str | None:
        """The running turn, or ``None``."""
        ...

    @property
    def history(self) -> Sequence[JsonObject]:
        """Items of the Responses API that the next request begins with."""
        ...

    @property
    def config(self) -> Mapping[str, Any]:
        """Effective configuration table of the thread's directory with the client's overrides."""
        ...

    async def add_context(self, text: str) -> None:
        """Give the model a developer message with its next request; a running turn makes one more if need be."""
        ...

    async def warn(self, text: str) -> None:
        """Tell the user something, once per distinct text."""
        ...

    def on_close(self, callback: Callable[[], Awaitable[None]]) -> None:
        """Have something done when the thread is unloaded; later ones first, each under a time limit."""
        ...


class LoadedThread(AgentThread, Protocol):
    """One loaded thread, as front ends drive it; :class:`ThreadManager` has them."""

    def summary(self) -> Thread:
        """Return the thread as clients see it, without turns."""
        ...

    def turns(self) -> Sequence[Turn]:
        """Return all turns with their finished items."""
        ...

    async def submit(
        self, content: Sequence[JsonObject], *, settings: ThreadSettings | None = None, reviews: bool = False
    ) -> str:
        """Begin a turn, or steer the running one.

        :param content: user inputs in wire form, e.g. ``{"type":"text","text":…}``.
        :param settings: settings of this and later turns; the present ones when ``None``.
        :param reviews: the turn is a review: ``session_start`` and ``stop`` hooks are not told of it.
        :return: id of the turn; the notifications follow. An empty input makes no turn: the id is that of an error
            notification.
        :raises RpcError: when the thread is closed.
        """
        ...

    async def steer(self, content: Sequence[JsonObject], *, expected_turn_id: str) -> str:
        """Add a message to the running turn.

        :raises RpcError: when no turn or another one is running.
        """
        ...

    async def interrupt(self, turn_id: str | None = None) -> None:
        """End the running turn as interrupted and wait until it has ended.

        :raises RpcError: when no turn, or another one than ``turn_id``, is running.
        """
        ...

    async def wait_idle(self) -> None:
        """Return when no turn is running."""
        ...

    async def notify(self, notification: Notification) -> None:
        """Tell all listeners something."""
        ...

    async def set_status(self, status: JsonObject) -> None:
        """Change what clients see the thread doing and tell them, e.g. that its turn waits for an answer.

        :param status: in wire form: ``{"type":"active","activeFlags":["waitingOnApproval"]}`` …
        """
        ...

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Add a listener.

        :return: removes it again.
        """
        ...

    def set_request_handler(self, handler: RequestHandler | None) -> None:
        """Set who answers requests to the client, such as for approval; with ``None`` they are refused."""
        ...


class ThreadManager(Protocol):
    """All threads of the program."""

    async def start(
        self,
        params: ThreadStartParams | None = None,
        *,
        source: str | JsonObject = "cli",
        originator: str = "codex_cli",
        client_version: str = "",
    ) -> LoadedThread:
        """Make a thread.

        :param params: what the client asks for; the configuration says the rest, or everything when ``None``.
        :param source: what the thread is marked with: ``exec``, ``cli``, ``vscode`` …
        :param originator: client name that the model's provider is told.
        :raises ConfigError: when settings can't be made of it.
        :raises StorageError: when it can't be stored.
        """
        ...

    async def resume(
        self,
        params: ThreadResumeParams,
        *,
        originator: str = "codex_cli",
        client_version: str = "",
    ) -> LoadedThread:
        """Load a stored thread, or return it when it is loaded.

        :raises ThreadNotFound: when there is none.
        :raises ThreadBusy: when another process writes it.
        """
        ...

    def get(self, thread_id: str) -> LoadedThread | None:
        """Return a loaded thread."""
        ...

    def loaded(self) -> Sequence[LoadedThread]:
        """Return the loaded threads, oldest first."""
        ...

    async def unload(self, thread_id: str) -> None:
        """Interrupt, end and let go of a thread; unknown ids are fine."""
        ...

    async def read(self, thread_id: str, *, include_turns: bool) -> Thread:
        """Return a thread, loaded or stored.

        :raises ThreadNotFound: when there is none.
        """
        ...

    async def list(self, query: ThreadQuery) -> ThreadPage:
        """Return one page of stored threads, with the status of those that are loaded."""
        ...

    async def archive(self, thread_id: str) -> None:
        """Unload a thread and put it away.

        :raises ThreadNotFound: when none is stored.
        """
        ...

    async def unarchive(self, thread_id: str) -> Thread:
        """Bring an archived thread back.

        :raises ThreadNotFound: when none is archived.
        """
        ...

    async def set_name(self, thread_id: str, name: str) -> None:
        """Name a thread, loaded or not.

        :raises ThreadNotFound: when there is none.
        """
        ...

    async def find(self, name_or_id: str, *, cwd: str | None = None) -> str | None:
        """Return the id of the newest stored thread with this id or name, or ``None``."""
        ...


class HookScope(Protocol):
    """What an implementation of a lifecycle event can do while it runs, in a parameter named ``scope``.

    The host reports one run of an implementation, when it answers or fails; one that is marked with ``reports_runs``
    reports its runs itself, with ``started`` and ``completed``.
    """

    @property
    def thread(self) -> AgentThread | None:
        """The thread the event happens in; ``None`` when the event comes from elsewhere."""
        ...

    @property
    def config(self) -> Mapping[str, Any]:
        """Effective configuration table for the event's directory."""
        ...

    async def started(self, run: HookRun) -> None:
        """Tell clients that a handler began."""
        ...

    async def completed(self, run: HookRun) -> None:
        """Tell clients that a handler ended."""
        ...

    async def warn(self, message: str) -> None:
        """Tell the user something, once per distinct text and thread."""
        ...

    async def add_context(self, text: str) -> None:
        """Give the model a developer message later, also after the event is over."""
        ...
