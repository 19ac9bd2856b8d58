"""A client of the app-server whose messages are compared with the types that methods declare."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from codex_hookspecs.errors import WireError
from codex_hookspecs.protocol import OtherNotification
from codex_hookspecs.wire import check, encode

if TYPE_CHECKING:
    from codex_hookspecs.protocol import JsonObject, Notification
    from codex_hookspecs.surface import AppClient, RpcMethod, RpcServerRequest

Answer = Callable[["JsonObject"], Any]
"""Gets the parameters of a request in wire form and returns the result, an attrs value or JSON."""

_LIMIT = 10.0
"""Seconds that a notification may take."""


class RpcClient:
    """Sends requests and receives JSON, as clients outside of the program do.

    Results, notifications and requests that have another shape than their method declares fail the test.
    """

    def __init__(self, client: AppClient, methods: tuple[RpcMethod, ...]) -> None:
        self._client = client
        self._results = {method.name: _resolved(method.result) for method in methods}
        self._kinds = {kind.METHOD: kind for method in methods for kind in _listed(method.notifications)}
        self._requests: Mapping[str, RpcServerRequest] = {
            request.name: request for method in methods for request in _listed(method.requests)
        }
        self._answers: dict[str, Answer] = {}
        self._received: deque[tuple[str, JsonObject]] = deque()
        self._arrived = asyncio.Event()
        self._fault: Exception | None = None
        self._listening = asyncio.create_task(self._listen())
        client.set_request_handler(self._handle)

    async def request(self, method: str, params: Any = None) -> Any:
        """Call a method.

        :param params: an attrs value or JSON; ``None`` for none.
        :return: the result as JSON.
        :raises RpcError: when the response is an error.
        :raises AssertionError: when the result is not what the method declares.
        """
        result = encode(await self._client.request(method, None if params is None else encode(params)))
        kind = self._results.get(method)
        if kind is not None:
            _check(f"the result of {method}", kind, result)
        return result

    async def notification(self, method: str) -> JsonObject:
        """Wait for a notification; others that come first are kept.

        :return: its parameters as JSON.
        :raises AssertionError: when it has another shape than declared, or does not come.
        :raises LookupError: when no method declares it.
        """
        if method not in self._kinds:
            raise LookupError(f"no method declares the notification {method}; RpcMethod has a field for them")
        try:
            async with asyncio.timeout(_LIMIT):
                return await self._next(method)
        except TimeoutError:
            names = ", ".join(name for name, _ in self._received) or "none"
            raise AssertionError(f"there was no notification {method}; others were: {names}") from None

    def answer(self, method: str, answer: Answer) -> None:
        """Answer requests of the server; those of other methods are refused.

        :raises LookupError: when no method declares the request.
        """
        if method not in self._requests:
            raise LookupError(f"no method declares the request {method}; RpcMethod has a field for them")
        self._answers[method] = answer

    async def aclose(self) -> None:
        """Disconnect.

        :raises AssertionError: when a message had another shape than declared.
        """
        await self._client.aclose()
        await asyncio.wait({self._listening}, timeout=_LIMIT)
        self._listening.cancel()
        if self._fault is not None:
            raise self._fault

    async def _next(self, method: str) -> JsonObject:
        while True:
            if self._fault is not None:
                fault, self._fault = self._fault, None
                raise fault
            found = next((each for each in self._received if each[0] == method), None)
            if found is not None:
                self._received.remove(found)
                return found[1]
            self._arrived.clear()
            await self._arrived.wait()

    async def _listen(self) -> None:
        async for notification in self._client.notifications():
            try:
                self._receive(notification)
            except AssertionError as error:
                self._fault = self._fault or error
            self._arrived.set()

    def _receive(self, notification: Notification) -> None:
        if isinstance(notification, OtherNotification):
            method, params = notification.method, encode(notification.params)
        else:
            method, params = notification.METHOD, encode(notification)
        if method in self._kinds:
            _check(f"the notification {method}", self._kinds[method], params)
        self._received.append((method, params))

    async def _handle(self, method: str, params: JsonObject) -> JsonObject:
        from codex_hookspecs.errors import RpcError

        if method not in self._answers:
            raise RpcError(f"this client answers no {method}")
        try:
            _check(f"the request {method}", _resolved(self._requests[method].params), params)
            answer: JsonObject = encode(self._answers[method](params))
            _check(f"the answer to {method}", _resolved(self._requests[method].result), answer)
        except AssertionError as error:
            self._fault = self._fault or error
            raise RpcError(str(error)) from error
        return answer


def _check(what: str, kind: Any, value: Any) -> None:
    try:
        check(kind, value)
    except WireError as error:
        faults = "; ".join(f"{place}: {fault}" for fault, place in error.faults)
        raise AssertionError(f"{what} is not what is declared: {faults}") from error


def _resolved(given: Any) -> Any:
    return given() if callable(given) and not isinstance(given, type) else given


def _listed(given: Any) -> Any:
    return given() if callable(given) else given
