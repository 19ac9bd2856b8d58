"""Frozen attrs classes that are built lazily, on first use.

attrs takes about a millisecond to generate the methods of a class. A start imports a hundred classes and uses few of
them, so a class becomes an attrs class on first use. attrs generates only fields and initializer, which halves the
time; comparison and ``repr`` are shared.
"""

from __future__ import annotations

from _thread import RLock
from functools import partial
from typing import TYPE_CHECKING, Any

_lock = RLock()

if TYPE_CHECKING:
    from attrs import frozen as frozen
else:

    def frozen(cls: type | None = None, *, kw_only: bool = False) -> Any:
        """Declare a frozen class compared field by field; a replacement for ``attrs.frozen``."""
        if cls is None:
            return partial(frozen, kw_only=kw_only)
        lazy_fields = _LazyFields(cls, kw_only=kw_only)

        def first_init(self: Any, *values: Any, **named: Any) -> None:
            lazy_fields.make()
            cls.__init__(self, *values, **named)

        cls.__attrs_attrs__ = lazy_fields
        cls.__signature__ = _SIGNATURE
        cls.__init__ = first_init
        cls.__eq__ = _equal
        cls.__hash__ = _hash
        if "__repr__" not in cls.__dict__:
            cls.__repr__ = _show
        return cls


class _LazyFields:
    """A descriptor in place of ``__attrs_attrs__`` that builds the class when the fields are first accessed."""

    def __init__(self, cls: type, *, kw_only: bool) -> None:
        self._class = cls
        self._kw_only = kw_only

    def __get__(self, instance: object, owner: type) -> Any:
        return self.make()

    def make(self) -> Any:
        """Build the class with attrs, after its base classes, and return its fields."""
        import attrs

        cls: Any = self._class
        with _lock:
            if cls.__dict__["__attrs_attrs__"] is self:
                del cls.__attrs_attrs__, cls.__init__
                attrs.define(cls, frozen=True, kw_only=self._kw_only, slots=False, eq=False, repr=False)
            return cls.__attrs_attrs__


class _Signature:
    """Gives ``inspect.signature`` and ``help`` the initialiser that a class has once it is made."""

    def __get__(self, instance: object, owner: type) -> Any:
        import inspect

        getattr(owner, "__attrs_attrs__")  # noqa: B009  # has it made
        signature = inspect.signature(owner.__init__)  # type: ignore[misc]
        return signature.replace(parameters=list(signature.parameters.values())[1:])


_SIGNATURE = _Signature()


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
