"""Values become wire JSON and come back; what does not fit is named as the public server names it."""

from __future__ import annotations

from typing import Any

import pytest

from codex_hookspecs.errors import WireError
from codex_hookspecs.types.items import AgentMessage, CommandExecution, FileChange, FileUpdateChange, Item, Plan
from codex_hookspecs.types.json import Unsigned
from codex_hookspecs.types.notifications import HookEntry, HookRun
from codex_hookspecs.types.requests import ThreadStartParams, TurnStartParams
from codex_hookspecs.types.sandbox import SandboxPolicy
from codex_hookspecs.types.threads import Thread, Turn, TurnError
from codex_hookspecs.values import frozen
from codex_hookspecs.wire import decode, encode

PATCH = FileChange(id="p", changes=(FileUpdateChange("/a", {"type": "add"}, diff="x\n"),), status="completed")
VALUES = [
    Turn(id="t", items=(AgentMessage(id="m", text="hi"), PATCH), status="failed", error=TurnError("no", {"a": {}})),
    Thread(
        id="t",
        session_id="t",
        model_provider="m",
        created_at=1,
        updated_at=2,
        status={"type": "idle"},
        cwd="/w",
        cli_version="1",
        source={"subAgent": "review"},
    ),
    HookRun(
        id="stop:0:/h",
        event_name="stop",
        source_path="/h",
        display_order=0,
        status="blocked",
        started_at=1,
        entries=(HookEntry("feedback", "again"),),
    ),
    SandboxPolicy("workspaceWrite", writable_roots=("/a", "/b")),
]


@frozen
class Page:
    limit: Unsigned | None = None


def faults(kind: Any, document: Any) -> list[str]:
    with pytest.raises(WireError) as caught:
        decode(kind, document)
    return str(caught.value).splitlines()


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_value_comes_back_from_the_wire_as_it_was(value: Any) -> None:
    assert decode(type(value), encode(value)) == value


def test_members_are_in_camel_case_and_tagged() -> None:
    item = CommandExecution(id="c", command="ls", cwd="/w", status="inProgress")

    assert encode(item) == {
        "type": "commandExecution",
        "id": "c",
        "command": "ls",
        "cwd": "/w",
        "processId": None,
        "source": "agent",
        "status": "inProgress",
        "commandActions": [],
        "aggregatedOutput": None,
        "exitCode": None,
        "durationMs": None,
    }


def test_the_tag_chooses_among_classes() -> None:
    assert decode(Item, {"type": "plan", "id": "p", "text": "first"}) == Plan(id="p", text="first")


def test_an_unknown_tag_is_named_with_what_is_allowed() -> None:
    assert faults(AgentMessage | Plan, {"type": "plam"}) == [
        "unknown variant `plam`, expected `agentMessage` or `plan` @ $"
    ]
    assert faults(AgentMessage | Plan, {}) == ["missing field `type` @ $"]


def test_unknown_members_are_ignored_and_null_stands_for_left_out() -> None:
    params = decode(ThreadStartParams, {"model": None, "experimentalRawEvents": None, "newer": {"a": 1}, "cwd": "/w"})

    assert params == ThreadStartParams(cwd="/w")


def test_missing_members_are_named_on_the_wire_way() -> None:
    assert faults(TurnStartParams, {}) == ["missing field `threadId` @ $", "missing field `input` @ $"]


def test_an_ill_typed_member_is_told_before_a_missing_one() -> None:
    assert faults(TurnStartParams, {"input": "x"}) == [
        'invalid type: string "x", expected a sequence @ $.input',
        "missing field `threadId` @ $",
    ]


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ([], "invalid type: sequence, expected struct ThreadStartParams @ $"),
        ({"model": 5}, "invalid type: integer `5`, expected a string @ $.model"),
        ({"model": True}, "invalid type: boolean `true`, expected a string @ $.model"),
        ({"model": 1.5}, "invalid type: floating point `1.5`, expected a string @ $.model"),
        ({"ephemeral": "no"}, 'invalid type: string "no", expected a boolean @ $.ephemeral'),
        ({"config": []}, "invalid type: sequence, expected a map @ $.config"),
        ({"dynamicTools": [{}, 1]}, "invalid type: integer `1`, expected a map @ $.dynamicTools[1]"),
        (
            {"sandbox": "none"},
            "unknown variant `none`, expected one of `read-only`, `workspace-write`, `danger-full-access` @ $.sandbox",
        ),
    ],
)
def test_what_does_not_fit_is_named_with_its_place(document: Any, fault: str) -> None:
    assert faults(ThreadStartParams, document) == [fault]


@pytest.mark.parametrize("number", [-1, 2**32])
def test_an_unsigned_number_has_bounds(number: int) -> None:
    assert faults(Page, {"limit": number}) == [f"invalid value: integer `{number}`, expected u32 @ $.limit"]


def test_a_null_where_a_value_must_be_is_refused() -> None:
    assert faults(TurnStartParams, {"threadId": None, "input": []}) == [
        "invalid type: null, expected a string @ $.threadId"
    ]
