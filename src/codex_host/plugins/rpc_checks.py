"""Check the RPC methods that third-party plugins offer: names, types, and what they declare beside them."""

from __future__ import annotations

from inspect import iscoroutinefunction, isfunction
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Union, get_args, get_origin

import attrs

from codex_hookspecs import protocol
from codex_hookspecs.surface import RpcMethod, RpcServerRequest, resolve_type
from codex_hookspecs.types.notifications import Notification

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from codex_host.plugins.dispatch import Offered

HANDSHAKE: Final = "initialize"
_JSON: Final = (str, bool, int, float, dict, list, type(None), Any)


def checked_methods(
    offered: Offered[RpcMethod], *, is_trusted: Callable[[str], bool], warn: Callable[[str], None]
) -> dict[str, RpcMethod]:
    """Return methods by name without those, and those of their notifications and requests, that can't be served.

    :param offered: all methods, those of the host's own plugins first.
    :param is_trusted: returns whether a plugin is one of the host's own, which are not checked.
    :param warn: called with a message for each that is left out.
    """
    known = _Known()
    kept: dict[str, RpcMethod] = {}
    for name, method in sorted(offered.items(), key=lambda item: not is_trusted(offered.owners[item[0]])):
        plugin = offered.owners[name]
        if is_trusted(plugin):
            known.add(method)
            kept[name] = method
            continue
        faults = [*method_faults(method)]
        if faults:
            warn(f"RpcMethod {name} of plugin {plugin} is left out: {faults[0]}")
            continue
        kept[name] = known.without_clashes(method, plugin, warn)
        known.add(kept[name])
    return {name: kept[name] for name in offered if name in kept}


def method_faults(method: RpcMethod) -> Iterator[str]:
    """Yield why a method can't be served."""
    if method.name == HANDSHAKE:
        yield "the handshake has this name"
    for member in ("params", "result"):
        yield from _type_faults(member, getattr(method, member))
    try:
        for kind in _listed(method.notifications):
            if not (isinstance(kind, type) and issubclass(kind, Notification) and kind.METHOD):
                yield f"notifications has {kind!r}, allowed are subclasses of Notification with a METHOD"
            else:
                yield from _type_faults(f"notification {kind.METHOD}", kind)
        for request in _listed(method.requests):
            if not isinstance(request, RpcServerRequest):
                yield f"requests has {request!r}, allowed are RpcServerRequest"
            else:
                yield from _type_faults(f"params of {request.name}", request.params)
                yield from _type_faults(f"result of {request.name}", request.result)
    except Exception as error:
        yield f"its notifications or requests can't be listed: {error!r}"


def handler_faults(method: RpcMethod) -> Iterator[str]:
    """Yield what is probably wrong with the handler of a method."""
    handle = method.handle
    if isfunction(handle) and not iscoroutinefunction(handle):
        yield f"the handler {handle.__qualname__} is not async"


class _Known:
    """Notifications and requests that are declared already."""

    def __init__(self) -> None:
        names: Sequence[str] = protocol.__all__
        self._notifications: dict[str, Any] = {
            kind.METHOD: kind
            for kind in (getattr(protocol, name) for name in names)
            if isinstance(kind, type) and issubclass(kind, Notification) and kind.METHOD
        }
        self._requests: dict[str, tuple[Any, Any]] = {}

    def add(self, method: RpcMethod) -> None:
        for kind in _listed(method.notifications):
            self._notifications.setdefault(kind.METHOD, kind)
        for request in _listed(method.requests):
            self._requests.setdefault(request.name, _types(request))

    def without_clashes(self, method: RpcMethod, plugin: str, warn: Callable[[str], None]) -> RpcMethod:
        """Return a method without notifications and requests of which others with other types are known."""
        notifications, requests = [], []
        for kind in _listed(method.notifications):
            if self._notifications.get(kind.METHOD, kind) is kind:
                notifications.append(kind)
            else:
                warn(_clash(method, plugin, "notification", kind.METHOD))
        for request in _listed(method.requests):
            if self._requests.get(request.name, _types(request)) == _types(request):
                requests.append(request)
            else:
                warn(_clash(method, plugin, "request", request.name))
        return attrs.evolve(method, notifications=tuple(notifications), requests=tuple(requests))


def _clash(method: RpcMethod, plugin: str, what: str, name: str) -> str:
    return (
        f"the {what} {name} of RpcMethod {method.name} of plugin {plugin} is left out: "
        "there is one of that name with another type"
    )


def _types(request: RpcServerRequest) -> tuple[Any, Any]:
    return resolve_type(request.params), resolve_type(request.result)


def _listed(given: Any) -> Any:
    return given() if callable(given) else given


def _type_faults(what: str, given: Any) -> Iterator[str]:
    try:
        kind = resolve_type(given)
        fault = None if kind is None else _top_fault(kind) or _form_fault(kind, set())
    except Exception as error:
        fault = f"can't be read: {error!r}"
    if fault is not None:
        yield f"{what} {fault}"


def _top_fault(kind: Any) -> str | None:
    members = get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)
    wrong = next((each for each in members if not (isinstance(each, type) and attrs.has(each))), None)
    return None if wrong is None else f"is {kind!r}, allowed is an attrs class or a union of attrs classes"


def _form_fault(kind: Any, seen: set[Any]) -> str | None:
    """Return what of a type has no form in JSON."""
    if kind in _JSON or get_origin(kind) is Literal or kind is protocol.Cleared:
        return None
    if get_origin(kind) is Annotated:
        return _form_fault(get_args(kind)[0], seen)
    if isinstance(kind, type) and attrs.has(kind) and get_origin(kind) is None:
        if kind in seen:
            return None
        seen.add(kind)
        attrs.resolve_types(kind)
        for field in attrs.fields(kind):
            fault = None if field.metadata.get("local") else _form_fault(field.type, seen)
            if fault is not None:
                return fault if " (in " in fault else f"{fault} (in {kind.__name__}.{field.name})"
        return None
    if not get_args(kind):
        return f"has a member of {kind!r}, which has no form in JSON"
    faults = (_form_fault(each, seen) for each in get_args(kind) if each is not Ellipsis)
    return next((fault for fault in faults if fault is not None), None)
