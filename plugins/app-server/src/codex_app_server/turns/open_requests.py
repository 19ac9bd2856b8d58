"""A request to the clients of a thread, which stays open until one of them answers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from codex_hookspecs.errors import RpcError

if TYPE_CHECKING:
    from codex_app_server.connection import Connection
    from codex_hookspecs.protocol import JsonObject

_FLAGS: Final = {"item/tool/requestUserInput": "waitingOnUserInput", "item/tool/call": None}
"""Flags of the thread's status while a request is open, unless it is ``waitingOnApproval``."""


class ConnectionLost(RpcError):
    """Raised by a request to a client that disconnected before it responded."""


class OpenRequest:
    """A request and the clients that were asked.

    :param number: id of the request, the same for every client.
    :ivar answer: the first client's answer, or the error in it.
    :ivar flag: flag of the thread's status while it is open; ``None`` for a call, which is work, not a question.
    """

    def __init__(self, number: int, method: str, params: JsonObject) -> None:
        self.number = number
        self.method = method
        self.flag = _FLAGS.get(method, "waitingOnApproval")
        self.answer: asyncio.Future[JsonObject] = asyncio.get_running_loop().create_future()
        self._params = params
        self._asked: dict[int, asyncio.Task[None]] = {}

    @property
    def waiting(self) -> tuple[int, ...]:
        """Numbers of the connections that were asked and have not answered."""
        return tuple(self._asked)

    def ask(self, connection: Connection) -> None:
        """Ask a client, unless it was asked already or the answer is there."""
        if connection.number not in self._asked and not self.answer.done():
            self._asked[connection.number] = asyncio.create_task(self._ask(connection))

    def forget(self, number: int) -> None:
        """Expect no answer any more from a client that has left."""
        task = self._asked.pop(number, None)
        if task is not None:
            task.cancel()

    def close(self) -> None:
        """Expect no more answers."""
        for number in self.waiting:
            self.forget(number)

    async def _ask(self, connection: Connection) -> None:
        try:
            answer = await connection.request_client(self.number, self.method, self._params)
        except ConnectionLost:
            self._asked.pop(connection.number, None)
        except RpcError as error:
            self._asked.pop(connection.number, None)
            if not self.answer.done():
                self.answer.set_exception(error)
        else:
            self._asked.pop(connection.number, None)
            if not self.answer.done():
                self.answer.set_result(answer)
