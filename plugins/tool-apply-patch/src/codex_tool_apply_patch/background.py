"""Run computations on large texts without blocking the event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_INLINE = 64 * 1024

P = ParamSpec("P")
T = TypeVar("T")


async def run(size: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function and return its result; with large input, on a thread.

    :param size: characters or bytes of input.
    """
    if size < _INLINE:
        return work(*args, **kwargs)
    from asyncio import to_thread

    return await to_thread(work, *args, **kwargs)
