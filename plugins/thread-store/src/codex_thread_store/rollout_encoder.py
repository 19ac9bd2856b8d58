"""Encode records as lines of a rollout file: the format of Codex 0.118, with the ``item_completed`` events of 0.169."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from typing import Any

from codex_hookspecs.protocol import (
    AgentMessage,
    ContextCompaction,
    Item,
    Reasoning,
    TokenUsage,
    TurnError,
    UserMessage,
)
from codex_hookspecs.storage import (
    HistoryAppended,
    HistoryReplaced,
    ItemFinished,
    Record,
    SettingsChanged,
    ThreadMeta,
    TurnBegan,
    TurnEnded,
    TurnsDropped,
    UsageCounted,
    is_user_turn,
)
from codex_hookspecs.wire import encode
from codex_thread_store.settings_formats import encode_settings, encode_source, encode_turn_context, to_snake_case

Line = tuple[str, dict[str, Any]]
"""Type and payload of a line."""


def format_timestamp(now_ms: int) -> str:
    """Format a time stamp."""
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(now_ms // 1000))}.{now_ms % 1000:03d}Z"


def encode_lines(lines: Iterable[Line], now_ms: int, ordinal: int | None = None) -> bytes:
    """Encode lines as JSON.

    :param ordinal: number of the first line, for files whose lines are numbered.
    """
    head: dict[str, Any] = {"timestamp": format_timestamp(now_ms)}
    dumped = [
        json.dumps(
            {**head, **({} if ordinal is None else {"ordinal": number}), "type": kind, "payload": payload},
            ensure_ascii=False,
            separators=(",", ":"),
        )
        for number, (kind, payload) in enumerate(lines, ordinal or 0)
    ]
    dumped.append("")
    return "\n".join(dumped).encode("utf-8", "replace")


def encode_meta(meta: ThreadMeta) -> Line:
    """Build the first line of a rollout."""
    settings = meta.settings
    payload: dict[str, Any] = {"id": meta.thread_id}
    if meta.forked_from:
        payload["forked_from_id"] = meta.forked_from
    payload["timestamp"] = format_timestamp(meta.created_at_ms)
    payload["cwd"] = settings.cwd
    payload["originator"] = settings.originator
    payload["cli_version"] = meta.cli_version
    payload["source"] = encode_source(settings.source)
    for key in ("agent_nickname", "agent_role"):
        if getattr(meta, key) is not None:
            payload[key] = getattr(meta, key)
    payload["model_provider"] = settings.model_provider
    if settings.environment is not None:
        payload["environment"] = settings.environment
    payload["base_instructions"] = {"text": meta.base_instructions} if meta.base_instructions else None
    if settings.dynamic_tools:
        payload["dynamic_tools"] = list(settings.dynamic_tools)
    if meta.git is not None:
        git = {"commit_hash": meta.git.sha, "branch": meta.git.branch, "repository_url": meta.git.origin_url}
        payload["git"] = {key: value for key, value in git.items() if value is not None}
    return "session_meta", payload


def encode_records(records: Iterable[Record], thread_id: str, now_ms: int, *, numbered: bool = False) -> list[Line]:
    """Build the lines of a batch of records, in the order of 0.118.

    :param numbered: whether they are for a file of 0.169 with numbered lines.

    There the ``turn_context`` of a turn follows its context messages (instructions, environment) and precedes the
    user's message.
    """
    lines: list[Line] = []
    context: Line | None = None
    for record in records:
        if context is not None and not _is_context_message(record):
            lines.append(context)
            context = None
        if isinstance(record, TurnBegan):
            lines.append(("event_msg", _task_started(record, now_ms)))
            context = ("turn_context", encode_turn_context(record))
        else:
            lines.extend(_encode_record(record, thread_id, now_ms, numbered=numbered))
    if context is not None:
        lines.append(context)
    return lines


def _is_context_message(record: Record) -> bool:
    if not isinstance(record, HistoryAppended) or record.item.get("type") != "message":
        return False
    return record.item.get("role") in ("developer", "user") and not is_user_turn(record.item)


def _encode_record(record: Record, thread_id: str, now_ms: int, *, numbered: bool) -> Iterator[Line]:
    if isinstance(record, HistoryAppended):
        yield "response_item", record.item
    elif isinstance(record, ItemFinished):
        form: dict[str, Any]
        if numbered:
            from codex_thread_store.core_items import core_item

            form = core_item(record.item)
        else:
            for event in legacy_events(record.item):
                yield "event_msg", event
            form = encode(record.item)
        yield "event_msg", _item_completed(record.turn_id, form, thread_id, now_ms, numbered=numbered)
    elif isinstance(record, UsageCounted):
        yield "event_msg", _token_count(record)
    elif isinstance(record, TurnEnded):
        yield "event_msg", _turn_ended(record, now_ms)
    elif isinstance(record, HistoryReplaced):
        yield "compacted", {"message": record.message, "replacement_history": list(record.items)}
    elif isinstance(record, SettingsChanged):
        yield "turn_context", encode_settings(record.settings)
    elif isinstance(record, TurnsDropped):
        yield "event_msg", {"type": "thread_rolled_back", "num_turns": record.count}


def _task_started(record: TurnBegan, now_ms: int) -> dict[str, Any]:
    mode = (record.settings.collaboration_mode or {}).get("mode", "default")
    return {
        "type": "task_started",
        "turn_id": record.turn_id,
        "started_at": now_ms // 1000,
        "model_context_window": record.settings.context_window,
        "collaboration_mode_kind": mode,
    }


def legacy_events(item: Item) -> Iterator[dict[str, Any]]:
    """Yield the events from which 0.118 rebuilds a thread for clients."""
    if isinstance(item, UserMessage):
        yield {
            "type": "user_message",
            "message": "\n".join(part["text"] for part in item.content if part["type"] == "text"),
            "images": [part["url"] for part in item.content if part["type"] == "image"],
            "local_images": [part["path"] for part in item.content if part["type"] == "localImage"],
            "text_elements": [],
        }
    elif isinstance(item, AgentMessage):
        yield {
            "type": "agent_message",
            "message": item.text,
            "phase": item.phase,
            "memory_citation": item.memory_citation,
        }
    elif isinstance(item, Reasoning):
        for text in item.summary:
            yield {"type": "agent_reasoning", "text": text}
        for text in item.content:
            yield {"type": "agent_reasoning_raw_content", "text": text}
    elif isinstance(item, ContextCompaction):
        yield {"type": "context_compacted"}


def _item_completed(
    turn_id: str, item: dict[str, Any], thread_id: str, now_ms: int, *, numbered: bool
) -> dict[str, Any]:
    return {
        "type": "item_completed",
        "thread_id": thread_id,
        "turn_id": turn_id,
        "item": item,
        **({"started_at_ms": now_ms} if numbered else {}),
        "completed_at_ms": now_ms,
    }


def _token_count(record: UsageCounted) -> dict[str, Any]:
    info = {
        "total_token_usage": _usage(record.usage.total),
        "last_token_usage": _usage(record.usage.last),
        "model_context_window": record.usage.model_context_window,
    }
    return {"type": "token_count", "info": info, "rate_limits": None}


def _usage(usage: TokenUsage) -> dict[str, int]:
    return {
        "input_tokens": usage.input_tokens,
        "cached_input_tokens": usage.cached_input_tokens,
        "cache_write_input_tokens": usage.cache_write_input_tokens,
        "output_tokens": usage.output_tokens,
        "reasoning_output_tokens": usage.reasoning_output_tokens,
        "total_tokens": usage.total_tokens,
    }


def _turn_ended(record: TurnEnded, now_ms: int) -> dict[str, Any]:
    event: dict[str, Any] = {"type": "task_complete", "turn_id": record.turn_id}
    if record.status == "interrupted":
        event |= {"type": "turn_aborted", "reason": "interrupted"}
    else:
        event["last_agent_message"] = record.last_agent_message
    if record.error is not None:
        event["error"] = _error(record.error)
    event["completed_at"] = now_ms // 1000
    if record.duration_ms is not None:
        event["duration_ms"] = record.duration_ms
    return event


def _error(error: TurnError) -> dict[str, Any]:
    form = {"message": error.message, "codex_error_info": to_snake_case(error.codex_error_info)}
    return form if error.additional_details is None else form | {"additional_details": error.additional_details}
