"""Run plugin code in separate tasks, with time limits; a task that ignores its cancellation is abandoned."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar, copy_context
from typing import Any, TypeVar

from codex_host.plugins.places import Places, waiting_places
from codex_host.process.signals import SIGNALS

T = TypeVar("T")

GRACE = 2.0
"""Seconds that a cancelled implementation has for cleanup before it is abandoned."""

_left_behind: set[asyncio.Task[Any]] = set()
"""Abandoned tasks: a reference is kept until they end."""


class Escaped(Exception):
    """Wraps an error that is not an ``Exception``: ``SystemExit``, an unrequested cancellation, a panic."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(f"{type(error).__name__}")
        self.error = error


class Overrun(Exception):
    """Raised when a call exceeded its time limit.

    :param places: code locations where it was waiting, outermost first.
    :param left: whether it ignored its cancellation and was abandoned.
    """

    def __init__(self, limit: float, places: Places, *, left: bool) -> None:
        super().__init__(f"took longer than {limit:g} s")
        self.places = places
        self.left = left


class _Limit:
    """The time limit of one call, which is paused while the host keeps the call waiting."""

    def __init__(self) -> None:
        self._outer = _limit.get()
        self._timer: asyncio.Timeout | None = None
        self._pauses = 0
        self._rest = 0.0

    def begin(self, timer: asyncio.Timeout) -> None:
        if timer.when() is not None:
            self._timer = timer

    def end(self) -> None:
        self._timer = None

    def pause(self) -> None:
        if self._outer is not None:
            self._outer.pause()
        self._pauses += 1
        when = self._timer.when() if self._timer is not None else None
        if self._pauses == 1 and self._timer is not None and when is not None and not self._timer.expired():
            self._rest = when - asyncio.get_running_loop().time()
            self._timer.reschedule(None)

    def resume(self) -> None:
        self._pauses -= 1
        if self._pauses == 0 and self._timer is not None and self._timer.when() is None:
            self._timer.reschedule(asyncio.get_running_loop().time() + self._rest)
        if self._outer is not None:
            self._outer.resume()


_limit: ContextVar[_Limit | None] = ContextVar("limit", default=None)


@contextmanager
def time_limit_paused() -> Iterator[None]:
    """Pause the time limit of the current call inside the context."""
    limit = _limit.get()
    if limit is None:
        yield
        return
    limit.pause()
    try:
        yield
    finally:
        limit.resume()


async def run_task(
    function: Callable[..., Awaitable[Any]],
    *arguments: Any,
    limit: float | None = None,
    grace: float | None = None,
    on_left_behind: Callable[[Places], Awaitable[None]] | None = None,
) -> Any:
    """Call a coroutine function of a plugin in a separate task and return its result.

    Its errors are raised here; a ``CancelledError`` raised here always means that the caller was cancelled.

    :param limit: time limit in seconds.
    :param grace: seconds it has to end once cancelled, before it is abandoned.
    :param on_left_behind: called with its code locations when the caller was cancelled and the task is abandoned.
    :raises Overrun: when it exceeded the limit.
    :raises Escaped: when it raised an error that is not an ``Exception``.
    """
    watch = _Limit()
    context = copy_context()
    context.run(_limit.set, watch)
    task = asyncio.get_running_loop().create_task(_contained(function, arguments), context=context)
    try:
        async with asyncio.timeout(limit) as timer:
            watch.begin(timer)
            await asyncio.wait((task,))
    except TimeoutError:
        places = waiting_places(task)
        if not await _cancel(task, grace):
            raise Overrun(limit or 0.0, places, left=not task.done()) from None
    except asyncio.CancelledError:
        if not await _cancel(task, grace) and not task.done() and on_left_behind is not None:
            await on_left_behind(waiting_places(task))
        raise
    finally:
        watch.end()
    if task.cancelled():
        raise Escaped(asyncio.CancelledError())
    result, error = task.result()
    if error is None:
        return result
    raise error


async def complete_despite_cancellation(work: Coroutine[Any, Any, T]) -> T:
    """Await a short piece of the program's own work that must not be half done; a cancellation is raised after it."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise


async def run_in_thread(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function of a plugin in a separate thread; the thread is abandoned when the caller is cancelled.

    Its errors are raised here, wrapped in :exc:`Escaped` if they are not an ``Exception``.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[tuple[Any, Exception | None]] = loop.create_future()

    def settle(outcome: tuple[Any, Exception | None]) -> None:
        if not done.done():
            done.set_result(outcome)

    def call() -> None:
        try:
            outcome: tuple[Any, Exception | None] = function(*arguments), None
        except BaseException as error:
            outcome = None, as_exception(error)
        with suppress(RuntimeError):  # the loop is closed, so there is no caller left
            loop.call_soon_threadsafe(settle, outcome)

    threading.Thread(target=copy_context().run, args=(call,), name="plugin", daemon=True).start()
    result, error = await done
    if error is not None:
        raise error
    return result


def run_contained(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call synchronous code of a plugin.

    :raises Escaped: wrapping an error that is not an ``Exception``.
    """
    try:
        return function(*arguments)
    except BaseException as error:
        if SIGNALS.is_interrupt(error):
            raise
        raise as_exception(error)  # noqa: B904  # It mostly is the same.


def as_exception(error: BaseException) -> Exception:
    """Return the error raised by plugin code if it is an ``Exception``, else an :exc:`Escaped` around it."""
    traceback = sys.exc_info()[2]
    try:
        if isinstance(error, Exception) and type(error).__name__ and error.__traceback__ is traceback:
            return error
        return Escaped(error)
    except BaseException as second:
        what = f"an error that can't be looked at ({type(second).__name__})"
        return RuntimeError(what).with_traceback(traceback)


async def _contained(
    function: Callable[..., Awaitable[Any]], arguments: tuple[Any, ...]
) -> tuple[Any, Exception | None]:
    """Return result and error of a call, since some errors would stop the event loop if raised in a task."""
    try:
        return await function(*arguments), None
    except BaseException as error:
        if SIGNALS.is_interrupt(error):
            raise
        return None, as_exception(error)


async def _cancel(task: asyncio.Task[Any], grace: float | None) -> bool:
    """Cancel a task and wait briefly for its end; return whether it had already ended."""
    if task.done():
        return True
    task.cancel()
    _left_behind.add(task)
    task.add_done_callback(_left_behind.discard)
    await asyncio.wait((task,), timeout=GRACE if grace is None else grace)
    return False
