"""Imports go one way: plugin to libraries to contracts, host to both, and nowhere else."""

from __future__ import annotations

import ast
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
CONTRACTS = "codex_hookspecs"
LIBRARIES = {path.name.replace("-", "_"): path for path in sorted((ROOT / "src").glob("codex-*"))}
KIT = "codex_testkit"
PLUGINS = [path.parent for path in sorted((ROOT / "plugins").glob("*/pyproject.toml"))]
EXAMPLES = [path.parent for path in sorted((ROOT / "examples").glob("*/pyproject.toml"))]
PUBLIC = [
    path
    for pattern in ("*.py", "environments/__init__.py", "storage/__init__.py", "wire/__init__.py")
    for path in sorted((ROOT / "hookspecs/src" / CONTRACTS).glob(pattern))
    if "__all__" in path.read_text() and (path.name == "__init__.py" or not path.name.startswith("_"))
]
BASE = {
    "errors",
    "values",
    "light",
    "file_reading",
    "json_text",
    "ids",
    "state_file",
    "terminal_text",
    "truncation",
    "tracing",
}
MODULE_LINES = 400


class Import(NamedTuple):
    """One name that a module imports from a module of ours.

    :param static: it is for type checkers only.
    """

    at: str
    importer: str
    module: str
    name: str
    static: bool


def module_of(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[len(parts) - parts[::-1].index("src") :]).removesuffix(".__init__")


@cache
def imports(folder: Path) -> list[Import]:
    """Return what the modules below a folder import from ours, also inside functions."""
    return [found for path in sorted(folder.rglob("*.py")) for found in _imports(path)]


def _imports(path: Path) -> Iterator[Import]:
    tree = ast.parse(path.read_text(), str(path))
    static = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for statement in block.body
        for node in ast.walk(statement)
    }
    importer = module_of(path) if "src" in path.parts else path.stem
    for node in ast.walk(tree):
        where = f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.ImportFrom) and node.level == 0 and (node.module or "").startswith("codex_"):
            for alias in node.names:
                yield Import(where, importer, node.module or "", alias.name, id(node) in static)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("codex_"):
                    yield Import(where, importer, alias.name, "", id(node) in static)


def package(module: str) -> str:
    return module.partition(".")[0]


def room(module: str) -> str:
    """Return the part of the contracts that a module of theirs is in."""
    return module.split(".")[1] if "." in module else ""


def contracts(*rooms: str, static: bool | None = None) -> list[Import]:
    """Return the imports of some parts of the contracts, façades left out."""
    facades = {module_of(path) for path in PUBLIC}
    return [
        found
        for found in imports(ROOT / "hookspecs/src")
        if room(found.importer) in rooms
        and not (found.importer in facades and room(found.importer) in {"environments", "storage"})
        and (static is None or found.static is static)
    ]


def beyond(found: list[Import], *allowed: str) -> list[str]:
    return [f"{each.at} {each.module}" for each in found if room(each.module) not in allowed]


def declared_libraries(plugin: Path) -> set[str]:
    project = tomllib.loads((plugin / "pyproject.toml").read_text())["project"]
    return {re.split(r"[^A-Za-z0-9._-]", item, maxsplit=1)[0].replace("-", "_") for item in project["dependencies"]}


def public_names() -> dict[str, set[str]]:
    """Return the names that each public module of the contracts exports."""
    from importlib import import_module

    return {module_of(path): set(import_module(module_of(path)).__all__) for path in PUBLIC}


def test_values_import_values_only() -> None:
    assert beyond(contracts("types"), "errors", "values", "types", "light", "json_text", "wire", "tracing") == []


def test_the_converter_knows_no_values() -> None:
    found = [each for each in contracts("wire") if each.module != f"{CONTRACTS}.types.json"]

    assert beyond(found, "errors", "wire") == []


def test_ports_import_values_and_ports_only() -> None:
    assert beyond(contracts("ports"), "types", "errors", "values", "ports") == []


def test_specifications_import_markers_and_the_rest_for_type_checkers_only() -> None:
    assert beyond(contracts("specs", static=False), "markers", "specs") == []
    assert beyond(contracts("specs", static=True), "ports", "types") == []


def test_what_implementers_share_imports_no_specifications() -> None:
    rooms = ("environments", "storage", "jsonrpc")

    assert beyond(contracts(*rooms), "ports", "types", *BASE, *rooms) == []


@pytest.mark.parametrize("path", [path for path in PUBLIC if "exported(" in path.read_text()], ids=module_of)
def test_a_facade_imports_nothing_before_it_is_used(path: Path) -> None:
    found = [each for each in _imports(path) if not each.static]

    assert [each.module for each in found] == [f"{CONTRACTS}._lazy"]


def test_contracts_import_nothing_of_ours() -> None:
    assert [each.at for each in imports(ROOT / "hookspecs/src") if package(each.module) != CONTRACTS] == []


@pytest.mark.parametrize(
    "folder",
    [ROOT / "src/codex_host", ROOT / "hookspecs/src", *(each / "src" for each in (*LIBRARIES.values(), *PLUGINS))],
    ids=lambda folder: str(folder.relative_to(ROOT)),
)
def test_modules_import_one_another_in_one_direction(folder: Path) -> None:
    modules = {module_of(path) for path in folder.rglob("*.py")}
    needed: dict[str, set[str]] = {module: set() for module in modules}
    for each in imports(folder):
        inner = f"{each.module}.{each.name}"
        needed[each.importer] |= {inner if inner in modules else each.module} & (modules - {each.importer})
    while free := {module for module, others in needed.items() if not others}:
        needed = {module: others - free for module, others in needed.items() if module not in free}

    assert needed == {}


@pytest.mark.parametrize("name", LIBRARIES)
def test_a_library_imports_contracts_and_the_test_kit_libraries_too(name: str) -> None:
    allowed = {CONTRACTS, name, *(LIBRARIES if name == KIT else ())}

    assert [each.at for each in imports(LIBRARIES[name] / "src") if package(each.module) not in allowed] == []


def test_the_host_imports_contracts_and_libraries() -> None:
    allowed = {CONTRACTS, "codex_host", "codex_execpolicy", "codex_responses", "codex_sandboxing"}
    found = imports(ROOT / "src/codex_host")

    assert [
        each.at
        for each in found
        if package(each.module) not in allowed
        and not (each.importer.startswith("codex_host.testing") and package(each.module) == KIT)
    ] == []


@pytest.mark.parametrize("plugin", [*PLUGINS, *EXAMPLES], ids=lambda path: path.name)
def test_a_plugin_imports_contracts_and_the_libraries_it_names(plugin: Path) -> None:
    own = f"codex_{plugin.name.replace('-', '_')}"
    allowed = {CONTRACTS, own, *(declared_libraries(plugin) & set(LIBRARIES)) - {KIT}}
    if plugin in EXAMPLES:
        allowed |= {path.name for path in (plugin / "src").iterdir()}

    assert [each.at for each in imports(plugin / "src") if package(each.module) not in allowed] == []


@pytest.mark.parametrize("plugin", [*PLUGINS, *EXAMPLES], ids=lambda path: path.name)
def test_a_plugin_has_no_private_door(plugin: Path) -> None:
    exported = public_names()
    found = [each for each in imports(plugin / "src") if package(each.module) == CONTRACTS]

    assert [
        f"{each.at}: {each.module} {each.name}"
        for each in found
        if each.name not in exported.get(each.module, ()) and f"{each.module}.{each.name}" not in exported
    ] == []


def test_contracts_and_libraries_hold_nothing_that_one_distribution_alone_uses() -> None:
    exported = {(module, name) for module, names in public_names().items() for name in names}
    homes = {
        each.module
        for path in PUBLIC
        for each in _imports(path)
        if each.static and (each.name == "*" or (module_of(path), each.name) in exported)
    } | {module_of(path) for path in PUBLIC}
    users: dict[str, set[str]] = defaultdict(set)
    for folder in (ROOT / "hookspecs/src", *(path / "src" for path in LIBRARIES.values()), ROOT / "src/codex_host"):
        _add_users(users, folder)
    for plugin in PLUGINS:
        _add_users(users, plugin / "src")
    modules = {
        module_of(path): path
        for folder in ("hookspecs/src", *(f"src/{path.name}/src" for path in LIBRARIES.values()))
        for path in (ROOT / folder).rglob("*.py")
        if path.name != "__init__.py" and not path.name.startswith("_")
    }

    alone = {
        module: sorted(found)
        for module in modules
        if package(module) != KIT
        and room(module) != "specs"
        and module not in homes
        and len(found := _distributions(module, users)) < 2
    }

    assert alone == {}


def _add_users(users: dict[str, set[str]], folder: Path) -> None:
    for each in imports(folder):
        for module in (each.module, f"{each.module}.{each.name}"):
            users[module].add(each.importer)


def _distributions(module: str, users: dict[str, set[str]]) -> set[str]:
    """Return the distributions that use a module, themselves or through modules of its own distribution."""
    seen, left, found = {module}, [module], set()
    while left:
        for user in users[left.pop()]:
            if package(user) != package(module):
                found.add(package(user))
            elif user not in seen:
                seen.add(user)
                left.append(user)
    return found


@pytest.mark.parametrize(
    "folder", ["hookspecs/src", "src/codex_host", "src/codex-*/src", "plugins/*/src", "examples"], ids=str
)
def test_no_module_outgrows_its_subject(folder: str) -> None:
    long = [
        f"{path.relative_to(ROOT)}: {lines}"
        for path in sorted(ROOT.glob(f"{folder}/**/*.py"))
        if (lines := len(path.read_text().splitlines())) > MODULE_LINES
    ]

    assert long == []
