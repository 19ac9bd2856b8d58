"""Encode responses and notifications for clients outside of the program, a notification once for all of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from codex_hookspecs.jsonrpc import dump
from codex_hookspecs.protocol import OtherNotification
from codex_hookspecs.wire import encode

if TYPE_CHECKING:
    from typing import Any

    from codex_hookspecs.protocol import Notification


class EncodedResult:
    """A method's answer to a client outside of this program that is JSON already.

    :param pieces: the consecutive pieces of the text.
    """

    __slots__ = ("pieces",)

    def __init__(self, pieces: tuple[bytes, ...]) -> None:
        self.pieces = pieces


def encode_answer(request_id: int | str, result: Any) -> bytes:
    """Encode the response to a request.

    :raises TypeError: when it holds a value that JSON has not.
    :raises ValueError: when it holds ``NaN`` or ``Infinity``, or itself.
    """
    if isinstance(result, EncodedResult):
        return b"".join((b'{"id":', json.dumps(request_id).encode(), b',"result":', *result.pieces, b"}"))
    return dump({"id": request_id, "result": encode(result)})


def method_name(notification: Notification) -> str:
    """Return the method of a notification on the wire."""
    return notification.method if isinstance(notification, OtherNotification) else notification.METHOD


class NotificationEncoder:
    """Encodes notifications; the last one is kept, because it usually goes to several clients in a row."""

    def __init__(self) -> None:
        self._last: Notification | None = None
        self._encoded = b""

    def encode(self, notification: Notification) -> bytes:
        """Return a notification as a message."""
        if notification is not self._last:
            params = notification.params if isinstance(notification, OtherNotification) else encode(notification)
            self._encoded = dump({"method": method_name(notification), "params": params})
            self._last = notification
        return self._encoded


ENCODER: Final = NotificationEncoder()
"""Of all connections in this process."""
