"""Find where plugin code is executing: on the main thread, in other threads, in tasks."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from codex_host.process.owners import OWNERS

if TYPE_CHECKING:
    import asyncio
    from types import FrameType

_HOST = "codex_host"


class Place(NamedTuple):
    """A code location in a plugin.

    :param function: outermost function of the plugin that is executing, mostly a hook implementation.
    :param call: identity that distinguishes calls of this function.
    """

    plugin: str
    function: str
    file: str
    line: int
    call: int

    def __str__(self) -> str:
        import linecache

        source = linecache.getline(self.file, self.line).strip()
        return f"{self.file}:{self.line}" + (f" `{source}`" if source else "")


def on_stack(frame: FrameType | None) -> Place | None:
    """Find the innermost plugin code on the stack of a thread."""
    return _find(_outwards(frame))


def in_task(task: asyncio.Task[Any]) -> Place | None:
    """Find where plugin code waits in a task."""
    frames = []
    waiting: Any = task.get_coro()
    while waiting is not None:
        frame = getattr(waiting, "cr_frame", None) or getattr(waiting, "gi_frame", None)
        if frame is not None:
            frames.append(frame)
        waiting = getattr(waiting, "cr_await", None) or getattr(waiting, "gi_yieldfrom", None)
    return _find(reversed(frames))


def in_traceback(error: BaseException) -> Place | None:
    """Find the innermost plugin code in a traceback."""
    frames = []
    traceback = error.__traceback__
    while traceback is not None:
        frames.append(traceback.tb_frame)
        traceback = traceback.tb_next
    return _find(reversed(frames))


def main_thread() -> FrameType | None:
    """Return the current frame of the main thread."""
    import threading

    return sys._current_frames().get(threading.main_thread().ident or 0)


def write_stderr(text: str) -> None:
    """Write a line to standard error, from any thread."""
    with suppress(OSError):
        os.write(2, f"{text}\n".encode("utf-8", "backslashreplace"))


def report_running_code(why: str) -> None:
    """Report which plugins keep the program from exiting, if any.

    :param why: beginning of each line.
    """
    import threading

    frames = sys._current_frames()
    for thread in threading.enumerate():
        frame = frames.get(thread.ident or 0)
        place = on_stack(frame)
        if thread is threading.main_thread():
            if place is not None:
                write_stderr(f"Warning: {why}: plugin {place.plugin}: {place.function} is still running, at {place}")
        elif frame is not None and not thread.daemon and not _is_idle(frame):
            whose = f"plugin {place.plugin}: " if place is not None else ""
            where = place or f"{frame.f_code.co_filename}:{frame.f_lineno}"
            write_stderr(f"Warning: {why}: {whose}thread {thread.name} is still running, at {where}")


def _find(frames: Iterable[FrameType]) -> Place | None:
    inner = outer = None
    plugin = None
    for frame in frames:
        package = str(frame.f_globals.get("__name__")).partition(".")[0]
        if inner is None:
            plugin = OWNERS.get(package)
            if plugin is not None:
                inner = outer = frame
        elif package == _HOST:
            break
        elif OWNERS.get(package) == plugin:
            outer = frame
    if inner is None or outer is None or plugin is None:
        return None
    name = outer.f_code.co_name
    function = "its import" if name == "<module>" else name
    return Place(plugin, function, inner.f_code.co_filename, inner.f_lineno or 0, id(outer))


def _is_idle(frame: FrameType) -> bool:
    """Return whether a thread waits for another thread, or for work."""
    return frame.f_globals.get("__name__") == "threading" or frame.f_code.co_name == "_worker"


def _outwards(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back
