"""Sub-commands, RPC methods, the app-server and its clients."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from types import UnionType
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, overload

from attrs import field

from codex_hookspecs.ports.host import Host
from codex_hookspecs.ports.threads import LoadedThread, RequestHandler
from codex_hookspecs.types._checking import Checked
from codex_hookspecs.types.notifications import Notification
from codex_hookspecs.values import frozen

if TYPE_CHECKING:
    from codex_hookspecs.types.json import JsonObject
    from codex_hookspecs.types.requests import (
        ThreadListParams,
        ThreadListResponse,
        ThreadResumeParams,
        ThreadResumeResponse,
        ThreadStartParams,
        ThreadStartResponse,
        TurnInterruptParams,
        TurnInterruptResponse,
        TurnStartParams,
        TurnStartResponse,
    )


RpcType: TypeAlias = type[Any] | UnionType | Callable[[], Any] | None
"""An attrs class, a union of attrs classes, or a function that returns one of these; ``None`` for none."""


@frozen(kw_only=True)
class CliCommand(Checked):
    """A sub-command of ``codex``; its name and help are also declared in the manifest, under ``[commands]``.

    :param name: the word after ``codex``.
    :param help: one line for ``codex --help``.
    :param run: called in the event loop with the arguments after the sub-command's name and the started host; returns
        the exit status. Raises ``UsageError`` for an invalid command line.
    :param shortcut: module of a first-party plugin with a function ``run``, which is called with the arguments and
        ``$CODEX_HOME`` before the rest of the program is loaded. It returns the exit status, or ``None`` if it does not
        support the command line or the configuration; then the command is run as usual.
    :param usage: the usage line that ``codex NAME --help`` shows below the help, if the manifest declares neither
        arguments nor options nor sub-commands.
    :param own_parser: whether ``run`` refuses unknown options, sub-commands and values itself, and answers ``-h`` and
        ``--help`` if the manifest declares none; otherwise the host does both.
    :param interactive_options: whether it uses :attr:`SurfaceHost.interactive_options`; otherwise the user is warned
        that they have no effect.
    :param remote: whether it can work with an app-server elsewhere (:attr:`SurfaceHost.remote`); otherwise ``--remote``
        is refused.
    """

    name: str
    help: str
    run: Callable[[Sequence[str], SurfaceHost], Awaitable[int]]
    shortcut: str | None = None
    interactive_options: bool = False
    usage: str = ""
    own_parser: bool = False
    remote: bool = False


@frozen(kw_only=True)
class RemoteAddress:
    """An app-server elsewhere, given with ``--remote``.

    :param url: ``ws://HOST:PORT``, ``wss://HOST:PORT``, ``unix://PATH``, or ``unix://`` for the default socket.
    :param token: bearer token for the upgrade.
    :param cwd: absolute directory on the machine of the server that was given with ``-C``, if any.
    """

    url: str
    token: str | None = field(default=None, repr=False)
    cwd: str | None = None


@frozen(kw_only=True)
class RpcContext:
    """The connection that a request came from.

    :param host: the running program.
    :param connection_id: number of the connection.
    :param client_name: ``clientInfo.name``.
    :param client_version: ``clientInfo.version``.
    :param session_source: source recorded in threads that this client starts: ``exec``, ``cli``, ``vscode`` …
    :param transport: ``in_process``, ``stdio`` or ``websocket``.
    :param experimental: whether the client enabled the experimental API.
    :param notify: send a notification to this connection only.
    :param broadcast: send a notification to every connection.
    :param request: send a request, which :attr:`RpcMethod.requests` should declare, to this client, and return its
        answer; parameters are an attrs value or a wire object. Raises ``RpcError`` when the client refuses, leaves, or
        does not answer within ``unattended_seconds`` of the app-server's settings.
    :param subscribe: subscribe this connection to a thread: it gets the notifications and requests of the thread.
    :param unsubscribe: end a subscription; returns whether the connection was subscribed.
    :param after_response: register a function to be called after the response to the current request is sent.
    :param on_disconnect: register a function to be called when the client has disconnected, to release what belongs to
        its connection; at once if it already has. It has a few seconds; a failure is logged.
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
    request: Callable[[str, Any], Awaitable[JsonObject]]
    subscribe: Callable[[LoadedThread], None]
    unsubscribe: Callable[[str], bool]
    after_response: Callable[[Callable[[], Awaitable[None]]], None]
    on_disconnect: Callable[[Callable[[], Awaitable[None]]], None]


@frozen(kw_only=True)
class RpcServerRequest(Checked):
    """A request that the server sends to clients.

    :param name: e.g. ``item/tool/call``.
    :param params: attrs class of its parameters, a union of such classes, or a function that returns it.
    :param result: the same for the client's answer.
    :param experimental: whether it is sent only to clients that enabled the experimental API.
    """

    name: str
    params: RpcType
    result: RpcType
    experimental: bool = False


@frozen(kw_only=True)
class RpcMethod(Checked):
    """A method of the app-server protocol.

    The names of the classes are their names in the bindings that clients generate; fields are in snake case. A field
    with ``experimental`` in its metadata is reserved for clients that enabled the experimental API.

    :param name: e.g. ``hooks/list``.
    :param params: attrs class of the parameters, a union of such classes, a function that returns it (called on the
        first request), or ``None`` if the method takes none.
    :param handle: called with the parameters and the context; returns a value of the result's class or a wire object.
    :param result: attrs class of the result, a union of such classes, a function that returns it, or ``None`` if the
        bindings do not describe the result.
    :param notifications: classes of the notifications that come with the method, or a function that returns them.
    :param requests: requests to clients that come with the method, or a function that returns them.
    :param experimental: whether it is reserved for clients that enabled the experimental API.
    """

    name: str
    params: RpcType
    handle: Callable[[Any, RpcContext], Awaitable[Any]]
    result: RpcType = None
    notifications: tuple[type[Notification], ...] | Callable[[], Sequence[type[Notification]]] = ()
    requests: tuple[RpcServerRequest, ...] | Callable[[], Sequence[RpcServerRequest]] = ()
    experimental: bool = False


class AppClient(Protocol):
    """A connection to the app-server of this program, or to one elsewhere."""

    @overload
    async def request(self, method: Literal["thread/start"], params: ThreadStartParams) -> ThreadStartResponse: ...

    @overload
    async def request(self, method: Literal["thread/resume"], params: ThreadResumeParams) -> ThreadResumeResponse: ...

    @overload
    async def request(self, method: Literal["thread/list"], params: ThreadListParams) -> ThreadListResponse: ...

    @overload
    async def request(self, method: Literal["turn/start"], params: TurnStartParams) -> TurnStartResponse: ...

    @overload
    async def request(
        self, method: Literal["turn/interrupt"], params: TurnInterruptParams
    ) -> TurnInterruptResponse: ...

    @overload
    async def request(self, method: str, params: Any = None) -> Any: ...

    async def request(self, method: str, params: Any = None) -> Any:
        """Call a method.

        :param params: instance of the method's parameter class, or a wire object.
        :return: the method's result, not serialized.
        :raises RpcError: when the response is an error.
        """
        ...

    def notifications(self) -> AsyncIterator[Notification]:
        """Iterate over the server's notifications, until the connection is closed.

        :raises RpcError: when the connection to a server elsewhere is lost.
        """
        ...

    def set_request_handler(self, handler: RequestHandler | None) -> None:
        """Set the handler of the server's requests; with ``None``, the default, they are refused."""
        ...

    async def aclose(self) -> None:
        """Close the connection; threads without other subscribers are unloaded."""
        ...


class AppServer(Protocol):
    """The server of the app-server protocol, used by all front ends."""

    async def connect(
        self, *, client_name: str, client_version: str, session_source: str, experimental: bool = True
    ) -> AppClient:
        """Open a connection, including the handshake.

        :param client_name: used as originator of model requests.
        :param session_source: source recorded in threads that it starts: ``exec``, ``cli`` …; a server elsewhere
            records its own.
        :raises RpcError: when a server elsewhere can't be reached or refuses.
        """
        ...

    async def aclose(self) -> None:
        """Close all connections; may be called twice."""
        ...


@frozen
class DoctorCheck(Checked):
    """A check that ``codex plugins doctor`` runs.

    :param name: name of the check, for users.
    :param run: returns the problems found, as messages for users.
    """

    name: str
    run: Callable[[], Awaitable[Sequence[str]]]


class SurfaceHost(Host, Protocol):
    """The running program with the interface for front ends.

    :ivar interactive_options: options of the interactive program given before the sub-command, each as one word:
        ``--model=NAME``, ``--sandbox=MODE``, ``--image=FILE[,FILE]``, ``--add-dir=DIR``, ``--local-provider=NAME``,
        ``--oss``, ``--full-auto``, ``--yolo`` and its long form, ``--dangerously-bypass-hook-trust``, ``--search``,
        ``--no-alt-screen``. ``-a`` has become the key ``approval_policy``, ``--search`` the key ``web_search`` as well.
    :ivar remote: the app-server elsewhere that :meth:`app_server` is to be, ``None`` for the one of this program.
    """

    interactive_options: Sequence[str]
    remote: RemoteAddress | None

    def app_server(self) -> AppServer:
        """Return the app-server, which processes the requests of all front ends.

        :raises PluginError: when no plugin offers one.
        """
        ...

    def rpc_methods(self) -> Sequence[RpcMethod]:
        """Return the RPC methods that plugins offer."""
        ...

    def rpc_method(self, name: str) -> RpcMethod | None:
        """Return the RPC method of a name, ``None`` when no plugin offers it; imports no plugin needlessly."""
        ...
