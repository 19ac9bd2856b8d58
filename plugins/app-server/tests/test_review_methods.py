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
@pytest.mark.parametrize(
    ("script", "review"),
    [
        ([{"say": "looks good"}], "looks good"),
        ([{"reason": "hm"}], "The reviewer gave no answer."),
        ([{"failed": ["invalid_prompt", "nope"]}], "The review ended before it was done; start it again."),
    ],
)
async def test_a_review_has_items_around_it_that_are_kept(connect, model, script, review) -> None:
    client = await connect(model=model(script), store=MemoryThreadStore())
    thread_id = await client.thread()

    await client.result("review/start", {"threadId": thread_id, "target": {"type": "uncommittedChanges"}})
    messages = await client.until("turn/completed")
    read = await client.result("thread/read", {"threadId": thread_id, "includeTurns": True})

    shown = [message["params"]["item"] for message in messages if message["method"] == "item/completed"]
    assert (shown[0]["type"], shown[0]["review"]) == ("enteredReviewMode", "current changes")
    assert (shown[-1]["type"], shown[-1]["review"]) == ("exitedReviewMode", review)
    assert [message["method"] for message in messages].index("turn/started") < [
        message["params"].get("item", {}).get("type") for message in messages
    ].index("enteredReviewMode")
    assert read["thread"]["turns"][0]["items"] == shown


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
async def test_a_thread_that_is_not_kept_has_no_copy_for_a_review(connect) -> None:
    client = await connect()
    thread_id = await client.thread(ephemeral=True)
    target = {"type": "uncommittedChanges"}

    refusal = await client.refusal("review/start", {"threadId": thread_id, "target": target, "delivery": "detached"})

    assert refusal == (-32600, f"no rollout found for thread id {thread_id}")
    assert refusal == await client.refusal("thread/fork", {"threadId": thread_id})


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
