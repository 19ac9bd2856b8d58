"""Read a rollout file back: ours, and those that Codex 0.118 and 0.169 wrote."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import count
from typing import Any, BinaryIO

import attrs

from codex_hookspecs.errors import StorageError
from codex_hookspecs.json_text import JsonError, parse_json
from codex_hookspecs.protocol import GitInfo, Item, Reasoning, Thread, ThreadSettings
from codex_hookspecs.sandbox import SandboxPolicy
from codex_hookspecs.storage import ItemFinished, Replay, StoredThread, ThreadMeta, TurnEnded
from codex_thread_store import layout
from codex_thread_store.entries import Began, Entries, Reasoned, Shown
from codex_thread_store.files import open_file
from codex_thread_store.settings_forms import source_of

FORKS = 16
"""How many threads may each begin as a part of another one."""

_UNNUMBERED = "\0"
"""Begins the id of an item that gets its number when it is known which turns remain."""

_LONGEST_LINE = 256 * 1024 * 1024
"""Bytes of a line that are read at once; a longer one is no line of a rollout."""

_PIECE = 1024 * 1024

TOO_LONG = b"!\n"
"""Stands for a line that is too long; it is no JSON."""

_STAMP_END = len('{"timestamp":"2026-11-30T10:00:00.000Z",')
_SENT = b'"type":"response_item","payload":{'
_UNSEEN = (b'"type":"event_msg","payload":{"type":"token_count",', b'"type":"turn_context","payload":{')

_OF_META = ("cwd", "model_provider", "base_instructions", "source", "originator", "environment")
"""Settings that the first line tells."""


def read_thread(
    path: str, home: str, *, name: str | None = None, warn: Callable[[str], None] | None = None, history: bool = True
) -> StoredThread:
    """Read the thread of a rollout file.

    :param home: where the files of threads that it was forked from are.
    :param warn: told how many lines of which file were skipped because they are broken; the result tells it, too.
    :param history: what was sent to the model, and what it cost, is wanted too; both are left empty without.
    :raises StorageError: when the file can't be read or does not begin like a rollout.
    """
    entries = Entries(history=history)
    meta = _read(path, home, entries, None, FORKS)
    warnings = tuple(
        f"reading the thread's file {file}: skipped {count} broken line{'s' if count > 1 else ''}; the thread goes on "
        "without them"
        for file, count in entries.damaged.items()
    )
    if warn is not None:
        for warning in warnings:
            warn(warning)
    replay = Replay(meta)
    replay.settings = {key: getattr(meta.settings, key) for key in _OF_META}
    numbers = count(1)
    for stamp, record in entries.records:
        if isinstance(record, Began):
            replay.begin(record.turn_id, at_ms=moment_ms(stamp))
        elif isinstance(record, TurnEnded):
            replay.take(record, at_ms=moment_ms(stamp))
        elif not isinstance(record, Shown | Reasoned):
            replay.take(record)
        elif record.turn_id not in entries.itemized:
            replay.take(ItemFinished(record.turn_id, _item(record, numbers)))
    for settings in entries.settings:
        replay.settings.update(settings)
    stored = replay.result(path=path, name=name, updated_at=int(os.stat(path).st_mtime))
    return attrs.evolve(stored, thread=_numbered(stored.thread), warnings=warnings)


def _item(record: Shown | Reasoned, numbers: Iterator[int]) -> Item:
    """Return the item of events; one that has no id is marked to get its number later."""
    if isinstance(record, Reasoned):
        mark = f"{_UNNUMBERED}{next(numbers)}"
        return Reasoning(id=mark, summary=tuple(record.summary), content=tuple(record.content))
    item = record.item
    return item if item.id else attrs.evolve(item, id=f"{_UNNUMBERED}{next(numbers)}")


def meta_of(payload: dict[str, Any]) -> ThreadMeta:
    """Return what the first line of a rollout says."""
    source = source_of(payload.get("source"))
    base = payload.get("base_instructions")
    settings = ThreadSettings(
        cwd=str(payload.get("cwd", "")),
        model="",
        model_provider=str(payload.get("model_provider") or "openai"),
        sandbox=SandboxPolicy("readOnly"),
        base_instructions=_text(base.get("text")) if isinstance(base, dict) else None,
        source=source,
        originator=str(payload.get("originator", "")),
        environment=_text(payload.get("environment")),
    )
    return ThreadMeta(
        thread_id=str(payload["id"]),
        settings=settings,
        created_at_ms=moment_ms(payload.get("timestamp")) or 0,
        cli_version=str(payload.get("cli_version", "")),
        base_instructions=settings.base_instructions or "",
        git=_git(payload.get("git")),
        forked_from=_text(payload.get("forked_from_id")),
        agent_nickname=_text(payload.get("agent_nickname")),
        agent_role=_text(payload.get("agent_role")),
    )


def moment_ms(text: Any) -> int | None:
    """Return a time stamp of a rollout in milliseconds since the epoch, or ``None``."""
    if not isinstance(text, str):
        return None
    whole, _, rest = text.removesuffix("Z").partition(".")
    try:
        return _seconds(whole) * 1000 + (int((rest + "000")[:3]) if rest else 0)
    except (ValueError, OverflowError):
        return None


@lru_cache(maxsize=64)
def _seconds(text: str) -> int:
    import calendar
    import time

    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%S"))


def lines_of(path: str, *, longest: int = _LONGEST_LINE) -> Iterator[bytes]:
    """Yield the whole lines of a file; one that was torn at the end is not there yet.

    :param longest: bytes of a line; ``TOO_LONG`` comes for one that has more.
    :raises StorageError: when it can't be read or is no regular file.
    """
    try:
        with open_file(path) as file:
            for line in iter(lambda: file.readline(longest), b""):
                if line.endswith(b"\n"):
                    yield line
                elif len(line) == longest:
                    yield TOO_LONG
                    _skip_line(file)
    except OSError as error:
        raise StorageError(f"reading the thread's file {path}: {error.strerror or error}") from error


def parsed(lines: Iterable[bytes], *, history: bool = True) -> Iterator[dict[str, Any] | None]:
    """Yield the object of each line that has one, ``None`` for a broken line; empty lines are left out.

    :param history: lines that only tell what was sent to the model are wanted too.
    """
    for line in lines:
        if line.isspace() or not (history or _may_show(line)):
            continue
        try:
            value = parse_json(line)
        except JsonError:
            value = None
        good = isinstance(value, dict) and isinstance(value.get("type"), str) and isinstance(value.get("payload"), dict)
        yield value if good else None


def _may_show(line: bytes) -> bool:
    """Tell whether a line may have to do with what clients see.

    Of what was sent to the model they see only continuation prompts, of tokens and settings nothing. Any other spelling
    of such a line than that of the writers of rollouts is taken for one that may.
    """
    if line.startswith(_SENT, _STAMP_END):
        return b"hook_prompt" in line or b"\\u" in line
    return not line.startswith(_UNSEEN, _STAMP_END)


def _skip_line(file: BinaryIO) -> None:
    while (piece := file.readline(_PIECE)) and not piece.endswith(b"\n"):
        pass


def _read(path: str, home: str, entries: Entries, before: int | None, depth: int) -> ThreadMeta:
    """Take the lines of a file, after those of the thread that it continues.

    :param before: ordinal to stop at.
    """
    meta: ThreadMeta | None = None
    wanted = entries.with_history or before is not None
    for line in parsed(lines_of(path), history=wanted):
        if line is None:
            entries.broken += 1
        elif meta is None and line["type"] == "session_meta" and isinstance(line["payload"].get("id"), str):
            meta = meta_of(line["payload"])
            _read_origin(line["payload"], home, entries, depth)
        elif before is not None and isinstance(line.get("ordinal"), int) and line["ordinal"] >= before:
            break
        elif meta is not None:
            entries.take(line["type"], line["payload"], line.get("timestamp"))
    if meta is None:
        raise no_rollout(path)
    if own := entries.broken - sum(entries.damaged.values()):
        entries.damaged[path] = own
    return meta


def no_rollout(path: str) -> StorageError:
    """Return the error that a file does not begin as a rollout does."""
    return StorageError(
        f"reading the thread's file {path}: it has no session_meta line, so it is no rollout or was damaged"
    )


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
    commit, branch, origin = (_text(form.get(key)) for key in ("commit_hash", "branch", "repository_url"))
    return GitInfo(commit, branch, origin_url=origin) if commit or branch or origin else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
