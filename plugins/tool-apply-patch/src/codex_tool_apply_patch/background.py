"""Keep work on large texts from holding up everything else."""

from __future__ import annotations

from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_INLINE = 64 * 1024

P = ParamSpec("P")
T = TypeVar("T")


async def run(size: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what some work returns, which is done on a thread when it takes more than a moment.

    :param size: characters or bytes that it works on.
    """
    if size < _INLINE:
        return work(*args, **kwargs)
    from asyncio import to_thread

    return await to_thread(work, *args, **kwargs)
