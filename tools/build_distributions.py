"""Build the wheel and the sdist of every distribution into ``dist/``, and try all in a fresh environment.

With ``--no-trial`` it only builds. Each distribution is built from a copy of the files that git knows, with LICENSE
added and with every other distribution of this workspace required in exactly its own version: a release is installed as
a whole. The wheel is built from the sdist.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
from collections.abc import Iterator
from pathlib import Path

import tomlkit
from distributions import ROOT, Distribution, find, required_name
from hatchling.build import build_sdist, build_wheel

LIMIT = 600
SCRIPT = """[[{"sh": "echo done > ran.txt"}], [{"say": "the turn is over"}]]"""


def build(target: Path, chosen: list[Distribution]) -> None:
    """Build sdists and wheels.

    :param target: directory to put them in.
    :param chosen: the distributions to build.
    """
    versions = {distribution.name: distribution.version for distribution in find()}
    if len(set(versions.values())) > 1:
        raise SystemExit(
            f"dist: distributions are released in one version, found {versions}; run: make release V=VERSION"
        )
    for distribution in chosen:
        with tempfile.TemporaryDirectory() as stage:
            _stage(distribution, Path(stage), versions)
            with contextlib.chdir(stage):
                sdist = target / build_sdist(str(target))
        with tempfile.TemporaryDirectory() as unpacked, tarfile.open(sdist) as archive:
            # Python 3.11.2 of Debian has no extraction filters; later versions warn without one.
            archive.extraction_filter = getattr(tarfile, "data_filter", None)
            archive.extractall(unpacked)
            with contextlib.chdir(Path(unpacked) / sdist.name.removesuffix(".tar.gz")):
                build_wheel(str(target))


def attempt(target: Path) -> None:
    """Install every wheel into a new environment, run a turn with the offline model and the tests of every example.

    :param target: directory with the wheels.
    :raises SystemExit: when something in it does not work.
    """
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "pins.txt").write_text("".join(_pins()), "utf-8")
        venv.create(place / "venv", with_pip=True, symlinks=os.name != "nt")
        programs = place / "venv" / ("Scripts" if os.name == "nt" else "bin")
        names = [f"{distribution.name}=={distribution.version}" for distribution in find()]
        python = str(programs / "python")
        install = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--find-links", str(target)]
        install += ["-c", "pins.txt"]
        _run(place, *install, *names)
        _run(place, python, "-m", "pip", "check")
        _turn(place, str(programs / "codex"))
        _examples(place, python, install)


def _stage(distribution: Distribution, stage: Path, versions: dict[str, str]) -> None:
    for name in _files_of(distribution):
        copy = stage / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(distribution.folder / name, copy)
    shutil.copy2(ROOT / "LICENSE", stage / "LICENSE")
    (stage / "pyproject.toml").write_text(_released(distribution, versions), "utf-8")


def _files_of(distribution: Distribution) -> list[str]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "."]
    if distribution.folder == ROOT:
        command[-1:] = ["README.md", "src/codex_host", "tools/codex"]
    listed = subprocess.run(command, cwd=distribution.folder, check=True, capture_output=True, text=True).stdout
    return [name for name in listed.split("\0") if name and (distribution.folder / name).is_file()]


def _released(distribution: Distribution, versions: dict[str, str]) -> str:
    document = tomlkit.parse((distribution.folder / "pyproject.toml").read_text("utf-8"))
    project = document["project"]
    project["license-files"] = ["LICENSE"]
    lists = [project.get("dependencies", []), *project.get("optional-dependencies", {}).values()]
    for requirements in lists:
        for index, requirement in enumerate(requirements):
            name = required_name(requirement)
            if name in versions:
                requirements[index] = f"{requirement}=={versions[name]}"
    document.get("tool", {}).pop("uv", None)
    return tomlkit.dumps(document)


def _pins() -> Iterator[str]:
    for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines():
        if match := re.match(r"([\w.-]+==[^\\]+)", line):
            yield match[1].strip() + "\n"


def _turn(place: Path, codex: str) -> None:
    work, home = place / "work", place / "home"
    work.mkdir()
    home.mkdir()
    (place / "script.json").write_text(SCRIPT, "utf-8")
    script = f'model_providers.scripted.script="{(place / "script.json").as_posix()}"'
    environ = {"CODEX_HOME": str(home), "HOME": str(home)}
    options = ["-C", str(work), "-c", "model_provider=scripted", "-c", script]
    turn = ["exec", "--skip-git-repo-check", "--sandbox", "danger-full-access", "go"]
    said = _run(place, codex, *options, *turn, **environ)
    if said.strip() != "the turn is over" or not (work / "ran.txt").is_file():
        raise SystemExit(f"dist: a turn was to be run with the installed wheels; it said {said!r}")
    listed = _run(place, codex, "plugins", "list", **environ)
    missing = [name.parent.name for name in ROOT.glob("plugins/*/pyproject.toml") if name.parent.name not in listed]
    if missing:
        raise SystemExit(f"dist: every plugin was to be found where the wheels are installed; missing: {missing}")


def _examples(place: Path, python: str, install: list[str]) -> None:
    """Install copies of the examples, as authors of plugins do, and run their tests."""
    copies = []
    for project in sorted(ROOT.glob("examples/*/pyproject.toml")):
        copy = place / "examples" / project.parent.name
        copies.append(shutil.copytree(project.parent, copy, ignore=shutil.ignore_patterns("__pycache__", ".*")))
    _run(place, *install, "hatchling")
    _run(place, *install, "--no-build-isolation", *map(str, copies))
    for copy in copies:
        print(f"dist: {copy.name}: {_run(copy, python, '-m', 'pytest', '-q').splitlines()[-1]}")


def _run(place: Path, *command: str, **environ: str) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CODEX_", "PYTHON", "VIRTUAL"))}
    env = kept | environ
    done = subprocess.run(
        command, cwd=place, env=env, input="", capture_output=True, text=True, timeout=LIMIT, check=False
    )
    if done.returncode:
        text = f"{done.stdout}{done.stderr}"
        raise SystemExit(f"dist: {' '.join(command)}\nended with {done.returncode}:\n{text}")
    return done.stdout


def main(arguments: list[str]) -> int:
    """Build into ``dist/``; see the module."""
    target = ROOT / "dist"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    build(target, find())
    print(f"dist: {len(list(target.iterdir()))} files of {len(find())} distributions in {target.name}/")
    if "--no-trial" not in arguments:
        attempt(target)
        print("dist: installed in a fresh environment; a turn with the offline model and the tests of the examples ran")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
