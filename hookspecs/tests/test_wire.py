"""Values become wire JSON and come back; what does not fit is named as the public server names it."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import pytest
from attrs import field

from codex_hookspecs.errors import WireError
from codex_hookspecs.types.items import AgentMessage, CommandExecution, FileChange, FileUpdateChange, Item, Plan
from codex_hookspecs.types.json import CLEARED, AbsolutePathBuf, Cleared, JsonObject, Shape, Signed32, Unsigned
from codex_hookspecs.types.notifications import HookEntry, HookRun
from codex_hookspecs.types.requests import ThreadStartParams, TurnStartParams
from codex_hookspecs.types.sandbox import SandboxPolicy
from codex_hookspecs.types.threads import Thread, Turn, TurnError
from codex_hookspecs.values import frozen
from codex_hookspecs.wire import check, decode, encode


@frozen
class Moment:
    at: int


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


def test_a_number_has_64_bits() -> None:
    assert decode(Moment, {"at": -(2**63)}) == Moment(-(2**63))
    with pytest.raises(WireError, match="invalid value: integer `1180591620717411303424`, expected i64"):
        decode(Moment, {"at": 2**70})


def test_a_null_where_a_value_must_be_is_refused() -> None:
    assert faults(TurnStartParams, {"threadId": None, "input": []}) == [
        "invalid type: null, expected a string @ $.threadId"
    ]


@frozen(kw_only=True)
class Snake:
    SNAKE_CASE: ClassVar[bool] = True
    some_key: int
    at: AbsolutePathBuf = "/"
    own: str = field(default="here", metadata={"local": True})


@frozen
class Form:
    TAG: ClassVar[str] = "mode"
    TYPE: ClassVar[str] = "form"
    title: str


@frozen
class Page2:
    TAG: ClassVar[str] = "mode"
    TYPE: ClassVar[str] = "page"


@frozen
class Grant:
    grant: str


@frozen
class Changed:
    other: str | None = None
    tier: str | Cleared | None = field(default=None, metadata={"clearable": True})


@frozen(kw_only=True)
class Mixed:
    decision: Literal["yes", "no"] | Grant
    numbers: dict[str, Signed32] = field(factory=dict)
    shown: Annotated[JsonObject, Shape(f"{__name__}:Grant")] | None = None
    checked: Annotated[JsonObject, Shape(f"{__name__}:Grant", validated=True)] | None = None


def test_a_class_may_keep_snake_case_and_have_members_for_this_program_only() -> None:
    assert encode(Snake(some_key=1, own="secret")) == {"some_key": 1, "at": "/"}
    assert decode(Snake, {"some_key": 1, "own": "other"}) == Snake(some_key=1)


def test_null_can_be_told_from_an_absent_member() -> None:
    absent, cleared, given = Changed(), Changed(tier=CLEARED), Changed(tier="fast")

    assert encode(absent) == {"other": None}
    assert encode(cleared) == {"other": None, "tier": None}
    assert encode(given) == {"other": None, "tier": "fast"}
    assert [decode(Changed, encode(each)) for each in (absent, cleared, given)] == [absent, cleared, given]
    assert faults(Changed, {"tier": 5}) == ["invalid type: integer `5`, expected a string @ $.tier"]


def test_the_member_of_the_tag_can_have_another_name() -> None:
    assert encode(Form("t")) == {"mode": "form", "title": "t"}
    assert decode(Form | Page2, {"mode": "page"}) == Page2()
    assert faults(Form | Page2, {"type": "page"}) == ["missing field `mode` @ $"]


@pytest.mark.parametrize(
    ("value", "decoded"), [("yes", "yes"), ({"grant": "all"}, Grant("all"))], ids=["word", "object"]
)
def test_a_word_or_an_object_is_told_by_its_kind(value: Any, decoded: Any) -> None:
    assert decode(Mixed, {"decision": value}).decision == decoded


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ({"decision": "maybe"}, "unknown variant `maybe`, expected one of `yes`, `no`, `grant` @ $.decision"),
        ({"decision": 5}, "invalid type: integer `5`, expected string or map @ $.decision"),
        ({"decision": "no", "numbers": {"a": 2**31}}, "invalid value: integer `2147483648`, expected i32"),
        ({"decision": "no", "numbers": []}, "invalid type: sequence, expected a map @ $.numbers"),
        ({"decision": "no", "checked": {}}, "missing field `grant` @ $.checked"),
    ],
)
def test_members_of_many_kinds_are_checked(document: Any, fault: str) -> None:
    assert fault in faults(Mixed, document)[0]


def test_json_values_stay_as_they_are_and_only_marked_ones_are_validated() -> None:
    document = {"decision": "no", "shown": {"odd": 1}, "checked": {"grant": "x", "more": 1}}

    value = decode(Mixed, document)

    assert (value.shown, value.checked) == (document["shown"], document["checked"])
    with pytest.raises(WireError, match="missing field `grant`"):
        check(Mixed, document)


def test_a_path_must_be_absolute() -> None:
    assert faults(Snake, {"some_key": 1, "at": "a/b"}) == ["AbsolutePathBuf deserialized without a base path @ $.at"]
    assert decode(Snake, {"some_key": 1, "at": "C:\\a"}).at == "C:\\a"
