"""Names of threads, stored in ``session_index.jsonl`` (format of Codex 0.118)."""

from __future__ import annotations

import json
import os
import time

from codex_hookspecs.errors import StorageError
from codex_hookspecs.json_text import JsonError, parse_json
from codex_thread_store.files import FILE_MODE, open_file, refuse_special
from codex_thread_store.rollout_encoder import format_timestamp

_FILE = "session_index.jsonl"
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
_LONGEST = 1024 * 1024
_MOST_BYTES = 32 * 1024 * 1024
_ID = b'"id"'


def read_names(home: str) -> dict[str, str]:
    """Return the newest name of each thread by thread id; of a very long file, only the end is read."""
    names: dict[str, str] = {}
    path = os.path.join(home, _FILE)
    try:
        with open_file(path) as file:
            if (size := file.seek(0, os.SEEK_END)) > _MOST_BYTES:
                file.seek(size - _MOST_BYTES)
                file.readline(_LONGEST)
            else:
                file.seek(0)
            for line in iter(lambda: file.readline(_LONGEST), b""):
                if _ID not in line:
                    continue
                try:
                    entry = parse_json(line)
                    names[entry["id"]] = str(entry["thread_name"])
                except (JsonError, KeyError, TypeError):
                    continue
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise StorageError(f"reading thread names from {path}: {error.strerror or error}") from error
    return {thread_id: name for thread_id, name in names.items() if name}


def write_name(home: str, thread_id: str, name: str) -> None:
    """Name a thread by appending a line; the last line of a thread is valid.

    :raises StorageError: when it can't be written.
    """
    entry = {"id": thread_id, "thread_name": name, "updated_at": format_timestamp(time.time_ns() // 1_000_000)}
    line = json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"
    path = os.path.join(home, _FILE)
    try:
        descriptor = os.open(path, _FLAGS, FILE_MODE)
        try:
            refuse_special(descriptor)
            size = os.fstat(descriptor).st_size
            if size:
                os.lseek(descriptor, size - 1, os.SEEK_SET)
                if os.read(descriptor, 1) != b"\n":
                    line = b"\n" + line
            _write(descriptor, line, size)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise StorageError(
            f"naming the thread in {path}: {error.strerror or error}; check the permissions of the directory",
            thread_id=thread_id,
        ) from error


def _write(descriptor: int, line: bytes, size: int) -> None:
    """Append a complete line, or nothing when that fails."""
    rest = memoryview(line)
    try:
        while rest:
            rest = rest[os.write(descriptor, rest) :]
    except OSError:
        os.ftruncate(descriptor, size)
        raise
