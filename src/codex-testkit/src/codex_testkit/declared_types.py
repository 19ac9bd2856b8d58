"""Compare messages of the app-server with the types that methods declare."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from codex_hookspecs.errors import WireError
from codex_hookspecs.protocol import Notification, OtherNotification
from codex_hookspecs.surface import resolve_type
from codex_hookspecs.wire import check, encode

if TYPE_CHECKING:
    from codex_hookspecs.protocol import JsonObject
    from codex_hookspecs.surface import RpcMethod, RpcServerRequest


class DeclaredTypes:
    """The types of all methods of a program.

    :ivar notifications: classes of notifications, by method.
    :ivar requests: requests of the server, by method.
    """

    def __init__(self, methods: Iterable[RpcMethod]) -> None:
        listed = tuple(methods)
        self._results = {method.name: resolve_type(method.result) for method in listed}
        self.notifications: Mapping[str, type[Notification]] = {
            kind.METHOD: kind for method in listed for kind in _listed(method.notifications)
        }
        self.requests: Mapping[str, RpcServerRequest] = {
            request.name: request for method in listed for request in _listed(method.requests)
        }

    def result(self, method: str, value: Any) -> Any:
        """Return the JSON of a method's result.

        :raises AssertionError: when it is not what the method declares.
        """
        result = encode(value)
        kind = self._results.get(method)
        if kind is not None:
            _check(f"the result of {method}", kind, result)
        return result

    def notification(self, value: Notification) -> tuple[str, JsonObject]:
        """Return method and JSON of a notification.

        :raises AssertionError: when it is not what is declared.
        """
        kind: type[Notification] | None
        if isinstance(value, OtherNotification):
            method, params, kind = value.method, encode(value.params), self.notifications.get(value.method)
        else:
            method, params, kind = value.METHOD, encode(value), type(value)
        if kind is not None:
            _check(f"the notification {method}", kind, params)
        return method, params

    def request(self, method: str, params: JsonObject) -> None:
        """Check a request of the server.

        :raises AssertionError: when it is not what is declared.
        """
        _check(f"the request {method}", resolve_type(self.requests[method].params), params)

    def answer(self, method: str, value: Any) -> JsonObject:
        """Return the JSON of an answer to a request of the server.

        :raises AssertionError: when it is not what is declared.
        """
        answer: JsonObject = encode(value)
        _check(f"the answer to {method}", resolve_type(self.requests[method].result), answer)
        return answer


def _check(what: str, kind: Any, value: Any) -> None:
    try:
        check(kind, value)
    except WireError as error:
        faults = "; ".join(f"{place}: {fault}" for fault, place in error.faults)
        raise AssertionError(f"{what} is not what is declared: {faults}") from error


def _listed(given: Any) -> Any:
    return given() if callable(given) else given
