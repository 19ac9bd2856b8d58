"""Declarations of hooks that make no sense are refused where they are written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from codex_hookspecs.markers import HookPolicy, choose, event, offer, policy_of


def offered(host: Any) -> Sequence[Tool] | None: ...  # type: ignore[name-defined]  # noqa: F821
def one(host: Any) -> Tool | None: ...  # type: ignore[name-defined]  # noqa: F821
def plain(host: Any) -> Tool: ...  # type: ignore[empty-body, name-defined]  # noqa: F821
def hostless(thread: Any) -> Tool | None: ...  # type: ignore[name-defined]  # noqa: F821
async def decided(event: Any, scope: Any, host: Any) -> StopVerdict | None: ...  # type: ignore[name-defined]  # noqa: F821
async def scopeless(event: Any, host: Any) -> StopVerdict | None: ...  # type: ignore[name-defined]  # noqa: F821
async def seen(event: Any, scope: Any, host: Any) -> None: ...
async def listed(thread: Any, host: Any) -> Sequence[Fragment] | None: ...  # type: ignore[name-defined]  # noqa: F821


def test_what_is_returned_is_read_from_the_annotations() -> None:
    offer(key="name", requires=("run",))(offered)
    event(timeout=1, parallel=True)(seen)

    policy = HookPolicy(kind="offer", result="Tool", many=True, key="name", requires=("name", "run"))
    assert policy_of(offered) == policy
    assert policy_of(seen).result == ""


@pytest.mark.parametrize(
    ("mark", "spec", "fault"),
    [
        (offer(), offered, "key is given exactly where a sequence is returned"),
        (offer(key="name"), one, "key is given exactly where a sequence is returned"),
        (offer(), decided, "offer marks def"),
        (offer(), plain, "it is annotated to return Tool, offer marks what returns X | None or Sequence[X] | None"),
        (choose(), offered, "it is annotated to return Sequence[Tool] | None, choose marks what returns X | None"),
        (choose(), hostless, "its last parameter is not host"),
        (event(timeout=1, merge="concat"), one, "event marks async def"),
        (
            event(timeout=1, merge="concat"),
            scopeless,
            "its parameters are event, host; an event has event, scope, host",
        ),
        (event(timeout=1, parallel=True), decided, "it is annotated to return StopVerdict | None, event marks what"),
        (event(timeout=1, merge="concat"), seen, "it is annotated to return None, event marks what returns X | None"),
        (event(timeout=0, merge="concat"), decided, "timeout is 0, allowed is a number above 0"),
        (event(timeout=None, merge="concat"), decided, "timeout is None, allowed"),  # type: ignore[arg-type]
        (event(timeout=1), decided, "merge is 'all', allowed here is any_block or concat"),
        (event(timeout=1, merge="some"), decided, "merge is 'some', allowed"),  # type: ignore[arg-type]
        (event(timeout=1, merge="any_block"), listed, "merge is 'any_block', allowed here is concat"),
        (event(timeout=1, merge="concat", parallel=True), seen, "merge is 'concat', allowed here is all"),
        (event(timeout=1, merge="concat", on_error="die"), decided, "on_error is 'die'"),  # type: ignore[arg-type]
        (event(timeout=1, merge="concat", on_error="ask"), decided, "on_error is 'ask', but no answer refuses"),
        (event(timeout=1, parallel=True, refuses=True), seen, "refuses is given, but no verdict is returned"),
    ],
)
def test_a_declaration_that_contradicts_itself_is_refused(
    mark: Callable[..., Any], spec: Callable[..., Any], fault: str
) -> None:
    with pytest.raises(TypeError) as caught:
        mark(spec)

    assert str(caught.value).startswith(f"hook specification {spec.__name__}: {fault}")


def test_an_event_needs_a_time_limit() -> None:
    with pytest.raises(TypeError, match="timeout"):
        event(merge="concat")  # type: ignore[call-arg]
