"""Distributions name every library they import, and import every library they name."""

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
    *(p.parent for group in ("src", "plugins", "examples") for p in sorted((ROOT / group).glob("*/pyproject.toml"))),
]


def name_of(member: Path) -> str:
    return project(member)["name"]


def project(member: Path) -> dict:
    return tomllib.loads((member / "pyproject.toml").read_text())["project"]


def sources_of(member: Path) -> Path:
    return member / "src" / ("codex_host" if member == ROOT else "")


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


@pytest.mark.parametrize("member", MEMBERS, ids=name_of)
def test_every_library_that_is_imported_is_declared(member: Path) -> None:
    known = declared(member) | declared(ROOT / "hookspecs") | {normal(name_of(member))}

    found = [
        f"{name} at {at}"
        for name, at in imports(sources_of(member))
        if name not in sys.stdlib_module_names
        and not known.intersection(distributions().get(name, [normal(name)]))
        and not (name == "codex_testkit" and "codex_host/testing.py:" in at)
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
    used = {name for module, _ in imports(sources_of(member)) for name in distributions().get(module, [normal(module)])}

    by_name = {
        "codex-hookspecs",
        *(["anyio"] if name_of(member) == "codex-testkit" else []),
    }  # its pytest plugin is used

    assert declared(member) - used - by_name == set()
