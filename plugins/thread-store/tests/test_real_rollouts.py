"""Rollouts that real Codex 0.118.0 and 0.169.0 wrote are listed, read and continued.

``exec``: a turn with all tools and a Stop hook, a second turn, a failed turn. ``edited``: two turns, a name, an
interrupted turn (taken back in 0.118), a turn, a compaction, a turn, a user's shell command. ``forked``: a fork of it.
``extended``: a turn with all tools and a failed one, kept with ``persistExtendedHistory``.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from codex_hookspecs.protocol import GranularApprovalPolicy, GranularApprovals, Turn, TurnError
from codex_hookspecs.sandbox import SandboxPolicy
from codex_hookspecs.storage import ThreadQuery
from codex_testkit.suites._store_samples import VERSION, turn
from codex_thread_store.store import RolloutStore

pytestmark = pytest.mark.anyio

DATA = Path(__file__).parent / "data"


def put(home: Path, name: str) -> str:
    """Lay a recorded rollout where Codex keeps it and return its thread's id."""
    meta = json.loads((DATA / name).read_text("utf-8").partition("\n")[0])["payload"]
    stamp = meta["timestamp"][:19].replace(":", "-")
    folder = home / "sessions" / stamp[:10].replace("-", "/")
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(DATA / name, folder / f"rollout-{stamp}-{meta['id']}.jsonl")
    return str(meta["id"])


def kinds(turns: tuple[Turn, ...]) -> list[list[str]]:
    return [[item.TYPE for item in turn.items] for turn in turns]


def texts(history: tuple[dict[str, Any], ...], role: str) -> list[str]:
    return [part["text"] for item in history if item.get("role") == role for part in item["content"]]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[RolloutStore]:
    warnings: list[str] = []
    store = RolloutStore(str(tmp_path), warn=warnings.append)
    yield store
    await store.aclose()
    assert warnings == []


async def test_a_rollout_of_0_118_gives_the_items_that_0_118_shows(store: RolloutStore, tmp_path: Path) -> None:
    stored = await store.read(put(tmp_path, "exec-0.118.jsonl"))

    assert kinds(stored.thread.turns) == [
        ["userMessage", "reasoning", "agentMessage", "agentMessage", "hookPrompt", "agentMessage"],
        ["userMessage", "agentMessage", "hookPrompt", "agentMessage"],
        ["userMessage"],
    ]
    numbers = [item.id for turn in stored.thread.turns for item in turn.items]
    assert numbers == [f"item-{number}" for number in range(1, 12)]
    assert stored.thread.turns[0].items[2].phase == "commentary"
    assert [turn.status for turn in stored.thread.turns] == ["completed"] * 3


async def test_a_rollout_of_0_118_gives_the_history_to_go_on_with(store: RolloutStore, tmp_path: Path) -> None:
    stored = await store.read(put(tmp_path, "exec-0.118.jsonl"))

    kinds = [item["type"] for item in stored.history if item["type"] != "message"]
    assert kinds == [
        "reasoning",
        *("function_call", "function_call_output"),
        *("custom_tool_call", "custom_tool_call_output"),
        *("function_call", "function_call_output") * 2,
        "web_search_call",
    ]
    assert texts(stored.history, "assistant") == ["looking", "final words", "again done", "done", "done"]
    sent = {"permissions", "developer_instructions", "skills", "agents_md", "environment_context"}
    assert set(stored.fragments) == sent
    assert stored.usage.total.total_tokens == 258_400
    assert stored.usage.model_context_window == 258_400


async def test_the_settings_of_a_rollout_of_0_118_are_known(store: RolloutStore, tmp_path: Path) -> None:
    stored = await store.read(put(tmp_path, "exec-0.118.jsonl"))

    expected = {
        "cwd": "/w",
        "model": "gpt-5.2-codex",
        "model_provider": "mock",
        "approval_policy": "never",
        "sandbox": SandboxPolicy("dangerFullAccess"),
        "developer_instructions": "DEV",
        "base_instructions": "BASE",
        "source": "exec",
    }
    assert {key: stored.settings[key] for key in expected} == expected
    assert stored.thread.git_info is not None
    assert stored.thread.git_info.branch == "master"
    assert stored.thread.cli_version == "0.118.0"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (
            {"granular": {"sandbox_approval": True, "rules": False, "mcp_elicitations": False}},
            GranularApprovalPolicy(GranularApprovals(sandbox_approval=True, rules=False, mcp_elicitations=False)),
        ),
        ({"granular": {"rules": "sometimes"}}, "untrusted"),
        ({"by_the_moon": {}}, "untrusted"),
    ],
)
async def test_a_granular_approval_policy_is_read_back(
    store: RolloutStore, tmp_path: Path, written: Any, read: Any
) -> None:
    thread_id = put(tmp_path, "exec-0.118.jsonl")
    [path] = tmp_path.rglob("*.jsonl")
    path.write_text(path.read_text().replace('"approval_policy":"never"', f'"approval_policy":{json.dumps(written)}'))

    stored = await store.read(thread_id)

    assert stored.settings["approval_policy"] == read


async def test_an_extended_rollout_of_0_118_gives_commands_patches_and_failures(
    store: RolloutStore, tmp_path: Path
) -> None:
    stored = await store.read(put(tmp_path, "extended-0.118.jsonl"))

    first, second = stored.thread.turns
    assert [(item.TYPE, item.id) for item in first.items] == [
        ("userMessage", "item-1"),
        ("reasoning", "item-2"),
        ("agentMessage", "item-3"),
        ("commandExecution", "call_0_2"),
        ("fileChange", "call_1_0"),
        ("fileChange", "call_2_0"),
        ("imageView", "call_3_0"),
        ("webSearch", "ws_4_0"),
        ("agentMessage", "item-4"),
    ]
    assert (first.items[3].exit_code, first.items[3].duration_ms) == (3, 403)
    assert first.items[5].changes[0].diff == "@@ -1 +1 @@\n-a\n+b\n"
    assert [item.id for item in second.items] == ["item-5"]
    assert second.status == "failed"
    assert second.error == TurnError('{"error": {"message": "scripted failure 400"}}', "other")


async def test_a_rollout_of_0_169_gives_every_item_with_its_live_id(store: RolloutStore, tmp_path: Path) -> None:
    stored = await store.read(put(tmp_path, "exec-0.169.jsonl"))

    first, second, third = stored.thread.turns
    assert [(item.TYPE, item.id) for item in first.items] == [
        ("userMessage", "01a2029d-1766-7ec1-a214-d779fcd3c037"),
        ("reasoning", "rs_0_0"),
        ("agentMessage", "msg_0_1"),
        ("commandExecution", "call_0_2"),
        ("fileChange", "call_1_0"),
        ("imageView", "call_3_0"),
        ("webSearch", "ws_4_0"),
        ("agentMessage", "msg_4_1"),
        ("hookPrompt", "msg_01a2029d-1971-70d0-a7be-e7c09e54134f"),
        ("agentMessage", "msg_5_0"),
    ]
    assert (first.status, first.started_at, first.duration_ms) == ("completed", 1795340179, 745)
    assert [item.TYPE for item in second.items] == ["userMessage", "agentMessage", "hookPrompt", "agentMessage"]
    assert third.status == "failed"
    assert isinstance(third.error, TurnError)
    assert third.error.codex_error_info == "contextWindowExceeded"


async def test_items_of_0_169_have_their_fields(store: RolloutStore, tmp_path: Path) -> None:
    stored = await store.read(put(tmp_path, "exec-0.169.jsonl"))

    command, patch, image = (stored.thread.turns[0].items[number] for number in (3, 4, 5))
    assert (command.command, command.cwd) == ("/bin/bash -lc 'echo hi; exit 3'", "/w")
    assert (command.status, command.exit_code, command.duration_ms) == ("failed", 3, 3)
    assert (command.source, command.process_id) == ("unifiedExecStartup", "69964")
    assert command.command_actions == ({"type": "unknown", "command": "echo hi; exit 3"},)
    assert command.aggregated_output == "hi\n"
    (change,) = patch.changes
    assert (change.path, change.kind, change.diff, patch.status) == ("/w/n.txt", {"type": "add"}, "a\n", "completed")
    assert image.path == "/w/p.png"


async def test_history_of_0_169_goes_on_without_what_only_its_service_knows(
    store: RolloutStore, tmp_path: Path
) -> None:
    stored = await store.read(put(tmp_path, "exec-0.169.jsonl"))

    assert len(stored.history) == 22
    assert not any("internal_chat_message_metadata_passthrough" in item for item in stored.history)


async def test_a_turn_taken_back_is_gone_and_the_numbers_go_on(store: RolloutStore, tmp_path: Path) -> None:
    stored = await store.read(put(tmp_path, "edited-0.118.jsonl"))

    assert [[item.id for item in turn.items] for turn in stored.thread.turns] == [
        ["item-1", "item-2"],
        ["item-3", "item-4"],
        ["item-5", "item-6"],
        ["item-7"],
        ["item-8", "item-9"],
        [],
    ]
    assert kinds(stored.thread.turns)[3] == ["contextCompaction"]
    assert "MOCK" not in json.dumps(stored.history)


async def test_a_compacted_history_is_the_replacement(store: RolloutStore, tmp_path: Path) -> None:
    stored = await store.read(put(tmp_path, "edited-0.118.jsonl"))

    said = [text for text in texts(stored.history, "user") if not text.startswith(("<", "#"))]
    assert said == ["one", "two", "three", "Summary so far:\ndone", "four"]


async def test_an_interrupted_turn_and_its_late_command_are_read(store: RolloutStore, tmp_path: Path) -> None:
    stored = await store.read(put(tmp_path, "edited-0.169.jsonl"))

    statuses = [turn.status for turn in stored.thread.turns]
    assert statuses == ["completed", "completed", "interrupted", "completed", "completed", "completed", "completed"]
    assert kinds(stored.thread.turns)[2] == ["userMessage", "commandExecution"]
    assert kinds(stored.thread.turns)[6] == ["commandExecution"]
    assert stored.thread.turns[6].items[0].source == "userShell"


async def test_a_fork_of_0_169_begins_with_what_it_shares(store: RolloutStore, tmp_path: Path) -> None:
    origin = await store.read(put(tmp_path, "edited-0.169.jsonl"))

    fork = await store.read(put(tmp_path, "forked-0.169.jsonl"))

    assert fork.thread.id != origin.thread.id
    assert fork.thread.preview == "one"
    assert len(fork.history) == len(origin.history)
    assert [turn.id for turn in fork.thread.turns] == [turn.id for turn in origin.thread.turns]


async def test_all_are_listed(store: RolloutStore, tmp_path: Path) -> None:
    ids = {put(tmp_path, path.name) for path in DATA.glob("*.jsonl")}

    page = await store.list(ThreadQuery())
    again = await store.list(ThreadQuery())

    assert {thread.id for thread in page.threads} == ids
    assert again == page
    assert {thread.source for thread in page.threads} == {"exec", "vscode"}


@pytest.mark.parametrize("name", sorted(path.name for path in DATA.glob("*.jsonl")))
async def test_each_can_be_continued(store: RolloutStore, tmp_path: Path, name: str) -> None:
    put(tmp_path, "edited-0.169.jsonl")
    thread_id = put(tmp_path, name)
    before, writer = await store.open(thread_id, cli_version=VERSION)

    await writer.append(turn("t9", "more", "ok"))
    await writer.aclose()

    after = await store.read(thread_id)
    assert after.thread.turns[:-1] == before.thread.turns
    assert [item.id for item in after.thread.turns[-1].items] == ["user-t9", "msg-t9"]
    assert len(after.history) == len(before.history) + 2
