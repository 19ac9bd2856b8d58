"""Run the program's event loop, and let go of it in bounded time."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import traceback
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeVar

from codex_hookspecs.errors import CodexError
from codex_host.process.ending import ENDING
from codex_host.process.signals import SIGNALS
from codex_host.process.watchdog import WATCHDOG

TASKS_LIMIT = 2.0
"""Seconds that tasks may take to end once they are cancelled."""
REST_LIMIT = 0.5
"""Seconds for generators, and the same for threads of the loop."""

_MAX_TEXT = 500
_CANCELLED = "the program was cancelled by code in it: plugins may cancel their own tasks only"

_T = TypeVar("_T")
_Base: Any = getattr(asyncio, "ProactorEventLoop", asyncio.SelectorEventLoop)


class ProgramLoop(_Base):  # type: ignore[misc]
    """An event loop that answers signals in the program's way.

    Who adds a handler for a signal that ends the program is told of it, and the program ends all the same when that is
    of no avail.
    """

    def add_signal_handler(self, sig: int, callback: Callable[..., object], *args: Any) -> None:
        """Call a function on the loop when a signal comes."""
        if not SIGNALS.take(sig, partial(callback, *args)):
            super().add_signal_handler(sig, callback, *args)

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        """Tell of an error that nobody has waited for; where a plugin has raised it, name that."""
        if "exception" in context and not os.environ.get("CODEX_LOG") and _tell_stray(self, context["exception"]):
            return
        super().default_exception_handler(context)

    def remove_signal_handler(self, sig: int) -> bool:
        """Undo that."""
        return SIGNALS.give_back(sig) or bool(super().remove_signal_handler(sig))


def run(main: Callable[[], Coroutine[Any, Any, int]]) -> int:
    """Run a coroutine function on an event loop of its own and return its result.

    :raises KeyboardInterrupt: when a signal has ended it.
    :raises CodexError: when something else has cancelled it.
    """
    SIGNALS.raises = False  # From now on the loop hears of signals; one that comes before it can waits.
    loop: asyncio.AbstractEventLoop = ProgramLoop()
    asyncio.set_event_loop(loop)
    task = loop.create_task(main())
    if SIGNALS.installed and (waking := getattr(loop, "_csock", None)) is not None:
        signal.set_wakeup_fd(waking.fileno())  # Some systems hand a signal to another thread, which interrupts no wait.
    SIGNALS.attach(loop, task)
    if SIGNALS.received:
        task.cancel()
    WATCHDOG.loop = loop
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
    status = 1
    try:
        status = _run_to_end(loop, task)
    except asyncio.CancelledError:
        if SIGNALS.installed and not SIGNALS.received:
            raise CodexError(_CANCELLED) from None
        status = SIGNALS.status
        raise KeyboardInterrupt from None
    finally:
        ENDING.begin(status)
        SIGNALS.detach()
        _end_tasks(loop)
        _finish(loop, loop.shutdown_asyncgens())
        _finish(loop, loop.shutdown_default_executor())
        WATCHDOG.leave()
        asyncio.set_event_loop(None)
        if SIGNALS.installed:
            signal.set_wakeup_fd(-1)
        loop.close()
    return status


def _run_to_end(loop: asyncio.AbstractEventLoop, task: asyncio.Future[_T]) -> _T:
    """Run a task to its end, whatever the tasks and callbacks of plugins do to the loop."""
    while not task.done():
        try:
            return loop.run_until_complete(task)
        except (SystemExit, KeyboardInterrupt) as error:
            its_own = task.done() and not task.cancelled() and task.exception() is error
            if its_own or SIGNALS.interrupted(error):
                raise
            if not _tell_stray(loop, error):
                _warn(loop, f"a task or callback raised {type(error).__name__}; the program goes on")
        except RuntimeError:
            if task.done() or loop.is_closed():
                raise
            _warn(loop, "a plugin has stopped the program's event loop; it goes on")
    return task.result()


def _tell_stray(loop: asyncio.AbstractEventLoop, error: BaseException) -> bool:
    """Name the plugin that has raised an error in a task or callback of its own; tell whether there is one."""
    from codex_host.process.places import in_traceback

    place = in_traceback(error)
    if place is None:
        return False
    what = "".join(traceback.format_exception_only(error)).strip()[:_MAX_TEXT]
    _warn(loop, f"plugin {place.plugin}: {place.function} raised {what} in a task or callback of its own, at {place}")
    return True


def _warn(loop: asyncio.AbstractEventLoop, text: str) -> None:
    if WATCHDOG.warn is not None and not loop.is_closed():
        loop.call_soon(WATCHDOG.warn, text)
        return
    from codex_host.process.places import tell

    tell(f"Warning: {text}")


def _end_tasks(loop: asyncio.AbstractEventLoop) -> None:
    tasks = asyncio.all_tasks(loop)
    if not tasks:
        return
    for task in tasks:
        task.cancel()
    done, left = _run_to_end(loop, loop.create_task(asyncio.wait(tasks, timeout=TASKS_LIMIT)))
    for task in done:
        if not task.cancelled() and (error := task.exception()) is not None:
            what = {"message": "a task failed while the program ended", "exception": error, "task": task}
            loop.call_exception_handler(what)
    for task in left:
        _leave_behind(task)


def _leave_behind(task: asyncio.Task[Any]) -> None:
    from codex_host.process.places import in_task, tell

    task._log_destroy_pending = False  # type: ignore[attr-defined]  # It is told here, and better.
    place = in_task(task)
    if place is not None:
        what = f"{place.function} did not end when it was cancelled"
        tell(f"Warning: the program ends without waiting any longer: plugin {place.plugin}: {what}, at {place}")


def _finish(loop: asyncio.AbstractEventLoop, closing: Coroutine[Any, Any, None]) -> None:
    task = loop.create_task(closing)
    _run_to_end(loop, loop.create_task(asyncio.wait({task}, timeout=REST_LIMIT)))
    if task.done():
        task.exception()  # There may be no thread to be had for it.
    else:
        task._log_destroy_pending = False  # type: ignore[attr-defined]
