"""Decode what a server sends to the classes that the methods of this program declare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from codex_hookspecs.errors import RpcError, WireError
from codex_hookspecs.protocol import OtherNotification
from codex_hookspecs.surface import resolve_type

if TYPE_CHECKING:
    from collections.abc import Iterable

    from codex_hookspecs.protocol import Notification
    from codex_hookspecs.surface import RpcMethod


_TIMES: Final = {"item/started": {"startedAtMs": 0}, "item/completed": {"completedAtMs": 0}}
"""Members of notifications that a server of 0.118 does not send yet."""


class Decoder:
    """Decodes results and notifications.

    :param methods: the methods that are known here.
    """

    def __init__(self, methods: Iterable[RpcMethod]) -> None:
        self._methods = {method.name: method for method in methods}
        self._notifications: dict[str, type[Notification]] = {}
        for method in self._methods.values():
            offered = method.notifications
            for kind in offered() if callable(offered) else offered:
                self._notifications[kind.METHOD] = kind

    def decode_result(self, name: str, result: Any) -> Any:
        """Decode the result of a method; of an unknown method, or one without a declared result, it stays as it is.

        :raises RpcError: when it does not have the declared shape.
        """
        from codex_hookspecs.wire import decode

        method = self._methods.get(name)
        kind = None if method is None else resolve_type(method.result)
        if kind is None:
            return result
        try:
            return decode(kind, _complete(result))
        except WireError as error:
            raise RpcError(f"the server's answer to {name} is not understood: {error.faults[0][0]}") from error

    def decode_notification(self, method: str, params: Any) -> Notification:
        """Decode a notification; an unknown one, or one of another shape, becomes an ``OtherNotification``."""
        from codex_hookspecs.wire import decode

        kind = self._notifications.get(method)
        given = params if isinstance(params, dict) else {}
        if kind is not None:
            try:
                return decode(kind, _complete(given) | _TIMES.get(method, {}) | given)
            except WireError:
                pass
        return OtherNotification(method=method, params=given)


def _complete(message: Any) -> Any:
    """Add the member of threads that a server of 0.118 does not send yet."""
    if not isinstance(message, dict):
        return message
    threads = [message.get("thread"), *(message["data"] if isinstance(message.get("data"), list) else ())]
    for thread in threads:
        if isinstance(thread, dict) and "id" in thread:
            thread.setdefault("sessionId", thread["id"])
    return message
