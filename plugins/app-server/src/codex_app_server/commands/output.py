"""Output of a command: kept for its result, or sent to the client as it comes, up to a number of bytes."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Final, Literal

from codex_hookspecs.protocol import CommandExecOutputDeltaNotification

if TYPE_CHECKING:
    from codex_hookspecs.surface import RpcContext

    StreamName = Literal["stdout", "stderr"]

MAX_KEPT_BYTES: Final = 32 * 1024 * 1024
"""Maximum number of bytes of each stream that are kept for a result, whatever the client allows."""
_DELTA_BYTES: Final = 64 * 1024
"""Maximum number of bytes in one notification."""


class CommandOutput:
    """The output of one command; what is beyond the limit is dropped.

    :param process_id: the client's name for the process, if output is sent as it comes.
    :param limit: bytes of each stream; ``None`` for all. What is kept is limited in any case.
    """

    def __init__(self, context: RpcContext, process_id: str | None, limit: int | None) -> None:
        self._context = context
        self._process_id = process_id
        self._limit = min(MAX_KEPT_BYTES if limit is None else limit, MAX_KEPT_BYTES) if process_id is None else limit
        self._sizes: dict[StreamName, int] = {"stdout": 0, "stderr": 0}
        self._full: set[StreamName] = set()
        self._kept: dict[StreamName, list[bytes]] = {"stdout": [], "stderr": []}

    async def add(self, stream: StreamName, data: bytes) -> None:
        """Add output; waits for a slow client if it is sent."""
        if stream in self._full:
            return
        if self._limit is not None:
            data = data[: self._limit - self._sizes[stream]]
            self._sizes[stream] += len(data)
            if self._sizes[stream] == self._limit:
                self._full.add(stream)
        if self._process_id is None:
            self._kept[stream].append(data)
            return
        for start in range(0, max(len(data), 1), _DELTA_BYTES):
            part = data[start : start + _DELTA_BYTES]
            last = start + _DELTA_BYTES >= len(data)
            await self._context.notify(
                CommandExecOutputDeltaNotification(
                    process_id=self._process_id,
                    stream=stream,
                    delta_base64=b64encode(part).decode("ascii"),
                    cap_reached=last and stream in self._full,
                )
            )

    def text(self, stream: StreamName) -> str:
        """Return the kept output; bytes that are not UTF-8 are replaced."""
        return b"".join(self._kept[stream]).decode("utf-8", "replace")
