"""The page of a library lists its modules and their public names, and its examples run."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LIBRARIES = sorted((ROOT / "src").glob("codex-*"))
DESCRIBED = [path for path in LIBRARIES if path.name != "codex-testkit"]  # that one is described in docs/test-kit.md
LISTED = re.compile(r"^\| `([a-z_.0-9]+)` \|(?:.*\|)? ([^|]*) \|$", re.MULTILINE)
EXAMPLE = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def listed(library: Path) -> dict[str, list[str]]:
    """Return the public names of each module, as the page has them."""
    package = library.name.replace("-", "_")
    rows = LISTED.findall((library / "README.md").read_text())
    return {f"{package}.{module}": re.findall(r"`(\w+)`", names) for module, names in rows}


@pytest.mark.parametrize("library", LIBRARIES, ids=lambda path: path.name)
def test_every_name_on_the_page_is_there(library: Path) -> None:
    missing = [
        f"{module}.{name}"
        for module, names in listed(library).items()
        for name in names
        if not hasattr(import_module(module), name)
    ]

    assert missing == []


@pytest.mark.parametrize(
    "library", [path for path in LIBRARIES if path.name != "codex-testkit"], ids=lambda path: path.name
)
def test_every_module_is_on_the_page(library: Path) -> None:
    source = library / "src"
    modules = [
        ".".join(path.relative_to(source).with_suffix("").parts)
        for path in source.rglob("*.py")
        if not path.name.startswith("_")
    ]

    assert sorted(listed(library)) == sorted(modules)


@pytest.mark.parametrize(
    "library", [path for path in LIBRARIES if path.name != "codex-testkit"], ids=lambda path: path.name
)
def test_the_example_on_the_page_gives_what_it_says(library: Path) -> None:
    names: dict[str, object] = {}
    (example,) = EXAMPLE.findall((library / "README.md").read_text())
    exec(compile(example, str(library), "exec"), names)

    found = [
        (repr(eval(expression, names)), said)
        for expression, said in re.findall(r"^(\S.*?)  # (.*)$", example, re.MULTILINE)
    ]

    assert [(given.replace("'", '"'), said) for given, said in found if given.replace("'", '"') != said] == []
