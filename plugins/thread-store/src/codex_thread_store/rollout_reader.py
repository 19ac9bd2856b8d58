"""Read rollout files: those written here, and those of Codex 0.118 and 0.169."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import chain, count
from typing import Any, BinaryIO

import attrs

from codex_hookspecs.errors import StorageError
from codex_hookspecs.json_text import JsonError, parse_json
from codex_hookspecs.protocol import GitInfo, Item, JsonObject, Reasoning, Thread, ThreadSettings
from codex_hookspecs.sandbox import SandboxPolicy
from codex_hookspecs.storage import ItemFinished, Replay, StoredThread, ThreadMeta, TurnEnded
from codex_thread_store.files import open_file
from codex_thread_store.origins import Origin, find_origin
from codex_thread_store.rollout_decoder import EventItem, EventReasoning, RolloutDecoder, TurnStarted
from codex_thread_store.settings_formats import decode_source

MAX_FORKS = 16
"""Maximum depth of forks that share the beginning of another thread's file."""

_UNNUMBERED = "\0"
"""Prefix of temporary item ids; the final numbers are assigned when it is known which turns were rolled back."""

_LONGEST_LINE = 256 * 1024 * 1024
"""Maximum length of a line in bytes; a longer one is treated as malformed."""

_PIECE = 1024 * 1024

TOO_LONG = b"!\n"
"""Replacement for a line that is too long; it is not valid JSON."""

_STAMP_END = len('{"timestamp":"2026-11-30T10:00:00.000Z",')
_RESPONSE_ITEM = b'"type":"response_item","payload":{'
_INVISIBLE = (b'"type":"event_msg","payload":{"type":"token_count",', b'"type":"turn_context","payload":{')

_META_SETTINGS = (
    "cwd", "model_provider", "base_instructions", "source", "originator", "environment", "dynamic_tools",
)  # fmt: skip
"""Settings that the first line contains."""


def read_thread(
    path: str, home: str, *, name: str | None = None, warn: Callable[[str], None] | None = None, history: bool = True
) -> StoredThread:
    """Read the thread of a rollout file.

    :param home: ``$CODEX_HOME``, where the files of threads that it was forked from are searched.
    :param warn: called with the number of malformed lines that were skipped in each file; the result has it, too.
    :param history: whether the model's input and the token usage are read; without, both are empty.
    :raises StorageError: when the file can't be read or does not begin like a rollout.
    """
    decoder = RolloutDecoder(history=history)
    meta = _read(path, home, decoder, None, MAX_FORKS)
    warnings = tuple(
        f"reading the thread's file {file}: skipped {count} broken line{'s' if count > 1 else ''}; the thread goes on "
        "without them"
        for file, count in decoder.malformed_by_file.items()
    )
    if warn is not None:
        for warning in warnings:
            warn(warning)
    replay = Replay(meta)
    replay.settings = {key: getattr(meta.settings, key) for key in _META_SETTINGS}
    numbers = count(1)
    for stamp, record in decoder.records:
        if isinstance(record, TurnStarted):
            if record.implied:
                replay.begin(record.turn_id, status="completed")
            else:
                replay.begin(record.turn_id, at_ms=parse_timestamp(stamp))
        elif isinstance(record, TurnEnded):
            replay.take(record, at_ms=parse_timestamp(stamp))
        elif not isinstance(record, EventItem | EventReasoning):
            replay.take(record)
        elif record.turn_id not in decoder.turns_with_items:
            replay.take(ItemFinished(record.turn_id, _item(record, numbers)))
    replay.settings.update(decoder.settings)
    try:
        updated_at = int(os.stat(path).st_mtime)
    except OSError as error:
        raise StorageError(f"reading the thread's file {path}: {error.strerror or error}") from error
    stored = replay.result(path=path, name=name, updated_at=updated_at)
    return attrs.evolve(stored, thread=_number_items(stored.thread), warnings=warnings)


def _item(record: EventItem | EventReasoning, numbers: Iterator[int]) -> Item:
    """Return the item of events; one without an id gets a temporary id."""
    if isinstance(record, EventReasoning):
        mark = f"{_UNNUMBERED}{next(numbers)}"
        return Reasoning(id=mark, summary=tuple(record.summary), content=tuple(record.content))
    item = record.item
    return item if item.id else attrs.evolve(item, id=f"{_UNNUMBERED}{next(numbers)}")


def decode_meta(payload: dict[str, Any]) -> ThreadMeta:
    """Decode the first line of a rollout."""
    source = decode_source(payload.get("source"))
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
        dynamic_tools=_objects(payload.get("dynamic_tools")),
    )
    return ThreadMeta(
        thread_id=str(payload["id"]),
        settings=settings,
        created_at_ms=parse_timestamp(payload.get("timestamp")) or 0,
        cli_version=str(payload.get("cli_version", "")),
        base_instructions=settings.base_instructions or "",
        git=_git(payload.get("git")),
        forked_from=_text(payload.get("forked_from_id")),
        agent_nickname=_text(payload.get("agent_nickname")),
        agent_role=_text(payload.get("agent_role")),
    )


def parse_timestamp(text: Any) -> int | None:
    """Parse a time stamp into milliseconds since the epoch; ``None`` when it is malformed."""
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


def read_lines(path: str, *, longest: int = _LONGEST_LINE, size: int | None = None) -> Iterator[bytes]:
    """Yield the complete lines of a file; an incomplete last line is ignored.

    :param longest: maximum length of a line in bytes; ``TOO_LONG`` is yielded for a longer one.
    :param size: number of bytes after which to stop.
    :raises StorageError: when the file can't be read or is not a regular file.
    """
    try:
        with open_file(path) as file:
            for line in iter(lambda: file.readline(longest), b""):
                if line.endswith(b"\n"):
                    yield line
                elif len(line) == longest:
                    yield TOO_LONG
                    _skip_line(file)
                if size is not None and file.tell() >= size:
                    return
    except OSError as error:
        raise StorageError(f"reading the thread's file {path}: {error.strerror or error}") from error


def parse_lines(lines: Iterable[bytes], *, history: bool = True) -> Iterator[dict[str, Any] | None]:
    """Yield the object of each line, ``None`` for a malformed one; empty lines are skipped.

    :param history: whether lines that matter only for the model's input and token usage are parsed, too.
    """
    for line in lines:
        if line.isspace() or not (history or _may_be_visible(line)):
            continue
        try:
            value = parse_json(line)
        except JsonError:
            value = None
        good = isinstance(value, dict) and isinstance(value.get("type"), str) and isinstance(value.get("payload"), dict)
        yield value if good else None


def _may_be_visible(line: bytes) -> bool:
    """Tell whether a line may matter for what clients see, without parsing it.

    Of the model's input, clients see only hook prompts; of token usage and settings, nothing. A line that is not
    formatted as Codex and this plugin write it counts as one that may matter.
    """
    if line.startswith(_RESPONSE_ITEM, _STAMP_END):
        return b"hook_prompt" in line or b"\\u" in line
    return not line.startswith(_INVISIBLE, _STAMP_END)


def _skip_line(file: BinaryIO) -> None:
    while (piece := file.readline(_PIECE)) and not piece.endswith(b"\n"):
        pass


def _read(path: str, home: str, decoder: RolloutDecoder, part: Origin | None, depth: int) -> ThreadMeta:
    """Decode the lines of a file, after those that it shares with another one.

    :param part: the part of the file to read; ``None`` for all of it.
    """
    meta: ThreadMeta | None = None
    wanted = decoder.with_history or part is not None
    lines = read_lines(path, size=None if part is None else part.size)
    first = next(lines, b"")
    if first is TOO_LONG:  # The rest may be gigabytes of it.
        raise not_a_rollout(path)
    for line in parse_lines(chain((first,), lines), history=wanted):
        if line is None:
            decoder.malformed_lines += 1
        elif meta is None and line["type"] == "session_meta" and isinstance(line["payload"].get("id"), str):
            meta = decode_meta(line["payload"])
            _read_origin(line["payload"], home, decoder, depth)
        elif part is not None and part.ends_at(line):
            break
        elif meta is not None:
            decoder.decode(line["type"], line["payload"], line.get("timestamp"))
    if meta is None:
        raise not_a_rollout(path)
    if own := decoder.malformed_lines - sum(decoder.malformed_by_file.values()):
        decoder.malformed_by_file[path] = own
    return meta


def not_a_rollout(path: str) -> StorageError:
    """Build the error for a file that does not begin like a rollout."""
    return StorageError(
        f"reading the thread's file {path}: it has no session_meta line, so it is not a rollout, or is damaged"
    )


def _read_origin(payload: dict[str, Any], home: str, decoder: RolloutDecoder, depth: int) -> None:
    """Decode the lines that a thread of 0.169 shares with another file instead of repeating them."""
    origin = find_origin(payload, home) if depth else None
    if origin is not None:
        _read(origin.path, home, decoder, origin, depth - 1)


def _number_items(thread: Thread) -> Thread:
    """Replace temporary item ids by consecutive numbers, as 0.118 does."""
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


def _objects(value: Any) -> tuple[JsonObject, ...]:
    return tuple(each for each in value if isinstance(each, dict)) if isinstance(value, list) else ()


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
