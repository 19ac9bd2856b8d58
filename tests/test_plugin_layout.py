"""Every first-party plugin has one name, one manifest that tells the truth, and a place in the root lists."""

from __future__ import annotations

import tomllib
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LIBRARIES = sorted(path.name for path in (ROOT / "src").glob("codex-*"))
PLUGINS = sorted(path for path in (ROOT / "plugins").iterdir() if path.is_dir() and any(path.glob("src/*/*.py")))


def load(path: Path) -> dict:
    return tomllib.loads(path.read_text())


def package(plugin: Path) -> Path:
    return plugin / "src" / f"codex_{plugin.name.replace('-', '_')}"


def hooks_of(plugin: Path) -> set[str]:
    """Return the names of the hooks that a plugin implements."""
    module = import_module(f"{package(plugin).name}.plugin")
    marked = {name: vars(value)["codex_impl"] for name, value in vars(module).items() if hasattr(value, "codex_impl")}
    return {options.get("specname") or name for name, options in marked.items()}


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda path: path.name)
def test_one_word_names_distribution_package_and_entry_point(plugin: Path) -> None:
    project = load(plugin / "pyproject.toml")["project"]

    assert project["name"] == f"codex-{plugin.name}"
    assert project["entry-points"]["codex.plugins"] == {plugin.name: f"{package(plugin).name}.plugin"}
    assert "codex-hookspecs" in project["dependencies"]


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda path: path.name)
def test_a_plugin_has_all_its_parts(plugin: Path) -> None:
    expected = ["__init__.py", "codex-plugin.toml", "plugin.py", "py.typed"]

    assert [name for name in expected if not (package(plugin) / name).is_file()] == []
    assert (plugin / "README.md").is_file()
    assert list(plugin.glob("tests/test_*.py"))
    assert not (plugin / "tests/__init__.py").exists()


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda path: path.name)
def test_the_manifest_says_what_the_plugin_does(plugin: Path) -> None:
    manifest = load(package(plugin) / "codex-plugin.toml")

    assert manifest["name"] == plugin.name
    assert manifest["version"] == load(plugin / "pyproject.toml")["project"]["version"]
    assert set(manifest["hooks"]) == hooks_of(plugin)


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda path: path.name)
def test_the_root_lists_name_the_plugin(plugin: Path) -> None:
    root = load(ROOT / "pyproject.toml")

    assert f"codex-{plugin.name}" in root["project"]["optional-dependencies"]["plugins"]
    assert root["tool"]["uv"]["sources"][f"codex-{plugin.name}"] == {"workspace": True}
    assert f"[`{plugin.name}`](../plugins/{plugin.name}/README.md)" in (ROOT / "docs/architecture.md").read_text()


def test_the_root_lists_name_nothing_else() -> None:
    root = load(ROOT / "pyproject.toml")
    names = [f"codex-{plugin.name}" for plugin in PLUGINS]

    assert root["project"]["optional-dependencies"]["plugins"] == names
    assert sorted(root["tool"]["uv"]["sources"]) == sorted([*names, *LIBRARIES, "codex-hookspecs", "codex-host"])
