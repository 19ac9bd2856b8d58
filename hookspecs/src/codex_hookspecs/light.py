"""Light replacements of ``typing.NamedTuple`` and ``functools.cached_property``, without their slow imports.

Used by modules that are imported on every start or by fast commands. Both behave as in the standard library.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from functools import cached_property
    from typing import NamedTuple
else:
    from _collections import _tuplegetter

    class _Record(tuple):
        """Base of all named tuples."""

        __slots__ = ()
        _fields = ()
        _field_defaults = {}

        def __new__(cls, *values, **named):
            if named or len(values) != len(cls._fields):
                values = cls._completed(values, named)
            return tuple.__new__(cls, values)

        @classmethod
        def _completed(cls, values, named):
            fields = cls._fields
            if len(values) > len(fields):
                raise TypeError(f"{cls.__name__} takes {len(fields)} values, found {len(values)}")
            found = {**cls._field_defaults, **dict(zip(fields, values, strict=False))}
            for name, value in named.items():
                if name not in fields or name in fields[: len(values)]:
                    raise TypeError(f"{cls.__name__} got an unexpected or repeated value for {name!r}")
                found[name] = value
            missing = [name for name in fields if name not in found]
            if missing:
                raise TypeError(f"{cls.__name__} has no value for {', '.join(missing)}")
            return [found[name] for name in fields]

        @classmethod
        def _make(cls, values):
            return cls(*values)

        def _replace(self, /, **named):
            return type(self)(**{**self._asdict(), **named})

        def _asdict(self):
            return dict(zip(self._fields, self, strict=True))

        def __repr__(self):
            values = ", ".join(f"{name}={value!r}" for name, value in self._asdict().items())
            return f"{type(self).__name__}({values})"

        def __getnewargs__(self):
            return tuple(self)

    class _Maker(type):
        def __new__(meta, name, bases, space):
            fields = tuple(space.get("__annotations__", ()))
            defaults = {field: space.pop(field) for field in fields if field in space}
            getters = {field: _tuplegetter(index, f"field {index}") for index, field in enumerate(fields)}
            made = {"__slots__": (), "_fields": fields, "_field_defaults": defaults, "__match_args__": fields}
            return type(name, (_Record,), {**space, **getters, **made})

    NamedTuple = type.__new__(_Maker, "NamedTuple", (), {})

    class cached_property:  # noqa: N801
        """Cache the result of a method in the instance."""

        def __init__(self, function):
            self._function = function
            self._name = function.__name__
            self.__doc__ = function.__doc__

        def __get__(self, instance, owner=None):
            if instance is None:
                return self
            value = instance.__dict__[self._name] = self._function(instance)
            return value


__all__ = ["NamedTuple", "cached_property"]
