"""Values are declared without being made, and look as if they were."""

from __future__ import annotations

import inspect

from codex_hookspecs.values import frozen


def test_a_class_has_the_signature_of_its_initialiser_before_the_first_value_is_made() -> None:
    @frozen
    class Place:
        line: int
        column: int = 1

    @frozen(kw_only=True)
    class Named(Place):
        file: str

    assert list(inspect.signature(Place).parameters) == ["line", "column"]
    assert inspect.signature(Place).parameters["column"].default == 1
    assert inspect.signature(Named).parameters["file"].kind is inspect.Parameter.KEYWORD_ONLY
    assert Place(3) == Place(line=3, column=1)
