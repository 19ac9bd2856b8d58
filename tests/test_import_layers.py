"""Imports go one way: plugin to contracts, host to contracts, and nowhere else."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MEMBERS = [
    ROOT,
    ROOT / "hookspecs",
    *(p.parent for group in ("plugins", "examples") for p in sorted((ROOT / group).glob("*/pyproject.toml"))),
]
PLUGINS = [member for member in MEMBERS if member.parent.name in {"plugins", "examples"}]
KIT_ONLY = {"anyio", "pytest", "websockets"}  # what the test kit needs; it is an extra of the contracts


def name_of(member: Path) -> str:
    return project(member)["name"]


def project(member: Path) -> dict:
    return tomllib.loads((member / "pyproject.toml").read_text())["project"]


def package_of(member: Path) -> str:
    return name_of(member).replace("-", "_")


def ours(module: str) -> bool:
    return module.startswith("codex_")


def imports(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the top-level name of each import with the place it stands at."""
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(), str(path))):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                names = [node.module]
            for name in names:
                yield name.partition(".")[0], f"{path.relative_to(ROOT)}:{node.lineno}"


@cache
def distributions() -> dict[str, list[str]]:
    return {module: [normal(n) for n in names] for module, names in metadata.packages_distributions().items()}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(member: Path) -> set[str]:
    return {normal(re.split(r"[^A-Za-z0-9._-]", item, maxsplit=1)[0]) for item in project(member)["dependencies"]}


def test_contracts_import_nothing_of_ours() -> None:
    found = [at for name, at in imports(ROOT / "hookspecs/src") if ours(name) and name != "codex_hookspecs"]

    assert found == []


def test_the_host_imports_only_contracts() -> None:
    found = [at for name, at in imports(ROOT / "src") if ours(name) and name not in {"codex_hookspecs", "codex_host"}]

    assert found == []


@pytest.mark.parametrize("plugin", PLUGINS, ids=name_of)
def test_a_plugin_imports_only_contracts(plugin: Path) -> None:
    allowed = {"codex_hookspecs", package_of(plugin)}

    found = [at for name, at in imports(plugin) if ours(name) and name not in allowed]

    assert found == []


@pytest.mark.parametrize("member", MEMBERS, ids=name_of)
def test_every_library_that_is_imported_is_declared(member: Path) -> None:
    known = declared(member) | declared(ROOT / "hookspecs") | {normal(name_of(member))}

    found = [
        f"{name} at {at}"
        for name, at in imports(member / "src")
        if name not in sys.stdlib_module_names
        and not known.intersection(distributions().get(name, [normal(name)]))
        and not ("/testing/" in at and name in KIT_ONLY)
    ]

    assert found == []


@pytest.mark.parametrize("member", MEMBERS, ids=name_of)
def test_every_library_that_is_declared_is_pinned(member: Path) -> None:
    pinned = {
        normal(line.partition("==")[0]) for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line
    }

    assert {name for name in declared(member) if not ours(name.replace("-", "_"))} - pinned == set()


@pytest.mark.parametrize("member", MEMBERS, ids=name_of)
def test_every_library_that_is_declared_is_imported(member: Path) -> None:
    used = {name for module, _ in imports(member / "src") for name in distributions().get(module, [normal(module)])}

    assert declared(member) - used - {"codex-hookspecs"} == set()
