"""Small third-party distributions on disk, and the program run in this process or in one of its own."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib import invalidate_caches
from importlib.metadata import metadata
from pathlib import Path
from textwrap import dedent

import pytest
from attrs import frozen
from own_environment import make_environment

from codex_host.cli import main
from codex_host.plugins import guarded_import

PLUGIN = """
    from codex_hookspecs import hookimpl

    @hookimpl
    def tools(thread):
        return []
"""


class Distributions:
    """A directory of installed distributions.

    :param folder: to be put on ``sys.path``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(
        self,
        name: str = "noisy",
        *,
        distribution: str | None = None,
        version: str = "1.0.0",
        plugin: str = PLUGIN,
        manifest: str | None = "",
        package: str | None = None,
        points: str | None = None,
        files: Mapping[str, str] | None = None,
    ) -> Path:
        """Install a distribution with one plugin.

        :param plugin: source of its module.
        :param manifest: further lines of its manifest; ``None`` for no manifest.
        :param points: text of its ``entry_points.txt``.
        :param files: more of its files, by path relative to where distributions are installed.
        :return: folder of its package.
        """
        distribution = distribution or f"codex-{name}"
        package = package or f"third_{distribution.replace('-', '_')}"
        folder = self.folder / package
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "__init__.py").write_text("")
        (folder / "plugin.py").write_text(dedent(plugin))
        if manifest is not None:
            (folder / "codex-plugin.toml").write_text(f'name = "{name}"\napi = 1\n{dedent(manifest)}')
        info = self.folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir(exist_ok=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(points or f"[codex.plugins]\n{name} = {package}.plugin\n")
        write(self.folder, files or {})
        own = [path.relative_to(self.folder) for part in (folder, info) for path in part.rglob("*") if path.is_file()]
        (info / "RECORD").write_text("".join(f"{path},,\n" for path in (*own, *(files or ()), f"{info.name}/RECORD")))
        invalidate_caches()  # this process has looked at the directory a moment ago
        return folder

    def add_host(self, *plugins: str, info: str = "codex_host-0.1.0.dist-info") -> None:
        """Install what an installer says of the host, nearer than the one that is tested.

        :param plugins: distributions that its extra ``plugins`` has besides those of the tested one.
        """
        named = [
            *(metadata("codex-host").get_all("Requires-Dist") or ()),
            *(f"{name}; extra == 'plugins'" for name in plugins),
        ]
        facts = "".join(f"Requires-Dist: {text}\n" for text in named)
        write(self.folder, {f"{info}/METADATA": f"Metadata-Version: 2.1\nName: codex-host\nVersion: 0.1.0\n{facts}"})
        invalidate_caches()

    def remove(self, distribution: str) -> None:
        """Uninstall a distribution, its package included."""
        shutil.rmtree(next(self.folder.glob(f"{distribution.replace('-', '_')}-*.dist-info")))
        shutil.rmtree(self.folder / f"third_{distribution.replace('-', '_')}")


@frozen
class Ran:
    """What one run of the program left."""

    status: int
    out: str
    err: str


Codex = Callable[..., Ran]


@pytest.fixture
def distributions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Distributions]:
    """Return where distributions are installed for this process and, in an environment of its own, for the program."""
    folder = make_environment(tmp_path / "environment")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    monkeypatch.setattr(guarded_import, "IMPORTS", guarded_import.TrustedImports())
    monkeypatch.setattr(sys, "executable", str(tmp_path / "environment" / "bin" / "python"))
    yield Distributions(folder)
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None)).startswith(str(folder)):
            del sys.modules[name]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty directory that is ``$CODEX_HOME``."""
    folder = tmp_path / "home"
    folder.mkdir(exist_ok=True)
    monkeypatch.setenv("CODEX_HOME", str(folder))
    monkeypatch.setenv("HOME", str(tmp_path))
    return folder


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty project directory, which the program is started in."""
    folder = tmp_path / "project"
    (folder / ".git").mkdir(parents=True)
    (folder / ".git" / "HEAD").touch()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def codex(home: Path, place: Path, capfd: pytest.CaptureFixture[str]) -> Codex:
    """Return a function that runs the program's commands in this process."""

    def run(*arguments: str) -> Ran:
        capfd.readouterr()
        status = main(arguments)
        captured = capfd.readouterr()
        return Ran(status, captured.out, captured.err)

    return run


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Write files by path relative to a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(content))
