"""Read a rollout file back: ours, and those that Codex 0.118 and 0.169 wrote."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import count
from typing import Any

import attrs

from codex_hookspecs.errors import StorageError
from codex_hookspecs.replay import Replay
from codex_hookspecs.types.sandbox import SandboxPolicy
from codex_hookspecs.types.storage import ItemFinished, StoredThread, ThreadMeta
from codex_hookspecs.types.threads import GitInfo, Thread, ThreadSettings
from codex_thread_store import layout
from codex_thread_store.entries import Began, Entries, Shown
from codex_thread_store.settings_forms import source_of

_FORKS = 16
"""How many threads may each begin as a part of another one."""

_UNNUMBERED = "\0"
"""Begins the id of an item that gets its number when it is known which turns remain."""

_OF_META = ("cwd", "model_provider", "base_instructions", "source", "originator")
"""Settings that the first line tells."""


def read_thread(
    path: str, home: str, *, name: str | None = None, warn: Callable[[str], None] | None = None
) -> StoredThread:
    """Read the thread of a rollout file.

    :param home: where the files of threads that it was forked from are.
    :param warn: told how many lines were skipped because they are broken.
    :raises StorageError: when the file can't be read or does not begin like a rollout.
    """
    entries = Entries()
    meta = _read(path, home, entries, None, _FORKS)
    if entries.broken and warn is not None:
        warn(f"reading the thread's file {path}: skipped {entries.broken} broken lines")
    replay = Replay(meta)
    replay.settings = {key: getattr(meta.settings, key) for key in _OF_META}
    numbers = count(1)
    for at_ms, record in entries.records:
        if isinstance(record, Began):
            replay.begin(record.turn_id, at_ms=at_ms)
        elif not isinstance(record, Shown):
            replay.take(record, at_ms=at_ms)
        elif record.turn_id not in entries.itemized:
            item_id = record.item.id or f"{_UNNUMBERED}{next(numbers)}"
            replay.take(ItemFinished(record.turn_id, attrs.evolve(record.item, id=item_id)), at_ms=at_ms)
    for settings in entries.settings:
        replay.settings.update(settings)
    stored = replay.result(path=path, name=name, updated_at=int(os.stat(path).st_mtime))
    return attrs.evolve(stored, thread=_numbered(stored.thread))


def meta_of(payload: dict[str, Any]) -> ThreadMeta:
    """Return what the first line of a rollout says."""
    source = source_of(payload.get("source"))
    base = payload.get("base_instructions")
    settings = ThreadSettings(
        cwd=str(payload.get("cwd", "")),
        model="",
        model_provider=str(payload.get("model_provider") or "openai"),
        sandbox=SandboxPolicy("readOnly"),
        base_instructions=base.get("text") if isinstance(base, dict) else None,
        source=source,
        originator=str(payload.get("originator", "")),
    )
    return ThreadMeta(
        thread_id=str(payload["id"]),
        settings=settings,
        created_at_ms=moment_ms(payload.get("timestamp")) or 0,
        cli_version=str(payload.get("cli_version", "")),
        base_instructions=settings.base_instructions or "",
        git=_git(payload.get("git")),
        forked_from=payload.get("forked_from_id"),
        agent_nickname=payload.get("agent_nickname"),
        agent_role=payload.get("agent_role"),
    )


def moment_ms(text: Any) -> int | None:
    """Return a time stamp of a rollout in milliseconds since the epoch, or ``None``."""
    if not isinstance(text, str):
        return None
    whole, _, rest = text.removesuffix("Z").partition(".")
    try:
        return _seconds(whole) * 1000 + (int((rest + "000")[:3]) if rest else 0)
    except ValueError:
        return None


@lru_cache(maxsize=64)
def _seconds(text: str) -> int:
    import calendar
    import time

    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%S"))


def lines_of(path: str) -> Iterator[bytes]:
    """Yield the whole lines of a file; one that was torn at the end is not there yet.

    :raises StorageError: when it can't be read.
    """
    try:
        with open(path, "rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    yield line
    except OSError as error:
        raise StorageError(f"reading the thread's file {path}: {error.strerror}") from error


def parsed(lines: Iterable[bytes]) -> Iterator[dict[str, Any] | None]:
    """Yield the object of each line that has one, ``None`` for a broken line; empty lines are left out."""
    for line in lines:
        if line.isspace():
            continue
        try:
            value = json.loads(line)
        except ValueError:
            value = None
        good = isinstance(value, dict) and isinstance(value.get("type"), str) and isinstance(value.get("payload"), dict)
        yield value if good else None


def _read(path: str, home: str, entries: Entries, before: int | None, depth: int) -> ThreadMeta:
    """Take the lines of a file, after those of the thread that it continues.

    :param before: ordinal to stop at.
    """
    meta: ThreadMeta | None = None
    for line in parsed(lines_of(path)):
        if line is None:
            entries.broken += 1
        elif meta is None and line["type"] == "session_meta" and isinstance(line["payload"].get("id"), str):
            meta = meta_of(line["payload"])
            _read_origin(line["payload"], home, entries, depth)
        elif before is not None and isinstance(line.get("ordinal"), int) and line["ordinal"] >= before:
            break
        elif meta is not None:
            entries.take(line["type"], line["payload"], moment_ms(line.get("timestamp")))
    if meta is None:
        raise StorageError(
            f"reading the thread's file {path}: it has no session_meta line, so it is no rollout or was damaged"
        )
    return meta


def _read_origin(payload: dict[str, Any], home: str, entries: Entries, depth: int) -> None:
    """Take the lines that a fork of 0.169 shares with its origin instead of repeating them."""
    end, origin = payload.get("forked_from_ordinal_exclusive"), payload.get("forked_from_id")
    if not isinstance(end, int) or not isinstance(origin, str) or not depth:
        return
    path = layout.find(home, origin, archived=False) or layout.find(home, origin, archived=True)
    if path is not None:
        _read(path, home, entries, end, depth - 1)


def _numbered(thread: Thread) -> Thread:
    """Give items without an id their numbers, as 0.118 does."""
    numbers = count(1)
    turns = []
    for turn in thread.turns:
        items = tuple(
            attrs.evolve(item, id=f"item-{next(numbers)}") if item.id.startswith(_UNNUMBERED) else item
            for item in turn.items
        )
        turns.append(attrs.evolve(turn, items=items))
    return attrs.evolve(thread, turns=tuple(turns))


def _git(form: Any) -> GitInfo | None:
    if not isinstance(form, dict):
        return None
    found = GitInfo(form.get("commit_hash"), form.get("branch"), origin_url=form.get("repository_url"))
    return None if found == GitInfo() else found
