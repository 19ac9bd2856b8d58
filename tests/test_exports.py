"""The public names of the contracts are sorted, complete, and cost nothing until used."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import codex_hookspecs
from codex_hookspecs import protocol

SOURCE = Path(codex_hookspecs.__file__)


def names_for_type_checkers() -> dict[str, str]:
    """Return what the block for type checkers imports: name to module."""
    block = next(node for node in ast.parse(SOURCE.read_text()).body if isinstance(node, ast.If))
    return {
        alias.name: node.module or "" for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }


def test_exports_are_sorted() -> None:
    assert list(codex_hookspecs.__all__) == sorted(codex_hookspecs.__all__)


def test_type_checkers_and_programs_see_the_same_names() -> None:
    seen = names_for_type_checkers()

    assert sorted(seen) == sorted(codex_hookspecs.__all__)
    assert [
        n for n, module in seen.items() if getattr(import_module(module), n) is not getattr(codex_hookspecs, n)
    ] == []


def test_the_protocol_exports_all_names_of_its_modules() -> None:
    block = next(node for node in ast.parse(Path(protocol.__file__).read_text()).body if isinstance(node, ast.If))
    whole = [node.module for node in block.body if isinstance(node, ast.ImportFrom) and node.names[0].name == "*"]
    defined = {name for module in whole for name in defined_in(module or "")}

    assert len(whole) > 20
    assert defined - set(protocol.__all__) == set()


def defined_in(module: str) -> set[str]:
    """Return the public names that a module defines."""
    body = ast.parse(Path(str(import_module(module).__file__)).read_text()).body
    targets = [
        target
        for node in body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
    ]
    names = {node.name for node in body if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return {name for name in names if not name.startswith("_")}


def test_every_name_an_example_or_page_uses_is_exported() -> None:
    root = Path(__file__).parents[1]
    pages = [*(root / "docs").glob("*.md"), *(root / "examples").rglob("*.py"), *(root / "examples").rglob("*.md")]
    used = {
        name.strip()
        for page in pages
        for line in page.read_text().splitlines()
        if line.lstrip().startswith("from codex_hookspecs import ")
        for name in line.partition(" import ")[2].split(",")
    }

    assert used - set(codex_hookspecs.__all__) == set()


def test_importing_the_contracts_loads_no_library() -> None:
    program = "import sys; before = set(sys.modules); import codex_hookspecs; print(*sorted(set(sys.modules) - before))"

    loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()

    assert [module for module in loaded if module.partition(".")[0] in {"attr", "attrs", "cattrs", "pluggy"}] == []
