"""Hook implementations of file-search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from codex_hookspecs import hookimpl
from codex_hookspecs.surface import RpcMethod, protocol_type

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from codex_hookspecs.protocol import Notification
    from codex_hookspecs.surface import RpcContext

_METHODS: Final = {
    "fuzzyFileSearch": ("search", "FuzzyFileSearch"),
    "fuzzyFileSearch/sessionStart": ("start", "FuzzyFileSearchSessionStart"),
    "fuzzyFileSearch/sessionUpdate": ("update", "FuzzyFileSearchSessionUpdate"),
    "fuzzyFileSearch/sessionStop": ("stop", "FuzzyFileSearchSessionStop"),
}
"""Handler of each method, and the part of the names of its types before ``Params`` and ``Response``."""


@hookimpl
def rpc_methods() -> Sequence[RpcMethod]:
    """Provide the methods for searches; their implementation is imported with the first request."""
    searches: list[Any] = []

    def handler(name: str) -> Callable[[Any, RpcContext], Awaitable[Any]]:
        async def handle(params: Any, context: RpcContext) -> Any:
            if not searches:
                from codex_file_search.searches import Searches

                searches.append(Searches())
            return await getattr(searches[0], name)(params, context)

        return handle

    return [
        RpcMethod(
            name=method,
            params=protocol_type(f"{types}Params"),
            result=protocol_type(f"{types}Response"),
            handle=handler(name),
            notifications=_notifications if name == "start" else (),
            experimental=name != "search",
        )
        for method, (name, types) in _METHODS.items()
    ]


def _notifications() -> Sequence[type[Notification]]:
    from codex_hookspecs.protocol import (
        FuzzyFileSearchSessionCompletedNotification,
        FuzzyFileSearchSessionUpdatedNotification,
    )

    return [FuzzyFileSearchSessionUpdatedNotification, FuzzyFileSearchSessionCompletedNotification]
