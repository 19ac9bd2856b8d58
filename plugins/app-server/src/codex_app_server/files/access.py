"""Access of clients to the files of the default environment, in the order of each client's requests."""

from __future__ import annotations

import asyncio
import posixpath
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from codex_hookspecs.errors import FileSystemError, RpcError
from codex_hookspecs.jsonrpc import INTERNAL_ERROR

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from codex_hookspecs.environments import FileSystem
    from codex_hookspecs.surface import RpcContext


class FileAccess:
    """The file system for the requests of all clients."""

    def __init__(self) -> None:
        self._orders: dict[int, asyncio.Lock] = {}

    @asynccontextmanager
    async def files(self, context: RpcContext) -> AsyncIterator[FileSystem]:
        """Provide the file system, once the client's earlier requests are done.

        :raises RpcError: inside the block, a file operation's failure becomes one.
        """
        async with self._order(context):
            environment = await context.host.environments.get()
            try:
                yield environment.files
            except FileSystemError as error:
                raise to_rpc_error(error) from error

    def _order(self, context: RpcContext) -> asyncio.Lock:
        number = context.connection_id
        if number not in self._orders:
            self._orders[number] = asyncio.Lock()

            async def forget() -> None:
                self._orders.pop(number, None)

            context.on_disconnect(forget)
        return self._orders[number]


def normalize(path: str) -> str:
    """Return a path without dot segments and repeated slashes; symbolic links are not resolved."""
    return "/" + posixpath.normpath(path).lstrip("/") if path.startswith("/") else path


def to_rpc_error(error: FileSystemError) -> RpcError:
    """Convert the failure of a file operation: the operating system's failures are internal errors, as in Codex."""
    text = str(error)
    if "null byte" in text:
        return RpcError("file name contained an unexpected NUL byte")
    return RpcError(text) if error.errno is None else RpcError(text, code=INTERNAL_ERROR)
