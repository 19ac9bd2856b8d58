"""Read the shapes of wire values from the annotations of classes, as they are written in the source.

The source has what types at run time have lost: the names of aliases, which are names of types in the bindings.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Collection
from functools import cache
from importlib import import_module
from typing import Annotated, Any, Final, get_args, get_origin

import attrs

from codex_app_server.bindings.names import protocol_name
from codex_app_server.bindings.shapes import (
    Definition,
    ListOf,
    MapOf,
    Member,
    Nullable,
    OneOf,
    Plain,
    Record,
    Reference,
    Shape,
    Words,
)
from codex_hookspecs.protocol import IntegerRange
from codex_hookspecs.protocol import Shape as JsonShape
from codex_hookspecs.wire import wire_name

ANYTHING: Final = Plain("any")
_PLAIN: Final[dict[str, Shape]] = {
    "str": Plain("string"),
    "bool": Plain("boolean"),
    "int": Plain("integer", "int64"),
    "float": Plain("number", "double"),
    "Any": ANYTHING,
    "JsonValue": ANYTHING,
    "JsonObject": MapOf(ANYTHING),
}
_LISTS: Final = ("list", "tuple", "Sequence")
_MAPS: Final = ("dict", "Mapping")
_NONE: Final = ("None", "NoneType", "Cleared")


class Reader:
    """Reads definitions.

    :param experimental: whether members of the experimental API are read too.
    :ivar definitions: what was read so far, by name in the protocol.
    """

    def __init__(self, *, experimental: bool) -> None:
        self.definitions: dict[str, Definition] = {}
        self._experimental = experimental
        self._owners: dict[str, str] = {}

    def define(self, kind: Any, fallback: str) -> str:
        """Read a class or a union of classes, and return its name.

        :param fallback: name of a union that is not an alias in the module of its classes.
        :raises TypeError: when an annotation has no form in the bindings.
        """
        if isinstance(kind, type):
            return self._class(kind)
        members = get_args(kind)
        home = sys.modules[members[0].__module__]
        alias = next((name for name, value in vars(home).items() if value is kind), None)
        if alias is None:
            union = OneOf(tuple(self._of_union(member) for member in members))
            self.definitions[fallback] = Definition(fallback, union)
            return fallback
        shape = self._named(alias, home.__name__)
        return shape.name if isinstance(shape, Reference) else fallback

    def forget(self, names: Collection[str]) -> None:
        """Forget definitions, as those that were read for a type of which another part can't be read."""
        for name in names:
            del self.definitions[name]
            self._owners.pop(name, None)

    def _class(self, kind: type[Any]) -> str:
        if not attrs.has(kind):
            raise TypeError(f"{kind.__module__}.{kind.__name__} has no form in the bindings; it is no attrs class")
        name = self._name(kind.__name__, kind.__module__)
        if name not in self.definitions:
            self.definitions[name] = Definition(name, ANYTHING)  # until it is read: it may mention itself
            record = self._record(kind)
            self.definitions[name] = Definition(name, record, record.doc)
        return name

    def _name(self, name: str, module: str) -> str:
        """Return the name of a type; one that another module has taken gets the name of its package in front."""
        known = protocol_name(name)
        if self._owners.setdefault(known, module) == module:
            return known
        package = "".join(word.capitalize() for word in module.partition(".")[0].split("_"))
        return f"{package}{known}"

    def _record(self, kind: type[Any], *, closed: bool = False) -> Record:
        doc, docs = _documentation(kind)
        written = {
            name: (annotation, base.__module__)
            for base in reversed(kind.__mro__)
            for name, annotation in inspect.get_annotations(base).items()
        }
        members = [
            self._member(field, wire_name(field, kind), self._annotation(*written[field.name]), docs)
            for field in attrs.fields(kind)
            if not field.metadata.get("local") and (self._experimental or not field.metadata.get("experimental"))
        ]
        word = getattr(kind, "TYPE", None)
        tag = (getattr(kind, "TAG", "type"), word) if word else None
        return Record(members=tuple(members), tag=tag, closed=closed, doc=doc)

    @staticmethod
    def _member(field: attrs.Attribute[Any], name: str, shape: Shape, docs: dict[str, str]) -> Member:
        always = field.default is attrs.NOTHING or bool(field.metadata.get("required"))
        return Member(
            name=name,
            shape=shape,
            required=always and not isinstance(shape, Nullable),
            default=None if always else _default(field),
            doc=docs.get(field.name, ""),
        )

    def _annotation(self, annotation: Any, module: str) -> Shape:
        if isinstance(annotation, str):
            return self._expression(ast.parse(annotation, mode="eval").body, module)
        return self._object(annotation)

    def _object(self, kind: Any) -> Shape:
        """Read an annotation of a module that does not keep its annotations as text."""
        if isinstance(kind, type) and attrs.has(kind):
            return Reference(self._class(kind))
        name = getattr(kind, "__name__", str(kind))
        if not get_args(kind):
            if name in _PLAIN:
                return _PLAIN[name]
            raise TypeError(f"{kind} has no form in the bindings")
        if get_origin(kind) is Annotated:
            return self._marked(kind) or self._object(get_args(kind)[0])
        if name == "Literal":
            return Words(tuple(map(str, get_args(kind))))
        if name in _LISTS:
            return ListOf(self._object(get_args(kind)[0]))
        if name in _MAPS:
            return MapOf(self._object(get_args(kind)[1]))
        present = [each for each in get_args(kind) if each is not type(None)]
        shapes = [self._of_union(each) if attrs.has(each) else self._object(each) for each in present]
        inner = shapes[0] if len(shapes) == 1 else OneOf(tuple(shapes))
        return Nullable(inner) if len(present) < len(get_args(kind)) else inner

    def _expression(self, node: ast.expr, module: str) -> Shape:
        if isinstance(node, ast.BinOp):
            return self._union(_options(node), module)
        if isinstance(node, ast.Subscript):
            return self._generic(node, module)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return self._annotation(node.value, module)
        if isinstance(node, ast.Name):
            return _PLAIN.get(node.id) or self._named(node.id, module)
        if isinstance(node, ast.Attribute):
            return _PLAIN.get(node.attr) or self._named(node.attr, _evaluate(node.value, module).__name__)
        raise TypeError(f"{module}: {ast.unparse(node)} has no form in the bindings")

    def _union(self, options: list[ast.expr], module: str) -> Shape:
        present = [each for each in options if ast.unparse(each) not in _NONE]
        if len(present) == 1:
            inner = self._expression(present[0], module)
        else:
            inner = OneOf(tuple(self._option(each, module) for each in present))
        return Nullable(inner) if len(present) < len(options) and inner != ANYTHING else inner

    def _option(self, node: ast.expr, module: str) -> Shape:
        value = _evaluate(node, module) if isinstance(node, ast.Name) else None
        if isinstance(value, type) and attrs.has(value):
            return self._of_union(value)
        return self._expression(node, module)

    def _of_union(self, kind: type[Any]) -> Shape:
        """Read a class in a union; one with a tag, or with one member, has no definition of its own."""
        if getattr(kind, "TYPE", None):
            return self._record(kind)
        fields = attrs.fields(kind)
        if len(fields) == 1 and fields[0].default is attrs.NOTHING:
            return self._record(kind, closed=True)
        return Reference(self._class(kind))

    def _generic(self, node: ast.Subscript, module: str) -> Shape:
        name = ast.unparse(node.value).rpartition(".")[2]
        arguments = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if name == "Literal":
            return Words(tuple(str(ast.literal_eval(each)) for each in arguments))
        if name == "Annotated":
            return self._marked(_evaluate(node, module)) or self._expression(arguments[0], module)
        if name in _LISTS:
            return ListOf(self._expression(arguments[0], module))
        if name in _MAPS:
            return MapOf(self._expression(arguments[1], module))
        if name == "Optional":
            return self._union([*arguments, ast.Constant(None)], module)
        if name == "Union":
            return self._union(list(arguments), module)
        raise TypeError(f"{module}: {ast.unparse(node)} has no form in the bindings")

    def _marked(self, annotated: Any) -> Shape | None:
        """Return the shape that the marks of an annotated type say."""
        for mark in get_args(annotated)[1:]:
            if isinstance(mark, IntegerRange):
                return Plain("integer", mark.format)
            if isinstance(mark, JsonShape):
                home, _, name = mark.reference.partition(":")
                import_module(home)
                return self._named(name, home)
        return None

    def _named(self, name: str, module: str) -> Shape:
        """Read a class or an alias, by its name in a module; aliases that only add marks have no definition."""
        value = getattr(sys.modules[module], name, None)
        if isinstance(value, type) and value.__name__ == name:
            return Reference(self._class(value))
        home, node, doc = _alias(name, module)
        if get_origin(value) is Annotated and (marked := self._marked(value)) is not None:
            return marked
        known = self._name(name, home)
        if known not in self.definitions:
            self.definitions[known] = Definition(known, ANYTHING)
            self.definitions[known] = Definition(known, self._option(node, home), doc)
        return Reference(known)


def _options(node: ast.expr) -> list[ast.expr]:
    return [*_options(node.left), *_options(node.right)] if isinstance(node, ast.BinOp) else [node]


def _evaluate(node: ast.expr, module: str) -> Any:
    return eval(ast.unparse(node), vars(sys.modules[module]))  # noqa: S307  (annotations of installed plugins)


@cache
def _statements(module: str) -> list[ast.stmt]:
    return ast.parse(inspect.getsource(import_module(module))).body


@cache
def _alias(name: str, module: str) -> tuple[str, ast.expr, str]:
    """Return the module that defines an alias, its type, and the text below it.

    :raises TypeError: when it is not found.
    """
    body = _statements(module)
    for node, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.ImportFrom) and node.module:
            original = next((each.name for each in node.names if (each.asname or each.name) == name), None)
            if original is not None:
                return _alias(original, _home(original, node.module))
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        if value is not None and isinstance(target, ast.Name) and target.id == name:
            text = after.value.value if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) else ""
            return module, value, _plain_text(str(text))
    raise TypeError(f"{module}: {name} has no form in the bindings")


def _home(name: str, module: str) -> str:
    """Return the module that defines a name which a façade exports lazily."""
    blocks = [node for node in _statements(module) if isinstance(node, ast.If)]
    imports = [node for block in blocks for node in block.body if isinstance(node, ast.ImportFrom)]
    homes = [node.module for node in imports if node.module and name in vars(import_module(node.module))]
    return homes[0] if homes else module


def _default(field: attrs.Attribute[Any]) -> Any:
    """Return what an absent member means, or ``None`` if the schema does not say."""
    if isinstance(field.default, attrs.Factory):  # type: ignore[arg-type]
        made = field.default.factory()  # type: ignore[union-attr]
        return made if made in ([], {}) else None
    return list(field.default) if isinstance(field.default, tuple) else field.default


def _documentation(kind: type[Any]) -> tuple[str, dict[str, str]]:
    """Return the text of a class, and those of its fields."""
    text, *params = re.split(r"^:param ", inspect.cleandoc(kind.__doc__ or ""), flags=re.MULTILINE)
    docs = {name: _plain_text(doc) for name, _, doc in (each.partition(":") for each in params)}
    return _plain_text(text), docs


def _plain_text(text: str) -> str:
    """Return a text without the markup of docstrings."""
    plain = re.sub(r":\w+:`~?([^`]*)`", r"`\1`", " ".join(inspect.cleandoc(text).split())).replace("``", "`")
    return plain.replace("`None`", "`null`").replace("`True`", "`true`").replace("`False`", "`false`")
