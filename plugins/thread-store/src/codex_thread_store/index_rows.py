"""Convert threads to rows of the index and back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from codex_hookspecs.json_text import JsonError, parse_json
from codex_hookspecs.protocol import GitInfo, Thread, UserMessage
from codex_hookspecs.sandbox import SandboxPolicy
from codex_hookspecs.storage import (
    ItemFinished,
    Record,
    SettingsChanged,
    ThreadMeta,
    TurnBegan,
    TurnEnded,
    UsageCounted,
    preview_of,
)
from codex_hookspecs.wire import encode
from codex_sandboxing.core_form import write_policy
from codex_thread_store.settings_formats import decode_source, encode_source

Row = dict[str, Any]


def listed_thread(meta: ThreadMeta, path: str, *, preview: str = "", updated_at: int | None = None) -> Thread:
    """Build a thread without turns, as listings return it.

    :param updated_at: time of the last change in seconds since the epoch; the creation time if ``None``.
    """
    return Thread(
        id=meta.thread_id,
        session_id=meta.thread_id,
        preview=preview,
        model_provider=meta.settings.model_provider,
        created_at=meta.created_at_ms // 1000,
        updated_at=meta.created_at_ms // 1000 if updated_at is None else updated_at,
        status={"type": "notLoaded"},
        path=path,
        cwd=meta.settings.cwd,
        cli_version=meta.cli_version,
        source=meta.settings.source,
        agent_nickname=meta.agent_nickname,
        agent_role=meta.agent_role,
        git_info=meta.git,
    )


def to_row(thread: Thread, *, archived: bool) -> Row:
    """Build the row of a thread from its summary."""
    git = thread.git_info or GitInfo()
    return {
        "id": thread.id,
        "rollout_path": thread.path,
        "created_at": thread.created_at,
        "updated_at": thread.updated_at,
        "source": _source_text(encode_source(thread.source)),
        "model_provider": thread.model_provider,
        "cwd": thread.cwd,
        "title": thread.preview,
        "sandbox_policy": json.dumps(write_policy(SandboxPolicy("readOnly"))),
        "approval_mode": "on-request",
        "archived": int(archived),
        "archived_at": thread.updated_at if archived else None,
        "git_sha": git.sha,
        "git_branch": git.branch,
        "git_origin_url": git.origin_url,
        "cli_version": thread.cli_version,
        "first_user_message": thread.preview,
        "preview": thread.preview,
        "agent_nickname": thread.agent_nickname,
        "agent_role": thread.agent_role,
    }


GIT_COLUMNS = {"sha": "git_sha", "branch": "git_branch", "origin_url": "git_origin_url"}
"""Column of each attribute of :class:`GitInfo`."""


def git_of(row: Row) -> GitInfo | None:
    """Return the state of the work tree that a row has, ``None`` for none."""
    git = GitInfo(row["git_sha"], row["git_branch"], origin_url=row["git_origin_url"])
    return None if git == GitInfo() else git


def from_row(row: Row, name: str | None) -> Thread:
    """Build a thread without turns from its row."""
    return Thread(
        id=row["id"],
        session_id=row["id"],
        preview=row["first_user_message"],
        model_provider=row["model_provider"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        status={"type": "notLoaded"},
        path=row["rollout_path"],
        cwd=row["cwd"],
        cli_version=row["cli_version"],
        source=decode_source(_source_value(row["source"])),
        agent_nickname=row["agent_nickname"],
        agent_role=row["agent_role"],
        git_info=git_of(row),
        name=name,
    )


class TrackedRow:
    """The row of a thread that is being written, updated from its records.

    :param thread: the thread when it was opened.
    """

    def __init__(self, thread: Thread) -> None:
        self.row = to_row(thread, archived=False)
        self._listed = False

    def take(self, records: Sequence[Record], now: int) -> bool:
        """Update the row from appended records.

        :param now: seconds since the epoch.
        :return: whether the index has to be updated.
        """
        ended = False
        for record in records:
            if isinstance(record, TurnBegan | SettingsChanged):
                self._apply_settings(record)
            elif isinstance(record, UsageCounted):
                self.row["tokens_used"] = record.usage.total.total_tokens
            elif isinstance(record, ItemFinished) and isinstance(record.item, UserMessage):
                self._name(preview_of(record.item))
            ended = ended or isinstance(record, TurnEnded)
        self.row["updated_at"] = now
        due = bool(self.row["first_user_message"]) and (ended or not self._listed)
        self._listed = self._listed or due
        return due

    def _apply_settings(self, record: TurnBegan | SettingsChanged) -> None:
        settings = record.settings
        self.row["sandbox_policy"] = json.dumps(write_policy(settings.sandbox, empty_roots=True), separators=(",", ":"))
        policy = settings.approval_policy
        self.row["approval_mode"] = (
            policy if isinstance(policy, str) else json.dumps(encode(policy), separators=(",", ":"))
        )
        self.row["model"] = settings.model
        self.row["reasoning_effort"] = settings.reasoning_effort

    def _name(self, preview: str) -> None:
        if not self.row["first_user_message"]:
            self.row.update(dict.fromkeys(("first_user_message", "preview", "title"), preview))


def _source_text(source: Any) -> str:
    return source if isinstance(source, str) else json.dumps(source, separators=(",", ":"))


def _source_value(text: str) -> Any:
    if not text.startswith("{"):
        return text
    try:
        return parse_json(text)
    except JsonError:
        return "unknown"
