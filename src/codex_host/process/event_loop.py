"""Run the program's event loop, and close it within a time limit."""

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
"""Seconds that cancelled tasks have to end."""
REST_LIMIT = 0.5
"""Seconds for closing asynchronous generators, and again for the executor's threads."""

_MAX_TEXT = 500
_CANCELLED = "the program was cancelled by code in it: plugins may cancel their own tasks only"

_T = TypeVar("_T")
_Base: Any = getattr(asyncio, "ProactorEventLoop", asyncio.SelectorEventLoop)


class ProgramLoop(_Base):  # type: ignore[misc]
    """An event loop that integrates with the program's handling of signals.

    A handler added for a terminating signal is called first; the program still exits if that has no effect in time. The
    handler of the first signal can return ``True`` to have as much time as it needs, e.g. for work that is going on,
    and that of the second one to have five seconds.
    """

    def add_signal_handler(self, sig: int, callback: Callable[..., object], *args: Any) -> None:
        """Call a function on the loop when a signal is received."""
        if not SIGNALS.register(sig, partial(callback, *args)):
            super().add_signal_handler(sig, callback, *args)

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        """Report an error that was never retrieved, naming the plugin if one has raised it."""
        if (
            "exception" in context
            and not os.environ.get("CODEX_LOG")
            and _report_stray_error(self, context["exception"])
        ):
            return
        super().default_exception_handler(context)

    def remove_signal_handler(self, sig: int) -> bool:
        """Remove the handler of a signal."""
        return SIGNALS.unregister(sig) or bool(super().remove_signal_handler(sig))


def run(main: Callable[[], Coroutine[Any, Any, int]]) -> int:
    """Run a coroutine function on a new event loop and return its result.

    :raises KeyboardInterrupt: when a signal ended it.
    :raises CodexError: when it was cancelled otherwise.
    """
    SIGNALS.raises = False  # From now on signals are delivered to the loop; an earlier one is pending until then.
    loop: asyncio.AbstractEventLoop = ProgramLoop()
    asyncio.set_event_loop(loop)
    task = loop.create_task(main())
    if SIGNALS.installed and (waking := getattr(loop, "_csock", None)) is not None:
        signal.set_wakeup_fd(
            waking.fileno()
        )  # Some systems deliver a signal to another thread, which does not wake the loop.
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
        WATCHDOG.stop()
        asyncio.set_event_loop(None)
        if SIGNALS.installed:
            signal.set_wakeup_fd(-1)
        loop.close()
    return status


def _run_to_end(loop: asyncio.AbstractEventLoop, task: asyncio.Future[_T]) -> _T:
    """Run a task to completion, even if tasks or callbacks of plugins stop the loop."""
    while not task.done():
        try:
            return loop.run_until_complete(task)
        except (SystemExit, KeyboardInterrupt) as error:
            its_own = task.done() and not task.cancelled() and task.exception() is error
            if its_own or SIGNALS.is_interrupt(error):
                raise
            if not _report_stray_error(loop, error):
                _warn(loop, f"a task or callback raised {type(error).__name__}; the program continues")
        except RuntimeError:
            if task.done() or loop.is_closed():
                raise
            _warn(loop, "a plugin has stopped the program's event loop; it was restarted")
    return task.result()


def _report_stray_error(loop: asyncio.AbstractEventLoop, error: BaseException) -> bool:
    """Report an error that a plugin raised in a task or callback of its own; return whether one did."""
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
    from codex_host.process.places import write_stderr

    write_stderr(f"Warning: {text}")


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
        _abandon(task)


def _abandon(task: asyncio.Task[Any]) -> None:
    from codex_host.process.places import in_task, write_stderr

    task._log_destroy_pending = False  # type: ignore[attr-defined]  # It is told here, and better.
    place = in_task(task)
    if place is not None:
        what = f"{place.function} did not end when it was cancelled"
        write_stderr(f"Warning: the program exits without waiting longer: plugin {place.plugin}: {what}, at {place}")


def _finish(loop: asyncio.AbstractEventLoop, closing: Coroutine[Any, Any, None]) -> None:
    task = loop.create_task(closing)
    _run_to_end(loop, loop.create_task(asyncio.wait({task}, timeout=REST_LIMIT)))
    if task.done():
        task.exception()  # There may be no thread available for it.
    else:
        task._log_destroy_pending = False  # type: ignore[attr-defined]
