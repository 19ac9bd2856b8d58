"""Every distribution is released as a whole: in one version, with its licence, complete and installable."""

from __future__ import annotations

import re
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path

import build_distributions
import distributions
import lock
import pytest

ROOT = Path(__file__).parents[1]
ALL = distributions.find()
NAMES = {distribution.name for distribution in ALL}
EACH = pytest.mark.parametrize("distribution", ALL, ids=lambda distribution: distribution.name)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    build_distributions.build(folder, ALL)
    return folder


def stem(distribution: distributions.Distribution) -> str:
    return f"{distribution.name.replace('-', '_')}-{distribution.version}"


def wheel_of(folder: Path, distribution: distributions.Distribution) -> zipfile.ZipFile:
    return zipfile.ZipFile(folder / f"{stem(distribution)}-py3-none-any.whl")


def test_all_have_one_version() -> None:
    assert {distribution.version for distribution in ALL} == {ALL[0].version}


@EACH
def test_wheel_and_sdist_carry_the_licence(built: Path, distribution: distributions.Distribution) -> None:
    text = (ROOT / "LICENSE").read_bytes()
    name = stem(distribution)

    with tarfile.open(built / f"{name}.tar.gz") as sdist, wheel_of(built, distribution) as wheel:
        carried = sdist.extractfile(f"{name}/LICENSE")

        assert carried is not None
        assert carried.read() == text
        assert wheel.read(f"{name}.dist-info/licenses/LICENSE") == text


@EACH
def test_a_wheel_holds_the_package_as_it_is_here(built: Path, distribution: distributions.Distribution) -> None:
    sources = distribution.folder / "src"
    packages = [path for path in sources.iterdir() if (path / "__init__.py").is_file()]
    expected = {
        path.relative_to(sources).as_posix()
        for package in packages
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    with wheel_of(built, distribution) as wheel:
        assert {name for name in wheel.namelist() if ".dist-info/" not in name and ".data/" not in name} == expected


@EACH
def test_the_others_are_required_in_the_same_version(built: Path, distribution: distributions.Distribution) -> None:
    with wheel_of(built, distribution) as wheel:
        metadata = Parser().parsestr(wheel.read(f"{stem(distribution)}.dist-info/METADATA").decode())
    ours = [entry for entry in metadata.get_all("Requires-Dist", []) if distributions.required_name(entry) in NAMES]

    assert [entry for entry in ours if f"=={distribution.version}" not in entry] == []


@pytest.mark.parametrize(("name", "tools"), [("constraints.txt", False), ("constraints-tools.txt", True)])
def test_all_that_is_required_is_pinned(name: str, tools: bool) -> None:
    pinned = set(re.findall(r"^([\w.-]+)==", (ROOT / name).read_text(), re.MULTILINE))
    required = {distributions.required_name(entry) for entry in lock.requirements(ALL, tools=tools)}

    assert required - pinned == set()
