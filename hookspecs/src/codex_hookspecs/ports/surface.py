"""Sub-commands, RPC methods, the request processor and its clients."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol, overload

from codex_hookspecs.ports.host import Host
from codex_hookspecs.ports.threads import LoadedThread, RequestHandler
from codex_hookspecs.types._checking import Checked
from codex_hookspecs.types.notifications import Notification
from codex_hookspecs.values import frozen

if TYPE_CHECKING:
    from codex_hookspecs.types.json import JsonObject
    from codex_hookspecs.types.requests import (
        ThreadListParams,
        ThreadResumeParams,
        ThreadStartParams,
        TurnInterruptParams,
        TurnStartParams,
    )
    from codex_hookspecs.types.responses import ThreadListResponse, ThreadStartResponse, TurnStartResponse


@frozen(kw_only=True)
class CliCommand(Checked):
    """A sub-command of ``codex``; its name and help also stand in the manifest, under ``[commands]``.

    :param name: the word after ``codex``.
    :param help: one line for ``codex --help``.
    :param run: gets the arguments after the sub-command's name and the host, which is up; returns the exit status.
        Runs inside the event loop. Raises ``ConfigError`` for a wrong command line (status 2 when ``usage`` is set).
    :param shortcut: module of a first-party plugin with a function ``run``, which gets the arguments and
        ``$CODEX_HOME`` before anything else of the program is there. It returns the exit status, or ``None`` when the
        command line or the configuration asks for more than it knows; then the command is run as any other.
    :param interactive_options: it takes over :attr:`SurfaceHost.interactive_options`; for another command the user is
        warned that they have no effect.
    """

    name: str
    help: str
    run: Callable[[Sequence[str], SurfaceHost], Awaitable[int]]
    shortcut: str | None = None
    interactive_options: bool = False


@frozen(kw_only=True)
class RpcContext:
    """Who asks.

    :param host: the running program.
    :param connection_id: number of the connection.
    :param client_name: ``clientInfo.name``.
    :param client_version: ``clientInfo.version``.
    :param session_source: what threads that this client starts are marked with: ``exec``, ``cli``, ``vscode`` …
    :param transport: how the client is connected: ``in_process``, ``stdio``, ``websocket``.
    :param experimental: the client asked for the experimental API.
    :param notify: send a notification to this connection only.
    :param broadcast: send a notification to every connection.
    :param subscribe: from now on tell this connection what happens in a thread, and ask it the thread's questions.
    :param unsubscribe: undo that; returns whether the connection was subscribed.
    :param after_answer: have something done when the answer to the present request is on its way.
    """

    host: SurfaceHost
    connection_id: int
    client_name: str
    client_version: str = ""
    session_source: str = "vscode"
    transport: str = "in_process"
    experimental: bool = False
    notify: Callable[[Notification], Awaitable[None]]
    broadcast: Callable[[Notification], Awaitable[None]]
    subscribe: Callable[[LoadedThread], None]
    unsubscribe: Callable[[str], bool]
    after_answer: Callable[[Callable[[], Awaitable[None]]], None]


@frozen(kw_only=True)
class RpcMethod(Checked):
    """A method of the app-server protocol.

    :param name: e.g. ``hooks/list``.
    :param params: attrs class of the parameters (snake case), a function that returns it when the first request comes,
        or ``None`` when the method takes none. A field with ``experimental`` in its metadata is only for clients that
        asked for the experimental API.
    :param handle: gets the parameters and the context, returns an attrs value or a wire object.
    :param experimental: only for clients that asked for the experimental API.
    """

    name: str
    params: type[Any] | Callable[[], type[Any]] | None
    handle: Callable[[Any, RpcContext], Awaitable[Any]]
    experimental: bool = False


class AppClient(Protocol):
    """A connection to the request processor from inside the program."""

    @overload
    async def request(self, method: Literal["thread/start"], params: ThreadStartParams) -> ThreadStartResponse: ...

    @overload
    async def request(self, method: Literal["thread/resume"], params: ThreadResumeParams) -> ThreadStartResponse: ...

    @overload
    async def request(self, method: Literal["thread/list"], params: ThreadListParams) -> ThreadListResponse: ...

    @overload
    async def request(self, method: Literal["turn/start"], params: TurnStartParams) -> TurnStartResponse: ...

    @overload
    async def request(self, method: Literal["turn/interrupt"], params: TurnInterruptParams) -> JsonObject: ...

    @overload
    async def request(self, method: str, params: Any = None) -> Any: ...

    async def request(self, method: str, params: Any = None) -> Any:
        """Call a method.

        :param params: value of the method's parameter class, or a wire object.
        :return: what the method returned, not serialised.
        :raises RpcError: when the answer is an error.
        """
        ...

    def notifications(self) -> AsyncIterator[Notification]:
        """Iterate what the server tells, until the connection is closed."""
        ...

    def set_request_handler(self, handler: RequestHandler | None) -> None:
        """Set who answers the server's requests; with ``None``, as in the beginning, they are refused."""
        ...

    async def aclose(self) -> None:
        """Leave; threads that nobody else is subscribed to are unloaded."""
        ...


class AppServer(Protocol):
    """The request processor; all front ends go through it."""

    async def connect(
        self, *, client_name: str, client_version: str, session_source: str, experimental: bool = True
    ) -> AppClient:
        """Connect from inside the program; the handshake is done when it returns.

        :param client_name: becomes the originator of model requests.
        :param session_source: ``exec``, ``cli`` … for the threads it starts.
        """
        ...

    async def aclose(self) -> None:
        """Close all connections; may be called twice."""
        ...


@frozen
class DoctorCheck(Checked):
    """A check that ``codex plugins doctor`` runs.

    :param name: what is checked, for people.
    :param run: returns what was found wrong, in words for people, or nothing.
    """

    name: str
    run: Callable[[], Awaitable[Sequence[str]]]


class SurfaceHost(Host, Protocol):
    """The running program as front ends see it.

    :ivar interactive_options: options of the interactive program that stood in front of the sub-command, each one word:
        ``--model=NAME``, ``--sandbox=MODE``, ``--image=FILE[,FILE]``, ``--add-dir=DIR``, ``--local-provider=NAME``,
        ``--oss``, ``--full-auto``, ``--yolo`` and its long form, ``--dangerously-bypass-hook-trust``, ``--search``,
        ``--no-alt-screen``. ``-a`` has become the key ``approval_policy``, ``--search`` the key ``web_search`` as well.
    """

    interactive_options: Sequence[str]

    def app_server(self) -> AppServer:
        """Return the request processor that all front ends talk to.

        :raises PluginError: when no plugin offers one.
        """
        ...

    def rpc_methods(self) -> Sequence[RpcMethod]:
        """Return the RPC methods that plugins offer."""
        ...
