"""Analyze the exports of the contracts: page, definition and references of each public name."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any, NamedTuple, TypeVar

import codex_hookspecs
from codex_hookspecs import specs

ROOT_PACKAGE = "codex_hookspecs"
PAGES: dict[str, ModuleType | None] = {
    "lifecycle": specs.lifecycle,
    "tools": specs.tools,
    "models": specs.models,
    "context": specs.context,
    "environments": specs.environment,
    "sandbox": specs.sandbox,
    "policy": specs.policy,
    "auth": specs.auth,
    "storage": specs.storage,
    "surface": specs.surface,
    "analytics": specs.analytics,
    "host": None,
    "protocol": None,
    "errors": None,
    "files": None,
    "wire": None,
    "jsonrpc": None,
    "http_policy": None,
    "json_text": None,
    "light": None,
    "tracing": None,
    "markers": None,
}
"""Pages in order, each named after the module that its names are imported from, with the hooks of the area.

``markers`` has the names that can be imported only from the package itself.
"""
_FIRST = ("host", "protocol", "errors", "json_text")
"""Preferred pages for a name that several modules export."""


class Name(NamedTuple):
    """Where a name is defined."""

    module: str
    name: str

    @property
    def value(self) -> Any:
        """The object with the name."""
        return getattr(import_module(self.module), self.name)


class Definition(NamedTuple):
    """A top-level statement that defines a name.

    :param said: the text below it, when it is an assignment.
    """

    node: ast.stmt
    said: str


def module_of(page: str) -> str:
    """Return the module that the names of a page are imported from."""
    return ROOT_PACKAGE if page == "markers" else f"{ROOT_PACKAGE}.{page}"


@cache
def homes() -> dict[Name, str]:
    """Return the page of each public name."""
    found: dict[Name, str] = {}
    for page in sorted(PAGES, key=lambda each: (each not in _FIRST, list(PAGES).index(each))):
        module = module_of(page)
        for name in getattr(import_module(module), "__all__"):  # noqa: B009
            origin = origin_of(module, name)
            if origin.module != f"{ROOT_PACKAGE}.markers" or page == "markers":
                found.setdefault(origin, page)
    return found


def on_page(page: str) -> list[Name]:
    """Return the names that a page documents, sorted."""
    return sorted((name for name, home in homes().items() if home == page), key=lambda name: name.name)


def in_root(name: Name) -> bool:
    """Return whether a name can also be imported from the package itself."""
    listed = name.name in codex_hookspecs.__all__
    return listed and origin_of(ROOT_PACKAGE, name.name) == name


@cache
def origin_of(module: str, name: str) -> Name:
    """Follow imports within the contracts to the definition of a name; an external import counts as a definition."""
    definitions, imported = _contents(module)
    if name not in definitions and name in imported:
        return origin_of(*imported[name])
    return Name(module, name)


def definition(name: Name) -> Definition | None:
    """Return the statement that defines a name."""
    return _contents(name.module)[0].get(name.name)


def named_in(annotation: str, module: str) -> Iterator[Name]:
    """Yield the names of the contracts that an annotation of a module mentions."""
    for word in dict.fromkeys(re.findall(r"(?<![\w.\"'])[A-Za-z_]\w*", re.sub(r"Literal\[.*?\]", "", annotation))):
        origin = origin_of(module, word)
        ours = origin.module.startswith(ROOT_PACKAGE) and word in {*_contents(module)[0], *_contents(module)[1]}
        if ours and not isinstance(getattr(import_module(origin.module), origin.name), TypeVar):
            yield origin


def fields_of(name: Name) -> dict[str, str]:
    """Return the annotated attributes of a class, as they are written."""
    found = definition(name)
    body = found.node.body if found is not None and isinstance(found.node, ast.ClassDef) else []
    annotated = [node for node in body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)]
    return {node.target.id: text_of(node.annotation) for node in annotated if isinstance(node.target, ast.Name)}


def annotations_of(name: Name) -> Iterator[str]:
    """Yield every annotation that the documentation of a name shows, of its fields and public methods among them."""
    value = name.value
    if inspect.isclass(value):
        yield from fields_of(name).values()
        for _, function in public_methods(value):
            yield from map(str, inspect.get_annotations(function).values())
    elif inspect.isfunction(value):
        yield from map(str, inspect.get_annotations(value).values())
    elif (found := alias_of(name)) is not None:
        yield found


def alias_of(name: Name) -> str | None:
    """Return the type of an alias, or ``None`` if the name is not an alias."""
    found = definition(name)
    if found is None or not isinstance(found.node, ast.Assign | ast.AnnAssign) or found.node.value is None:
        return None
    if isinstance(found.node, ast.AnnAssign):
        declared = "TypeAlias" in ast.unparse(found.node.annotation)
    else:
        declared = isinstance(found.node.value, ast.Subscript | ast.BinOp) or "NewType(" in ast.unparse(
            found.node.value
        )
    return text_of(found.node.value) if declared else None


def public_methods(kind: type[Any]) -> Iterator[tuple[str, Any]]:
    """Yield the functions behind the methods and properties of a class that are written in it and have a docstring."""
    for name, member in vars(kind).items():
        function = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
        public = not name.startswith("_") or (name == "__init__" and issubclass(kind, Exception))
        if inspect.isfunction(function) and public and function.__module__ == kind.__module__:
            yield name, function


def text_of(node: ast.expr) -> str:
    """Return an expression as it is written; an annotation in quotes without them."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ast.unparse(node)


@cache
def _contents(module: str) -> tuple[dict[str, Definition], dict[str, tuple[str, str]]]:
    """Return what a module defines at its top level, and what it imports from the contracts."""
    definitions: dict[str, Definition] = {}
    imported: dict[str, tuple[str, str]] = {}
    for body in _bodies(ast.parse(inspect.getsource(import_module(module))).body):
        for node, after in zip(body, [*body[1:], None], strict=True):
            said = after.value.value if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) else ""
            for name in _defined_by(node):
                definitions.setdefault(name, Definition(node, inspect.cleandoc(str(said))))
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(ROOT_PACKAGE):
                for alias in node.names:
                    names = _contents(node.module or "")[0] if alias.name == "*" else [alias.name]
                    imported |= {alias.asname or name: (node.module or "", name) for name in names}
    return definitions, imported


def _bodies(body: list[ast.stmt]) -> Iterator[list[ast.stmt]]:
    yield body
    for node in body:
        if isinstance(node, ast.If):
            yield from _bodies(node.body)


def _defined_by(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]
