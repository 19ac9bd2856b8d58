"""Records to store in tests of thread stores."""

from __future__ import annotations

from typing import Any

import attrs

from codex_hookspecs.types import items
from codex_hookspecs.types.items import FileUpdateChange, HookPromptFragment, Item
from codex_hookspecs.types.sandbox import SandboxPolicy
from codex_hookspecs.types.storage import HistoryAppended, ItemFinished, Record, TurnBegan, TurnEnded
from codex_hookspecs.types.threads import ThreadSettings

VERSION = "1.2.3"

EVERY_ITEM: tuple[Item, ...] = (
    items.UserMessage(
        id="u1",
        content=(
            {"type": "text", "text": "look", "text_elements": []},
            {"type": "image", "url": "data:image/png;base64,AA=="},
            {"type": "localImage", "path": "/w/a.png"},
        ),
    ),
    items.HookPrompt(id="h1", fragments=(HookPromptFragment("again <now>", "stop:0:/h/hooks.json"),)),
    items.AgentMessage(id="msg_1", text="done\n", phase="final_answer", memory_citation={"entries": []}),
    items.Plan(id="p1", text="# Plan"),
    items.Reasoning(id="rs_1", summary=("**Look**", "more"), content=("raw",)),
    items.CommandExecution(
        id="call_1",
        command="/bin/bash -lc 'echo hi; exit 3'",
        cwd="/w dir",
        process_id="4711",
        source="unifiedExecStartup",
        status="failed",
        command_actions=({"type": "read", "command": "cat a", "name": "a", "path": "/w dir/a"},),
        aggregated_output="hi\n\x00\ud83d\ude00é".encode("utf-16", "surrogatepass").decode("utf-16"),
        exit_code=3,
        duration_ms=12,
    ),
    items.FileChange(
        id="call_2",
        changes=(
            FileUpdateChange("/w/a", {"type": "add"}, diff="a\n"),
            FileUpdateChange("/w/b", {"type": "update", "move_path": "/w/c"}, diff="@@ -1 +1 @@\n-a\n+b\n"),
            FileUpdateChange("/w/d", {"type": "delete"}, diff="gone\n"),
        ),
        status="completed",
    ),
    items.McpToolCall(
        id="call_3",
        server="s",
        tool="t",
        status="completed",
        arguments={"a": [1, None]},
        result={"content": [{"type": "text", "text": "r"}], "structuredContent": None},
        duration_ms=5,
    ),
    items.DynamicToolCall(
        id="call_4",
        tool="roll",
        arguments={"sides": 6},
        status="completed",
        content_items=({"type": "inputText", "text": "4"},),
        success=True,
        duration_ms=1,
    ),
    items.CollabAgentToolCall(
        id="call_5",
        tool="spawnAgent",
        status="completed",
        sender_thread_id="a",
        receiver_thread_ids=("b",),
        prompt="go",
        agents_states={"b": {"status": "running", "message": None}},
    ),
    items.WebSearch(id="ws_1", query="w", action={"type": "search", "query": "w", "queries": None}),
    items.ImageView(id="call_6", path="/w/a.png"),
    items.ImageGeneration(id="ig_1", status="completed", result="AA==", revised_prompt="cat", saved_path="/w/ig.png"),
    items.EnteredReviewMode(id="r1", review="current changes"),
    items.ExitedReviewMode(id="r2", review="looks good"),
    items.ContextCompaction(id="c1"),
)
"""One item of each kind with all its fields set."""


def message(role: str, text: str) -> dict[str, Any]:
    """Return a message item of the Responses API."""
    kind = "output_text" if role == "assistant" else "input_text"
    return {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}


def settings(**changes: Any) -> ThreadSettings:
    """Return settings of a thread."""
    plain = ThreadSettings(
        cwd="/w",
        model="gpt-5.2-codex",
        model_provider="mock",
        approval_policy="never",
        sandbox=SandboxPolicy("workspaceWrite", network_access=True, writable_roots=("/x",)),
        reasoning_effort="high",
        developer_instructions="DEV",
        source="exec",
        originator="codex_exec",
    )
    return attrs.evolve(plain, **changes)


def said(turn_id: str, text: str, item_id: str = "") -> list[Record]:
    """Return the records of a user's message."""
    content = ({"type": "text", "text": text, "text_elements": []},)
    item = items.UserMessage(id=item_id or f"user-{turn_id}", content=content)
    return [HistoryAppended(message("user", text), turn_id), ItemFinished(turn_id, item)]


def answered(turn_id: str, text: str) -> list[Record]:
    """Return the records of the model's message."""
    item = items.AgentMessage(id=f"msg-{turn_id}", text=text)
    return [ItemFinished(turn_id, item), HistoryAppended(message("assistant", text), turn_id)]


def began(turn_id: str, **changes: Any) -> TurnBegan:
    """Return the record of a turn's beginning."""
    return TurnBegan(turn_id=turn_id, settings=settings(**changes), current_date="2026-03-25", timezone="Etc/UTC")


def turn(turn_id: str, prompt: str, answer: str) -> list[Record]:
    """Return the records of a whole turn."""
    ended = TurnEnded(turn_id=turn_id, status="completed", last_agent_message=answer, duration_ms=7)
    return [began(turn_id), *said(turn_id, prompt), *answered(turn_id, answer), ended]
