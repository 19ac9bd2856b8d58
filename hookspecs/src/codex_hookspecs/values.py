"""Declare values: used and typed like attrs, but declaring one costs next to nothing and a plain turn imports no attrs.

A hundred values are declared at every start and most are never made in that run, so the initialiser of a class is
written when its first value is made. Tools for attrs classes (``attrs.fields``, ``attrs.asdict``, cattrs, a subclass
with ``attrs.frozen``) take these classes too: attrs gets to know of a class when it is first asked for it.
"""

from __future__ import annotations

from _thread import RLock
from functools import partial
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from attrs import define as define  # noqa: PLC0414
    from attrs import evolve as evolve  # noqa: PLC0414
    from attrs import field as field  # noqa: PLC0414
    from attrs import frozen as frozen  # noqa: PLC0414

_MISSING: Final = object()
_declared: dict[type, _Declaration] = {}
_making = RLock()


class Field:
    """One field of a value, with the attributes of ``attrs.Attribute`` that people look at.

    :param factory: makes the default of each value.
    :param init: ``False`` for a field that is no argument.
    """

    __slots__ = ("default", "factory", "init", "kw_only", "metadata", "name")

    def __init__(
        self,
        *,
        name: str = "",
        default: Any = _MISSING,
        factory: Callable[[], Any] | None = None,
        init: bool = True,
        kw_only: bool | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        self.name = name
        self.default = default
        self.factory = factory
        self.init = init
        self.kw_only = kw_only
        self.metadata = metadata or {}

    @property
    def alias(self) -> str:
        """The name of the argument."""
        return self.name.lstrip("_")


def fields(cls: type) -> tuple[Any, ...]:
    """Return the fields of a class that is declared here or with attrs; none for any other class."""
    for base in cls.__mro__:
        if base in _declared:
            return _declared[base].fields
        if "__attrs_attrs__" in base.__dict__:
            made: tuple[Any, ...] = base.__dict__["__attrs_attrs__"]
            return made
    return ()


def is_value(cls: type) -> bool:
    """Tell whether a class is declared here or with attrs."""
    return any(base in _declared or "__attrs_attrs__" in base.__dict__ for base in cls.__mro__)


if not TYPE_CHECKING:
    field = Field

    def frozen(cls: type | None = None, *, kw_only: bool = False) -> Any:
        """Declare a value that does not change, compared field by field; like ``attrs.frozen``."""
        if cls is None:
            return partial(frozen, kw_only=kw_only)
        cls.__setattr__ = _refuse_to_set
        cls.__delattr__ = _refuse_to_delete
        return _declare(cls, kw_only=kw_only, frozen=True)

    def define(cls: type | None = None, *, kw_only: bool = False) -> Any:
        """Declare a value whose fields may be set, compared field by field; like ``attrs.define``."""
        if cls is None:
            return partial(define, kw_only=kw_only)
        return _declare(cls, kw_only=kw_only, frozen=False)

    def evolve(value: Any, **changes: Any) -> Any:
        """Return a copy of a value with some fields changed; like ``attrs.evolve``."""
        for each in fields(type(value)):
            if each.init and each.alias not in changes:
                changes[each.alias] = getattr(value, each.name)
        return type(value)(**changes)


def asdict(value: Any) -> dict[str, Any]:
    """Return the fields of a value by name, themselves as they are."""
    return {each.name: getattr(value, each.name) for each in fields(type(value))}


class _Declaration:
    """What a class is declared with.

    Stands where attrs keeps the fields of a class, and has attrs make them for who asks there.
    """

    def __init__(self, cls: type, *, kw_only: bool, frozen: bool) -> None:
        self._class: Any = cls
        self._kw_only = kw_only
        self._frozen = frozen
        self._own: dict[str, Field] | None = None
        self._fields: tuple[Field, ...] | None = None

    @property
    def fields(self) -> tuple[Field, ...]:
        """The fields, inherited ones first."""
        if self._fields is None:
            found: dict[str, Field] = {}
            for base in reversed(self._class.__mro__[1:]):
                if base in _declared:
                    found.update(_declared[base].own)
                elif "__attrs_attrs__" in base.__dict__:
                    raise TypeError(f"{self._class.__name__} inherits from an attrs class: declare it with attrs too")
            for name, own in self.own.items():
                found.pop(name, None)
                found[name] = own
            self._fields = tuple(found.values())
        return self._fields

    @property
    def own(self) -> dict[str, Field]:
        """The fields that the class itself declares."""
        if self._own is None:
            members = self._class.__dict__
            self._own = {}
            for name, kind in members.get("__annotations__", {}).items():
                if str(kind).startswith(("ClassVar", "typing.ClassVar")):
                    continue
                given = members.get(name, _MISSING)
                if type(given).__module__.startswith("attr."):
                    raise TypeError(f"{self._class.__name__}.{name}: take field from {__name__}, not from attrs")
                own = given if isinstance(given, Field) else Field(default=given)
                own.name = name
                own.kw_only = self._kw_only if own.kw_only is None else own.kw_only
                self._own[name] = own
        return self._own

    def initialiser(self) -> Callable[..., None]:
        """Write ``__init__``: one argument for each field, keyword-only ones last."""
        positional, named, assigned = ["self"], ["*"], []
        names: dict[str, Any] = {"_MISSING": _MISSING}
        for each in self.fields:
            given, default = each.alias, f"_default_{each.name}"
            names[default] = each.default
            made = given if each.init else default
            if each.factory is not None:
                names[f"_new_{each.name}"] = each.factory
                made = f"_new_{each.name}() if {made} is _MISSING else {made}"
            assigned.append(f"{each.name}={made}")
            if each.init:
                required = each.default is _MISSING and each.factory is None
                (named if each.kw_only else positional).append(given if required else f"{given}={default}")
        arguments = ", ".join(positional + named[1 if len(named) == 1 else 0 :])
        body = f"self.__dict__.update({', '.join(assigned)})"
        if hasattr(self._class, "__attrs_post_init__"):
            body += "; self.__attrs_post_init__()"
        exec(f"def __init__({arguments}): {body}", names)  # noqa: S102  (attrs and dataclasses do the same)
        written: Callable[..., None] = names["__init__"]
        written.__qualname__ = f"{self._class.__qualname__}.__init__"
        return written

    def __get__(self, instance: object, owner: type) -> Any:
        import attrs

        cls = self._class
        with _making:
            if cls.__dict__["__attrs_attrs__"] is self:
                these = {name: self._in_attrs(own) for name, own in self.own.items()}
                del cls.__attrs_attrs__
                if self._frozen:
                    del cls.__setattr__, cls.__delattr__  # attrs brings its own, and knows a frozen class by them.
                attrs.define(cls, these=these, frozen=self._frozen, slots=False, init=False, eq=False, repr=False)
            return cls.__attrs_attrs__

    @staticmethod
    def _in_attrs(own: Field) -> Any:
        import attrs

        default = attrs.NOTHING if own.default is _MISSING else own.default
        if own.factory is not None:
            default = attrs.Factory(own.factory)
        return attrs.field(default=default, init=own.init, kw_only=bool(own.kw_only), metadata=dict(own.metadata))


def _declare(cls: Any, *, kw_only: bool, frozen: bool) -> Any:
    declaration = _Declaration(cls, kw_only=kw_only, frozen=frozen)

    def first_init(self: Any, *values: Any, **named: Any) -> None:
        cls.__init__ = declaration.initialiser()
        cls.__init__(self, *values, **named)

    _declared[cls] = declaration
    cls.__attrs_attrs__ = declaration
    cls.__init__ = first_init
    cls.__eq__ = _equal
    cls.__hash__ = _hash if frozen else None
    if "__repr__" not in cls.__dict__:
        cls.__repr__ = _show
    return cls


def _refuse_to_set(value: Any, name: str, _new: Any) -> None:
    raise AttributeError(f"{type(value).__name__} is frozen: {name} can't be set")


def _refuse_to_delete(value: Any, name: str) -> None:
    raise AttributeError(f"{type(value).__name__} is frozen: {name} can't be deleted")


def _state(value: Any) -> tuple[Any, ...]:
    return tuple([getattr(value, each.name) for each in fields(type(value))])


def _equal(self: Any, other: object) -> Any:
    if type(other) is not type(self):
        return NotImplemented
    return _state(self) == _state(other)


def _hash(self: Any) -> int:
    return hash((type(self), _state(self)))


def _show(self: Any) -> str:
    shown = ", ".join(f"{each.name}={getattr(self, each.name)!r}" for each in fields(type(self)))
    return f"{type(self).__name__}({shown})"
