"""A plugin's directory can be deleted: the program starts without it and works, or says in a line what is missing."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest
from own_environment import make_environment

ROOT = Path(__file__).parents[1]
PLUGINS = sorted(path.parent.name for path in (ROOT / "plugins").glob("*/pyproject.toml"))
ESSENTIAL = {
    "app-server": "plugin exec-cli is incompatible: it needs app-server, which is not installed",
    "exec-cli": "unrecognized subcommand 'exec'",
    "exec-local": "plugin exec-server is incompatible: it needs exec-local, which is not installed",
    "model-scripted": "model provider `scripted`",
}
"""What the program says without plugins that the turn of this test can't do without."""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the workspace, installed in an environment of its own: ``environment/bin/codex``."""
    folder = tmp_path_factory.mktemp("copy")
    left_out = shutil.ignore_patterns("__pycache__", "tests", "interop")
    for part in ("src", "hookspecs", "plugins"):
        shutil.copytree(ROOT / part, folder / part, ignore=left_out)
    packages = make_environment(folder / "environment")
    for path in packages.iterdir():
        path.unlink()
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        text = path.read_text() if path.suffix == ".pth" else ""
        if str(ROOT) in text:
            (packages / path.name).write_text(text.replace(str(ROOT), str(folder)))
        else:
            (packages / path.name).symlink_to(path)
    return folder


@pytest.fixture(params=PLUGINS)
def deleted(request: pytest.FixtureRequest, copy: Path, tmp_path: Path) -> Iterator[str]:
    """Delete a plugin for as long as a test lasts."""
    name = request.param
    [info] = (copy / "environment").glob(f"lib/*/site-packages/codex_{name.replace('-', '_')}-*.dist-info")
    installed = os.readlink(info)
    info.unlink()
    (copy / "plugins" / name).rename(tmp_path / "deleted")
    yield name
    (tmp_path / "deleted").rename(copy / "plugins" / name)
    info.symlink_to(installed)


def run(copy: Path, place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [copy / "environment/bin/codex", *words],
        cwd=place,
        env={"PATH": os.environ["PATH"], "CODEX_HOME": str(place), "HOME": str(place)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_without_one_plugin_the_others_work(deleted: str, copy: Path, tmp_path: Path) -> None:
    (tmp_path / "script.json").write_text('[[{"sh": "echo x"}], [{"say": "all done"}]]')
    options = ("-c", "model_provider=scripted", "-c", "model_providers.scripted.script=script.json")

    listed = run(copy, tmp_path, "plugins", "list", "--json")
    turn = run(copy, tmp_path, "--strict-plugins", "exec", "--skip-git-repo-check", *options, "go")

    assert {plugin["name"] for plugin in json.loads(listed.stdout)} == {*PLUGINS} - {deleted}
    assert "Traceback" not in turn.stderr
    assert "internal error" not in turn.stderr
    if deleted in ESSENTIAL:
        assert ESSENTIAL[deleted] in next(line for line in turn.stderr.splitlines() if "rror: " in line)
    else:
        assert (turn.returncode, turn.stdout) == (0, "all done\n"), turn.stderr


def test_the_copy_is_what_runs(copy: Path) -> None:
    code = "import codex_host, codex_hookspecs; print(codex_host.__file__, codex_hookspecs.__file__)"
    python = copy / "environment/bin/python"

    done = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=True, timeout=60)

    assert all(path.startswith(str(copy)) for path in done.stdout.split())


def test_no_other_part_imports_a_plugin_not_even_in_its_tests() -> None:
    homes = {f"codex_{name.replace('-', '_')}": ROOT / "plugins" / name for name in PLUGINS}
    files = [file for part in ("src", "hookspecs", "plugins") for file in (ROOT / part).rglob("*.py")]
    files += (ROOT / "examples").glob("*/src/**/*.py")  # their tests install the plugins that they run with

    found = [
        f"{file.relative_to(ROOT)}: {package}"
        for file in files
        for package in re.findall(r"^\s*(?:from|import) (codex_\w+)", file.read_text(), re.MULTILINE)
        if package in homes and homes[package] not in file.parents
    ]

    assert found == []
