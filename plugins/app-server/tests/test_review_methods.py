"""What the prompt of a review says."""

from __future__ import annotations

from typing import Any

import pytest

from codex_app_server.review_methods import review_prompt
from codex_hookspecs.protocol import BaseBranchReviewTarget, CommitReviewTarget, CustomReviewTarget
from codex_testkit.memory.store import MemoryThreadStore


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("target", "message"),
    [
        ({"type": "baseBranch"}, "Invalid request: missing field `branch`"),
        ({"type": "commit", "sha": " "}, "sha must not be empty"),
        ({"type": "custom", "instructions": ""}, "instructions must not be empty"),
        ({"type": "other"}, "Invalid request: unknown variant `other`, expected one of "),
    ],
)
async def test_a_review_needs_something_to_look_at(connect, target: dict[str, Any], message: str) -> None:
    client = await connect()
    thread_id = await client.thread()

    code, told = await client.refusal("review/start", {"threadId": thread_id, "target": target})

    assert code == -32600
    assert told.startswith(message)


def test_a_review_names_what_is_looked_at() -> None:
    assert "merge-base HEAD main" in review_prompt(BaseBranchReviewTarget("main"))
    assert 'abc ("fix")' in review_prompt(CommitReviewTarget(sha="abc", title="fix"))
    assert review_prompt(CustomReviewTarget("only names")) == "only names"


@pytest.mark.anyio
async def test_a_review_is_shown_by_its_target(connect) -> None:
    client = await connect()
    thread_id = await client.thread()

    shown = []
    for target in (
        {"type": "uncommittedChanges"},
        {"type": "baseBranch", "branch": " main "},
        {"type": "commit", "sha": "abcdef1234567", "title": "T"},
        {"type": "custom", "instructions": " do it "},
    ):
        started = await client.result("review/start", {"threadId": thread_id, "target": target})
        shown += [item["content"][0]["text"] for item in started["turn"]["items"]]
        await client.until("turn/completed")

    assert shown == ["current changes", "changes against 'main'", "commit abcdef1: T", "do it"]


@pytest.mark.anyio
async def test_a_detached_review_is_done_in_a_copy_of_the_thread(connect) -> None:
    client = await connect(store=MemoryThreadStore())
    thread_id = await client.thread()
    await client.turn(thread_id)

    started = await client.result(
        "review/start", {"threadId": thread_id, "target": {"type": "uncommittedChanges"}, "delivery": "detached"}
    )
    told = [*client.last, *await client.until("turn/completed")]

    copy = started["reviewThreadId"]
    assert copy != thread_id
    assert [message["params"]["thread"]["id"] for message in told if message["method"] == "thread/started"] == [copy]
    assert told[-1]["params"]["threadId"] == copy
    assert set(await loaded(client)) == {thread_id, copy}


@pytest.mark.anyio
async def test_a_delivery_that_is_unknown_is_refused(connect) -> None:
    client = await connect()
    thread_id = await client.thread()

    code, message = await client.refusal(
        "review/start", {"threadId": thread_id, "target": {"type": "uncommittedChanges"}, "delivery": "zzz"}
    )

    assert (code, message) == (-32600, "Invalid request: unknown variant `zzz`, expected `inline` or `detached`")


async def loaded(client: Any) -> list[str]:
    return list((await client.result("thread/loaded/list", {}))["data"])
