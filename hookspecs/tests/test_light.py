"""Named tuples of ours are like those of the standard library."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import typing
from collections.abc import Callable
from typing import Any

import pytest

from codex_hookspecs import light


class Ours(light.NamedTuple):
    """A record."""

    name: str
    size: int = 3

    @property
    def double(self) -> int:
        return self.size * 2

    @classmethod
    def empty(cls) -> Ours:
        return cls("", 0)


class Theirs(typing.NamedTuple):
    name: str
    size: int = 3


@pytest.mark.parametrize(
    "use",
    [
        lambda kind: kind("a"),
        lambda kind: kind("a", 4),
        lambda kind: kind(name="a", size=4),
        lambda kind: kind("a", size=4)._replace(size=5),
        lambda kind: kind._make(["a", 4]),
        lambda kind: kind("a")._asdict(),
        lambda kind: (kind._fields, kind._field_defaults, kind.__match_args__),
        lambda kind: (kind("a").name, kind("a").size, hash(kind("a")), kind("a") < kind("b")),
        lambda kind: [*kind("a")],
        lambda kind: repr(kind("a")).partition("(")[2],
    ],
)
def test_it_does_what_theirs_does(use: Callable[[Any], Any]) -> None:
    assert use(Ours) == use(Theirs)


@pytest.mark.parametrize(
    "use",
    [
        lambda kind: kind(),
        lambda kind: kind("a", 4, 5),
        lambda kind: kind("a", name="b"),
        lambda kind: kind("a", odd=1),
        lambda kind: kind("a")._replace(odd=1),
    ],
)
def test_it_refuses_what_theirs_refuses(use: Callable[[Any], Any]) -> None:
    for kind in (Ours, Theirs):
        with pytest.raises((TypeError, ValueError)):
            use(kind)


def test_it_has_methods_and_can_be_copied_matched_and_stored() -> None:
    found = Ours("a", 4)

    assert (found.double, Ours.empty()) == (8, Ours("", 0))
    assert copy.deepcopy(found) == pickle.loads(pickle.dumps(found)) == found
    match found:
        case Ours(name, size=4):
            assert name == "a"
        case _:
            pytest.fail("no match")
    with pytest.raises(AttributeError):
        found.name = "b"  # type: ignore[misc]


def test_a_kept_property_is_worked_out_once() -> None:
    calls = []

    class Holder:
        @light.cached_property
        def value(self) -> int:
            """Say what it is."""
            calls.append(1)
            return 7

    holder = Holder()

    assert (holder.value, holder.value, len(calls)) == (7, 7, 1)
    assert Holder.value.__doc__ == "Say what it is."


def test_it_takes_no_library() -> None:
    code = "import sys; before = set(sys.modules); import codex_hookspecs.light; print(set(sys.modules) - before)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)

    assert not {"typing", "collections", "functools", "re", "enum"} & set(done.stdout.replace("'", " ").split())
