"""Types of plugins' methods in the bindings, in the forms in which authors write them."""

# Annotations here are no text, as in a module of a plugin that does not ask for that.

import re
from types import ModuleType
from typing import Annotated, Any, ClassVar, Literal, Optional, Union

from codex_app_server.bindings.catalog import catalog
from codex_app_server.bindings.json_schema import document, schema_files
from codex_app_server.bindings.typescript import typescript_files
from codex_hookspecs import frozen
from codex_hookspecs.protocol import GitInfo, JsonObject, Notification, Thread, Unsigned
from codex_hookspecs.surface import RpcMethod


@frozen
class Circle:
    """A circle."""

    TYPE: ClassVar[str] = "circle"
    radius: float


@frozen
class Square:
    TYPE: ClassVar[str] = "square"
    side: float


@frozen(kw_only=True)
class Drawing:
    """A drawing.

    :param shapes: what is drawn.
    """

    shapes: list[Circle | Square]
    names: tuple[str, ...] = ()
    kind: Literal["plain", "fancy"] = "plain"
    size: Optional[Annotated[int, "of paper"]] = None  # noqa: UP045
    count: Unsigned | None = None
    owner: Union[Thread, GitInfo, None] = None  # noqa: UP007
    notes: dict[str, bool] | None = None
    rest: JsonObject | None = None
    anything: Any = None


@frozen
class Drawn(Notification):
    METHOD: ClassVar[str] = "x/drawn"
    drawing: Drawing


@frozen
class Unfit:
    when: ModuleType


async def draw(params: Any, context: Any) -> Any:
    return params


def method(name: str = "x/draw", **others: Any) -> RpcMethod:
    return RpcMethod(name=name, handle=draw, **{"params": Drawing, "result": None, **others})


def other_class(name: str) -> Any:
    """Return a class with the name of a class of the protocol."""
    made = type(name, (), {"__annotations__": {"mine": str}, "__module__": __name__, "__doc__": "Mine."})
    return frozen(made)


def test_annotations_become_schemas() -> None:
    found = catalog([method(notifications=(Drawn,))], experimental=True)

    schema = document("Drawing", found.definitions)
    assert schema["description"] == "A drawing."
    assert schema["required"] == ["shapes"]
    properties = schema["properties"]
    assert [each["title"] for each in properties["shapes"]["items"]["oneOf"]] == ["Circle", "Square"]
    assert properties["shapes"]["description"] == "what is drawn."
    assert properties["kind"] == {"default": "plain", "type": "string", "enum": ["plain", "fancy"]}
    assert properties["count"] == {"type": ["integer", "null"], "format": "uint32", "minimum": 0}
    assert properties["notes"]["additionalProperties"] == {"type": "boolean"}
    assert properties["anything"] is True
    assert found.notifications == {"x/drawn": "Drawn"}


def test_annotations_become_typescript() -> None:
    files = typescript_files(catalog([method(params=None, result=Drawing)], experimental=True))

    text = files["v2/Drawing.ts"]
    assert 'shapes: Array<{ "type": "circle", radius: number } | { "type": "square", side: number }>' in text
    assert "owner: Thread | GitInfo | null" in text
    assert 'import type { Thread } from "./Thread";' in text


def test_what_clients_may_leave_out_is_optional_and_may_be_null() -> None:
    text = typescript_files(catalog([method(params=Drawing)], experimental=True))["v2/Drawing.ts"]

    assert 'kind?: "plain" | "fancy" | null' in text
    assert "names?: Array<string> | null" in text
    assert "count?: number | null" in text
    assert "anything?: JsonValue" in text
    assert "shapes: Array<" in text


def test_a_union_is_named_after_its_method() -> None:
    found = catalog([method(params=Circle | Square)], experimental=True)

    assert found.requests[1].params == "XDrawParams"
    assert "v2/XDrawParams.json" in schema_files(found)


def test_of_two_classes_with_one_name_the_second_gets_its_package_in_front() -> None:
    found = catalog([method("a", result=Thread), method("b", result=other_class("Thread"))], experimental=True)

    names = [call.result for call in found.requests[1:]]
    assert names[0] == "Thread"
    assert names[1] != "Thread"
    assert names[1].endswith("Thread")
    assert {"mine"} == {member.name for member in found.definitions[names[1]].shape.members}


def test_a_method_whose_type_has_no_form_is_left_out_alone() -> None:
    found = catalog([method("x/odd", params=Unfit, notifications=(Drawn,)), method("x/draw")], experimental=True)

    assert [call.method for call in found.requests] == ["initialize", "x/draw"]
    assert found.notifications == {}
    assert "Unfit" not in found.definitions
    [fault] = found.faults
    assert re.fullmatch(r"x/odd \(.*test_binding_types\) is left out, its types can't be read: .*", fault)
