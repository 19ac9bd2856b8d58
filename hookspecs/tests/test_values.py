"""Values are declared and used like attrs classes, and attrs takes them for its own."""

from __future__ import annotations

import subprocess
import sys
from typing import Any, ClassVar

import attrs
import pytest

from codex_hookspecs.values import asdict, define, evolve, field, fields, frozen, is_value


@frozen
class Place:
    KIND: ClassVar[str] = "place"
    name: str
    tags: list[str] = field(factory=list)
    size: int = field(default=3, kw_only=True, metadata={"wire": "SIZE"})


@frozen(kw_only=True)
class Town(Place):
    mayor: str
    founded: int = 1200


@define
class Counter:
    step: int
    _total: int = 0
    seen: list[int] = field(factory=list, init=False)


def test_arguments_are_taken_by_place_and_by_name() -> None:
    place = Place("Ulm", size=5)

    assert (place.name, place.tags, place.size) == ("Ulm", [], 5)


def test_each_value_gets_a_default_of_its_own_from_a_factory() -> None:
    assert Place("a").tags is not Place("b").tags


@pytest.mark.parametrize("arguments", [{}, {"name": "a", "colour": "red"}])
def test_missing_and_unknown_arguments_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=r"Place\.__init__"):
        Place(**arguments)


def test_keyword_only_arguments_are_not_taken_by_place() -> None:
    with pytest.raises(TypeError):
        Place("a", [], 5)  # type: ignore[misc]


def test_inherited_fields_come_first() -> None:
    town = Town("Ulm", mayor="Ann")

    assert asdict(town) == {"name": "Ulm", "tags": [], "size": 3, "mayor": "Ann", "founded": 1200}


def test_a_frozen_value_does_not_change() -> None:
    place = Place("a")

    with pytest.raises(AttributeError):
        place.name = "b"  # type: ignore[misc]
    with pytest.raises(AttributeError):
        del place.name


def test_values_are_compared_field_by_field() -> None:
    assert Place("a") == Place("a") != Place("b")
    assert Place("a") != Town("a", mayor="Ann")
    assert hash(Town("a", tags=(), mayor="x")) == hash(Town("a", tags=(), mayor="x"))  # type: ignore[arg-type]


def test_a_value_that_changes_has_no_hash() -> None:
    counter = Counter(2)
    counter.step = 3

    assert counter.step == 3
    with pytest.raises(TypeError):
        hash(counter)


def test_a_private_field_is_an_argument_without_its_underscore() -> None:
    assert Counter(1, total=4) == evolve(Counter(1), total=4)
    assert repr(Counter(1, total=4)) == "Counter(step=1, _total=4, seen=[])"


def test_a_copy_has_the_changes_asked_for() -> None:
    assert evolve(Place("a", ["x"]), name="b") == Place("b", ["x"])


def test_fields_are_those_of_attrs_classes_too() -> None:
    @attrs.frozen
    class Other:
        one: int

    assert [each.name for each in fields(Other)] == ["one"]
    assert is_value(Other)
    assert is_value(Place)
    assert not is_value(int)


def test_attrs_takes_a_value_for_its_own() -> None:
    @frozen
    class Road(Place):
        length: int = 7

    assert attrs.asdict(Road("a")) == {"name": "a", "tags": [], "size": 3, "length": 7}
    assert attrs.evolve(Road("a"), length=8) == Road("a", length=8)
    assert attrs.fields(Road).size.metadata == {"wire": "SIZE"}
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        Road("a").length = 9  # type: ignore[misc]


def test_an_attrs_class_may_inherit_from_a_value() -> None:
    @attrs.frozen
    class Lake(Place):
        depth: int = 2

    assert asdict(Lake("a", depth=4)) == {"name": "a", "tags": [], "size": 3, "depth": 4}


def test_a_value_that_inherits_from_an_attrs_class_is_refused() -> None:
    @attrs.frozen
    class Base:
        one: int

    @frozen
    class Derived(Base):
        two: int

    with pytest.raises(TypeError, match="declare it with attrs too"):
        Derived(1, 2)


def test_a_field_of_attrs_in_a_value_is_refused() -> None:
    @frozen
    class Mixed:
        one: list[int] = attrs.field(factory=list)

    with pytest.raises(TypeError, match=r"Mixed\.one: take field from"):
        Mixed()


def test_declaring_and_making_values_imports_no_attrs() -> None:
    program = (
        "import sys\n"
        "from codex_hookspecs.values import evolve, frozen\n"
        "@frozen\n"
        "class Place:\n    name: str\n"
        "assert evolve(Place('a'), name='b') == Place('b')\n"
        "print('attr' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"
