"""Move the files of a thread to ``archived_sessions`` and back."""

from __future__ import annotations

import os
from contextlib import ExitStack

from codex_hookspecs.errors import StorageError, ThreadBusy
from codex_hookspecs.files import make_private
from codex_thread_store import layout
from codex_thread_store.files import find_codex_lock, holder_of, lock

_FLAGS = os.O_RDWR | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


def move_thread(home: str, thread_id: str, path: str, *, archive: bool) -> str:
    """Move the file of a thread, and those that it had before 0.169 reverted it.

    :param path: its newest file.
    :param archive: whether to archive it rather than to restore it.
    :return: the new path of that file.
    :raises ThreadBusy: when it has a writer.
    :raises StorageError: when it can't be moved.
    """
    place = layout.archived_path if archive else layout.restored_path
    target = place(home, os.path.basename(path))
    with ExitStack() as held:
        try:
            held.callback(os.close, descriptor := os.open(path, _FLAGS))
            locked = find_codex_lock(home, thread_id) if lock(descriptor) else path
            if locked is not None:
                raise ThreadBusy(
                    f"thread {thread_id} is in use: {holder_of(locked)} is writing {path}; end that session first",
                    thread_id=thread_id,
                )
            for older in layout.find_older(home, path, archived=not archive):
                _move(older, place(home, os.path.basename(older)))
            _move(path, target)
        except OSError as error:
            raise StorageError(
                f"moving the thread's file {path} to {target}: {error.strerror or error}; check the permissions",
                thread_id=thread_id,
            ) from error
    return target


def _move(path: str, target: str) -> None:
    make_private(os.path.dirname(target))
    os.rename(path, target)
