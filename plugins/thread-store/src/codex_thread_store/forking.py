"""Copy a rollout file as the file of a new thread (form of Codex 0.118: the copy is complete)."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING, Any

from codex_hookspecs.errors import StorageError
from codex_hookspecs.files import make_private
from codex_hookspecs.json_text import JsonError, parse_json
from codex_thread_store.files import FILE_MODE
from codex_thread_store.item_formats import decode_item
from codex_thread_store.origins import PAGINATED, Origin, find_origin
from codex_thread_store.rollout_encoder import encode_lines, encode_meta, legacy_events
from codex_thread_store.rollout_reader import MAX_FORKS, TOO_LONG, not_a_rollout, read_lines

if TYPE_CHECKING:
    from codex_hookspecs.storage import ThreadMeta

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_PIECE = 1024 * 1024
_ITEM = b'"type":"item_completed"'


def copy_rollout(source: str, home: str, target: str, meta: ThreadMeta) -> None:
    """Write the file of a fork: its own ``session_meta``, then all lines of the source with theirs.

    The file appears at its path when it is complete.

    :param home: ``$CODEX_HOME``, where the files that the source begins with are searched.
    :raises StorageError: when the source can't be read or the file can't be written.
    """
    unfinished = f"{target}.new"
    lines = chain((encode_lines([encode_meta(meta)], time.time_ns() // 1_000_000),), whole_lines(source, home))
    try:
        make_private(os.path.dirname(target))
        with suppress(FileNotFoundError):
            os.unlink(unfinished)
        with os.fdopen(os.open(unfinished, _FLAGS, FILE_MODE), "wb", buffering=_PIECE) as file:
            file.writelines(lines)
        os.rename(unfinished, target)
    except BaseException as error:
        with suppress(OSError):
            os.unlink(unfinished)
        if isinstance(error, OSError):
            reason = error.strerror or str(error)
            raise StorageError(
                f"writing the file {target} of a fork: {reason}; free space or fix the permissions",
                thread_id=meta.thread_id,
            ) from error
        raise


def whole_lines(path: str, home: str, part: Origin | None = None, depth: int = MAX_FORKS) -> Iterator[bytes]:
    """Yield the complete lines of a rollout, after those that it shares with another file.

    Files of 0.169 with numbered lines have no events from which 0.118 rebuilds messages, and 0.169 itself needs them
    in a file without numbers, as the copy is: they are added.

    :param part: the part of the file to read; ``None`` for all of it.
    :param depth: how many files may precede this one.
    :raises StorageError: when it can't be read or does not begin like a rollout.
    """
    lines = read_lines(path, size=None if part is None else part.size)
    first = next(lines, b"")
    payload = _payload(first)
    if first is TOO_LONG or payload is None:
        raise not_a_rollout(path)
    yield first
    numbered = PAGINATED in first
    origin = find_origin(payload, home) if depth else None
    if origin is not None:
        yield from whole_lines(origin.path, home, origin, depth - 1)
    for line in lines:
        if part is not None and part.ends_at(_parse(line)):
            return
        if line is not TOO_LONG:
            if numbered and _ITEM in line:
                yield from _events_of(_parse(line))
            yield line


def _events_of(line: dict[str, Any]) -> Iterator[bytes]:
    payload = line.get("payload")
    item = decode_item(payload.get("item")) if isinstance(payload, dict) else None
    for event in legacy_events(item) if item is not None else ():
        added = {"timestamp": line.get("timestamp"), "type": "event_msg", "payload": event}
        yield json.dumps(added, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"


def _payload(line: bytes) -> dict[str, Any] | None:
    found = _parse(line)
    payload = found.get("payload")
    return payload if found.get("type") == "session_meta" and isinstance(payload, dict) else None


def _parse(line: bytes) -> dict[str, Any]:
    try:
        found = parse_json(line)
    except JsonError:
        return {}
    return found if isinstance(found, dict) else {}
