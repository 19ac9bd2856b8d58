"""Threads, with their interfaces for front ends, hooks and tools."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from codex_hookspecs.types.json import JsonObject
from codex_hookspecs.types.notifications import HookRun, Notification
from codex_hookspecs.types.requests import ThreadResumeParams, ThreadStartParams
from codex_hookspecs.types.storage import ThreadPage, ThreadQuery
from codex_hookspecs.types.threads import Thread, ThreadSettings, ThreadTokenUsage, Turn

if TYPE_CHECKING:
    from codex_hookspecs.types.app_server.models import Model
    from codex_hookspecs.types.app_server.threads import ThreadForkParams

Listener: TypeAlias = Callable[[Notification], Awaitable[None]]
"""Called with every notification of a thread, in order; the thread awaits it."""

RequestHandler: TypeAlias = Callable[[str, JsonObject], Awaitable[JsonObject]]
"""Handles a request to the client: called with method and parameters in wire form, returns the result.

Raises :class:`~codex_hookspecs.errors.RpcError` for an error response.
"""


Action: TypeAlias = Callable[[Any], Awaitable[Sequence[JsonObject]]]
"""An action of the user in a turn, such as a command of their own.

It is called with a :class:`~codex_hookspecs.ports.tools.ToolContext`, as a tool is, and returns items for the model's
history. It is cancelled when the turn is interrupted.
"""


class AgentThread(Protocol):
    """One loaded thread, with the interface for hooks and tools."""

    @property
    def id(self) -> str:
        """UUID of version 7."""
        ...

    @property
    def settings(self) -> ThreadSettings:
        """Settings for the next turn."""
        ...

    @property
    def path(self) -> str | None:
        """File that the thread is stored in, or ``None``."""
        ...

    @property
    def usage(self) -> ThreadTokenUsage:
        """Token usage so far."""
        ...

    @property
    def active_turn_id(self) -> str | None:
        """Id of the running turn, or ``None``."""
        ...

    @property
    def history(self) -> Sequence[JsonObject]:
        """The model's history: items of the Responses API."""
        ...

    @property
    def config(self) -> Mapping[str, Any]:
        """Effective configuration of the thread's directory, with the client's overrides."""
        ...

    async def add_context(self, text: str) -> None:
        """Add a developer message to the next model request; a running turn makes one more if necessary."""
        ...

    async def warn(self, text: str) -> None:
        """Warn the user, once per distinct text."""
        ...

    def on_close(self, callback: Callable[[], Awaitable[None]]) -> None:
        """Register a cleanup function for when the thread is unloaded; called last first, each with a time limit."""
        ...


class LoadedThread(AgentThread, Protocol):
    """One loaded thread, with the interface for front ends; obtained from :class:`ThreadManager`."""

    def summary(self) -> Thread:
        """Return the thread in the form for clients, without turns."""
        ...

    async def turns(self) -> Sequence[Turn]:
        """Return all turns with their completed items, read from the store if the thread is stored.

        :raises StorageError: when they can't be read.
        """
        ...

    async def submit(
        self, content: Sequence[JsonObject], *, settings: ThreadSettings | None = None, review: str | None = None
    ) -> str:
        """Start a turn, or steer the running one.

        :param content: user inputs in wire form, e.g. ``{"type":"text","text":…}``.
        :param settings: settings of this and later turns; ``None`` keeps the current ones.
        :param review: if the turn is a review, what it reviews, as shown to users. For a review, ``session_start`` and
            ``stop`` hooks are not called.
        :return: id of the turn; its progress is sent as notifications. Empty input starts no turn; the id is that of an
            error notification.
        :raises RpcError: when the thread is closed.
        """
        ...

    async def roll_back(self, count: int) -> None:
        """Remove the last turns from the thread and from the model's history; files in the work tree stay as they are.

        What a turn is, is defined by :class:`~codex_hookspecs.types.storage.TurnsDropped`.

        :param count: number of turns; all, if there are fewer.
        :raises RpcError: when a turn is running, or the thread is not stored.
        :raises StorageError: when it can't be stored.
        """
        ...

    async def steer(self, content: Sequence[JsonObject], *, expected_turn_id: str) -> str:
        """Add a message to the running turn.

        :raises RpcError: when no turn or another one is running.
        """
        ...

    async def act(self, action: Action) -> str:
        """Perform an action of the user in the running turn, or in a turn of its own.

        The running turn makes another model request if the action adds to the history; a turn of its own makes none.

        :return: id of the turn.
        :raises RpcError: when the thread is closed.
        """
        ...

    async def inject(self, items: Sequence[JsonObject]) -> None:
        """Add items of the Responses API to the model's history; a running turn makes one more request with them.

        Clients are not notified.

        :raises RpcError: when the thread is closed.
        """
        ...

    def is_running(self, turn_id: str) -> bool:
        """Return whether an id is the running turn's, or was returned by :meth:`submit` for input that joined it."""
        ...

    async def interrupt(self, turn_id: str | None = None) -> None:
        """Interrupt the running turn and wait for its end.

        :param turn_id: an id of the turn, see :meth:`is_running`; ``None`` for whatever turn is running.
        :raises RpcError: when no turn, or another one than ``turn_id``, is running.
        """
        ...

    async def wait_idle(self) -> None:
        """Wait until no turn is running."""
        ...

    async def notify(self, notification: Notification) -> None:
        """Send a notification to all listeners."""
        ...

    async def set_status(self, status: JsonObject) -> None:
        """Set the thread's status and notify clients, e.g. that its turn waits for an approval.

        :param status: in wire form: ``{"type":"active","activeFlags":["waitingOnApproval"]}`` …
        """
        ...

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Add a listener.

        :return: a function that removes it.
        """
        ...

    def set_request_handler(self, handler: RequestHandler | None) -> None:
        """Set the handler of requests to the client, such as for approval; with ``None`` they are refused."""
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
        """Start a thread.

        :param params: the client's parameters; everything else comes from the configuration.
        :param source: source recorded in the thread: ``exec``, ``cli``, ``vscode`` …
        :param originator: client name for model requests.
        :raises ConfigError: when a setting is invalid.
        :raises StorageError: when it can't be stored.
        """
        ...

    async def resume(
        self,
        params: ThreadResumeParams,
        *,
        originator: str = "codex_cli",
        client_version: str = "",
        own_flags: bool = False,
    ) -> LoadedThread:
        """Load a stored thread, or return it if it is already loaded.

        The thread keeps the settings of its last turn, except those that the parameters set.

        :param originator: client name for model requests.
        :param own_flags: whether the program's command-line flags are the client's own and change settings, too.
        :raises ThreadNotFound: when there is no such thread, or it is archived.
        :raises ThreadBusy: when another process is its writer.
        """
        ...

    async def fork(
        self,
        params: ThreadForkParams,
        *,
        source: str | JsonObject = "cli",
        originator: str = "codex_cli",
        client_version: str = "",
        own_flags: bool = False,
    ) -> LoadedThread:
        """Copy a stored thread as a new one and load the copy; a running turn of the original is copied as interrupted.

        The copy has the settings of the last turn of the original, except those that the parameters set.

        :param source: source recorded in the copy, see :meth:`start`.
        :param originator: client name for model requests.
        :param own_flags: whether the program's command-line flags are the client's own and change settings, too.
        :raises ThreadNotFound: when there is no such thread, or it is archived.
        :raises ConfigError: when a setting is invalid.
        :raises RpcError: when there is no such turn.
        :raises StorageError: when the copy can't be stored.
        """
        ...

    async def models(self) -> Sequence[Model]:
        """Return the models for new threads, in the order to show them; exactly one, the default, is what they get.

        They are those of the configured provider, and the configured model.

        :raises ConfigError: when there is no such provider.
        """
        ...

    def get(self, thread_id: str) -> LoadedThread | None:
        """Return a loaded thread, or ``None``."""
        ...

    def loaded(self) -> Sequence[LoadedThread]:
        """Return the loaded threads, oldest first."""
        ...

    async def unload(self, thread_id: str) -> None:
        """Interrupt, close and unload a thread; unknown ids are ignored."""
        ...

    async def read(self, thread_id: str, *, include_turns: bool) -> Thread:
        """Return a thread, loaded or stored.

        :raises ThreadNotFound: when there is no such thread.
        """
        ...

    async def list(self, query: ThreadQuery) -> ThreadPage:
        """Return one page of stored threads, with the status of those that are loaded."""
        ...

    async def archive(self, thread_id: str) -> None:
        """Unload and archive a thread; a running turn is interrupted.

        :raises ThreadNotFound: when none is stored.
        :raises ThreadBusy: when another process is its writer.
        """
        ...

    async def unarchive(self, thread_id: str) -> Thread:
        """Unarchive a thread.

        :raises ThreadNotFound: when none is archived.
        """
        ...

    async def set_name(self, thread_id: str, name: str) -> None:
        """Set the name of a thread, loaded or stored.

        :raises ThreadNotFound: when there is no such thread.
        """
        ...

    async def update_git(self, thread_id: str, changes: Mapping[str, str | None]) -> Thread:
        """Change the state of the work tree that is shown of a thread, loaded or stored.

        :param changes: attributes of :class:`~codex_hookspecs.types.threads.GitInfo` with their new values; others
            are kept.
        :return: the thread without its turns.
        :raises ThreadNotFound: when there is no such thread.
        :raises RpcError: when the thread is ephemeral.
        """
        ...

    async def find(self, name_or_id: str, *, cwd: str | None = None) -> str | None:
        """Return the id of the newest stored thread with this id or name that is not archived, or ``None``."""
        ...


class HookScope(Protocol):
    """The parameter ``scope`` of lifecycle events: what an implementation can do while it runs.

    The host reports one run of an implementation, when it answers or fails. An implementation marked with
    ``reports_runs`` reports its runs itself, with ``started`` and ``completed``.
    """

    @property
    def thread(self) -> AgentThread | None:
        """The thread of the event, or ``None`` outside of a thread."""
        ...

    @property
    def config(self) -> Mapping[str, Any]:
        """Effective configuration of the event's directory."""
        ...

    async def started(self, run: HookRun) -> None:
        """Notify clients that a handler started."""
        ...

    async def completed(self, run: HookRun) -> None:
        """Notify clients that a handler completed."""
        ...

    async def warn(self, message: str) -> None:
        """Warn the user, once per distinct text and thread."""
        ...

    async def add_context(self, text: str) -> None:
        """Add a developer message to a later model request; may be called after the event, too."""
        ...
