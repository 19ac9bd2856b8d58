"""A client of the app-server whose messages are compared with the types that methods declare."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from codex_hookspecs.errors import RpcError
from codex_hookspecs.wire import encode

if TYPE_CHECKING:
    from codex_hookspecs.protocol import JsonObject
    from codex_hookspecs.surface import AppClient
    from codex_testkit.declared_types import DeclaredTypes

Answer = Callable[["JsonObject"], Any]
"""Gets the parameters of a request in wire form and returns the result, an attrs value or JSON."""

_LIMIT = 10.0
"""Seconds that a notification may take."""


class RpcClient:
    """Sends requests and receives JSON, as clients outside of the program do.

    Results, notifications and requests that have another shape than their method declares fail the test.
    """

    def __init__(self, client: AppClient, types: DeclaredTypes) -> None:
        self._client = client
        self._types = types
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
        return self._types.result(
            method, await self._client.request(method, None if params is None else encode(params))
        )

    async def notification(self, method: str) -> JsonObject:
        """Wait for a notification; others that come first are kept.

        :return: its parameters as JSON.
        :raises AssertionError: when it has another shape than declared, or does not come.
        :raises LookupError: when no method declares it.
        """
        if method not in self._types.notifications:
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
        if method not in self._types.requests:
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
                method, params = self._types.notification(notification)
                self._received.append((method, params))
                if method not in self._types.notifications:
                    raise AssertionError(
                        f"no method declares the notification {method}; RpcMethod has a field for them"
                    )
            except AssertionError as error:
                self._fault = self._fault or error
            self._arrived.set()

    async def _handle(self, method: str, params: JsonObject) -> JsonObject:
        if method not in self._answers:
            raise RpcError(f"this client answers no {method}")
        try:
            self._types.request(method, params)
            return self._types.answer(method, self._answers[method](params))
        except AssertionError as error:
            self._fault = self._fault or error
            raise RpcError(str(error)) from error
