"""Declare frozen values at a third of the usual price.

Generating the methods of an attrs class costs half a millisecond when its module is imported, and a hundred of them
are on the way of every run. So attrs makes the fields and the initialiser, and comparison and display are shared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from attrs import frozen as frozen  # noqa: PLC0414
else:

    def frozen(cls: type | None = None, *, kw_only: bool = False) -> Any:
        """Make a class a frozen attrs class, compared field by field; used and typed as ``attrs.frozen``."""

        def make(plain: type) -> type:
            made = attrs.define(plain, frozen=True, kw_only=kw_only, slots=False, eq=False, repr=False)
            made.__eq__ = _equal
            made.__hash__ = _hash
            if "__repr__" not in plain.__dict__:
                made.__repr__ = _show
            return made

        return make if cls is None else make(cls)


def _state(value: Any) -> tuple[Any, ...]:
    return tuple([getattr(value, attribute.name) for attribute in type(value).__attrs_attrs__])


def _equal(self: Any, other: object) -> Any:
    if type(other) is not type(self):
        return NotImplemented
    return _state(self) == _state(other)


def _hash(self: Any) -> int:
    return hash((type(self), _state(self)))


def _show(self: Any) -> str:
    shown = ", ".join(f"{each.name}={getattr(self, each.name)!r}" for each in type(self).__attrs_attrs__)
    return f"{type(self).__name__}({shown})"
