"""Reject values of clients inside this program that could not be sent to external ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_hookspecs.errors import RpcError
from codex_hookspecs.jsonrpc import INTERNAL_ERROR, dump
from codex_hookspecs.wire import encode

if TYPE_CHECKING:
    from typing import Any

    from codex_hookspecs.protocol import OtherNotification

MISSING_PARAMS = "Invalid request: missing field `params`"
UNSENDABLE = (TypeError, ValueError, RecursionError)
"""What encoding raises for a value that JSON has not, or that holds itself."""


def unsendable_answer(method: str, error: Exception) -> RpcError:
    """Return the error in place of an answer that can't be sent."""
    return RpcError(f"the answer to {method} can't be sent: {error}", code=INTERNAL_ERROR)


def check_answer(method: str, result: Any) -> None:
    """Check that a method's answer could be sent.

    :raises RpcError: when it could not.
    """
    try:
        dump({"result": encode(result)})
    except UNSENDABLE as error:
        raise unsendable_answer(method, error) from error


def check_params(params: Any) -> None:
    """Check that a request's parameters could have been sent.

    :raises RpcError: when they could not.
    """
    try:
        dump({"params": params})
    except UNSENDABLE as error:
        raise RpcError(f"Invalid request: {error}") from error


def find_fault(notification: OtherNotification) -> str:
    """Return why a plugin's notification can't be sent, or the empty string."""
    try:
        dump({"params": notification.params})
    except UNSENDABLE as error:
        return str(error)
    return ""
