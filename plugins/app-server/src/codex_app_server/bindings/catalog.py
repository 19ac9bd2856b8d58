"""Everything that the bindings describe: requests, notifications and their types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen

from codex_app_server.bindings.annotations import Reader
from codex_app_server.bindings.shapes import Definition
from codex_hookspecs.protocol import InitializeParams, InitializeResponse
from codex_hookspecs.surface import resolve_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from codex_hookspecs.surface import RpcMethod, RpcServerRequest


@frozen
class Call:
    """A request.

    :param params: name of the type of its parameters, or ``None`` if it takes none.
    :param result: name of the type of its result, or ``None`` if it is not described.
    """

    method: str
    params: str | None
    result: str | None


@frozen(kw_only=True)
class Catalog:
    """What the bindings describe.

    :param requests: requests of clients, in order.
    :param server_requests: requests to clients.
    :param notifications: types of the server's notifications, by method.
    :param definitions: all types, by name.
    :param faults: why methods are left out.
    """

    requests: tuple[Call, ...]
    server_requests: tuple[Call, ...]
    notifications: dict[str, str]
    definitions: dict[str, Definition]
    faults: tuple[str, ...] = ()


def catalog(methods: Iterable[RpcMethod], *, experimental: bool) -> Catalog:
    """Collect the methods that clients can use, with their types; one whose types can't be read is left out.

    :param experimental: whether methods and members of the experimental API belong to it; notifications always do, as
        as in 0.118.
    """
    reader = Reader(experimental=experimental)
    requests = [
        Call("initialize", reader.define(InitializeParams, ""), reader.define(InitializeResponse, "")),
    ]
    server_requests: dict[str, Call] = {}
    notifications: dict[str, str] = {}
    faults: list[str] = []
    for method in methods:
        offered = experimental or not method.experimental
        read = set(reader.definitions)
        try:
            own = [_call(reader, method)] if offered else []
            told = {kind.METHOD: reader.define(kind, "") for kind in _listed(method.notifications)}
            asked = {
                request.name: _call(reader, request)
                for request in _listed(method.requests)
                if offered and (experimental or not request.experimental)
            }
        except (TypeError, SyntaxError, NameError, AttributeError, OSError) as error:
            reader.forget(reader.definitions.keys() - read)
            place = getattr(method.handle, "__module__", "")
            faults.append(f"{method.name} ({place}) is left out, its types can't be read: {error}")
            continue
        requests += own
        notifications |= told
        server_requests |= asked
    return Catalog(
        requests=tuple(requests),
        server_requests=tuple(server_requests.values()),
        notifications=notifications,
        definitions=reader.definitions,
        faults=tuple(faults),
    )


def _call(reader: Reader, described: RpcMethod | RpcServerRequest) -> Call:
    stem = "".join(part[:1].upper() + part[1:] for part in described.name.replace("_", "/").split("/"))
    names = [
        None if (kind := resolve_type(given)) is None else reader.define(kind, f"{stem}{suffix}")
        for given, suffix in ((described.params, "Params"), (described.result, "Response"))
    ]
    return Call(described.name, *names)


def _listed(given: Any) -> Sequence[Any]:
    listed: Sequence[Any] = given() if callable(given) else given
    return listed
