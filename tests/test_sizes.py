"""Parts stay small enough to be read in one sitting."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HOST_LINES = 5_300
MODULE_LINES = 400
FUNCTION_LINES = 50
PLUGIN_MODULE_LINES = 80


def lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def code_lines(path: Path) -> int:
    """Count the lines that do something: without docstrings, comments and blank lines."""
    text = path.read_text()
    documentation: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            documentation.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return sum(
        1
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip() and not line.lstrip().startswith("#") and number not in documentation
    )


def sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in ROOT.glob(f"{folder}/**/*.py"))


def test_the_host_stays_minimal() -> None:
    assert sum(map(code_lines, sources("src"))) <= HOST_LINES


def test_no_module_outgrows_its_subject() -> None:
    long = {
        str(path.relative_to(ROOT)): lines(path)
        for path in sources("src", "hookspecs/src", "plugins/*/src", "examples")
        if lines(path) > MODULE_LINES
    }

    assert long == {}


@pytest.mark.parametrize("path", sources("plugins/*/src/*"), ids=lambda path: str(path.relative_to(ROOT)))
def test_plugin_modules_hold_hook_implementations_only(path: Path) -> None:
    assert path.name != "plugin.py" or lines(path) < PLUGIN_MODULE_LINES


def test_no_function_outgrows_a_screen() -> None:
    functions = [
        (f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", (node.end_lineno or node.lineno) - node.lineno + 1)
        for path in sources("src", "hookspecs/src", "plugins/*/src", "examples", "tools")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]

    assert [(name, length) for name, length in functions if length > FUNCTION_LINES] == []
