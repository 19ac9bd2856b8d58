"""Watch files for clients."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from codex_app_server.files.access import normalize
from codex_hookspecs.errors import RpcError
from codex_hookspecs.protocol import FsChangedNotification, FsUnwatchResponse, FsWatchResponse, uuid7

if TYPE_CHECKING:
    from codex_app_server.files.access import FileAccess
    from codex_hookspecs.environments import FileWatch
    from codex_hookspecs.protocol import FsUnwatchParams, FsWatchParams
    from codex_hookspecs.surface import RpcContext

MAX_WATCHES: Final = 1024
"""Maximum number of watches of one client."""
_SETTLE_SECONDS: Final = 0.2
"""Changes within this time are reported together."""


class FileWatches:
    """Handlers of ``fs/watch`` and ``fs/unwatch``; a watch ends with its connection."""

    def __init__(self, access: FileAccess) -> None:
        self._access = access
        self._tasks: dict[int, dict[str, asyncio.Task[None] | None]] = {}

    async def watch(self, params: FsWatchParams, context: RpcContext) -> FsWatchResponse:
        """Start a watch, under the client's name for it or a new one."""
        path = normalize(params.path)
        name = uuid7() if params.watch_id is None else params.watch_id
        tasks = self._of(context)
        if name in tasks:
            raise RpcError(f"watchId already exists: {name}")
        if len(tasks) >= MAX_WATCHES:
            raise RpcError(f"too many watches: {MAX_WATCHES} are allowed per connection")
        tasks[name] = None
        try:
            async with self._access.files(context) as files:
                watch = await files.watch(path)
        except BaseException:
            tasks.pop(name, None)
            raise
        if name not in tasks:  # ended by an unwatch, or the client is gone
            await watch.aclose()
        else:
            tasks[name] = asyncio.create_task(_report(watch, name, context))
        return FsWatchResponse(watch_id=name, path=path)

    async def unwatch(self, params: FsUnwatchParams, context: RpcContext) -> FsUnwatchResponse:
        """End a watch; an unknown one is no error."""
        task = self._of(context).pop(params.watch_id, None)
        if task is not None:
            await _end(task)
        return FsUnwatchResponse()

    def _of(self, context: RpcContext) -> dict[str, asyncio.Task[None] | None]:
        number = context.connection_id
        if number not in self._tasks:
            self._tasks[number] = {}

            async def end_all() -> None:
                tasks = self._tasks.pop(number, {})
                ended = [task for task in tasks.values() if task is not None]
                tasks.clear()
                await asyncio.gather(*(_end(task) for task in ended))

            context.on_disconnect(end_all)
        return self._tasks[number]


async def _report(watch: FileWatch, name: str, context: RpcContext) -> None:
    """Send the changes of a watch; while a slow client is not reading, they are collected."""
    try:
        while True:
            changed = tuple(sorted(await watch.changed(settle=_SETTLE_SECONDS)))
            await context.notify(FsChangedNotification(watch_id=name, changed_paths=changed))
    finally:
        await watch.aclose()


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
