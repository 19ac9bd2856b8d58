"""Every distribution is released as a whole: in one version, with its licence, complete and installable."""

from __future__ import annotations

import re
import shutil
import tarfile
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import build_distributions
import distributions
import lock
import pytest
import release

import codex_host
from codex_host.plugins.manifest import API

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
    assert {distribution.version for distribution in ALL} == {codex_host.__version__}


def test_a_release_sets_the_version_wherever_one_is_written(tmp_path: Path) -> None:
    carriers = [
        file.relative_to(ROOT)
        for distribution in ALL
        for carrier in release.CARRIERS
        for file in distribution.folder.glob(carrier)
    ]
    for carrier in carriers:
        (tmp_path / carrier).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / carrier, tmp_path / carrier)

    changed = release.set_version("7.8.9", tmp_path)

    assert {distribution.version for distribution in distributions.find(tmp_path)} == {"7.8.9"}
    assert [carrier for carrier in carriers if f'"{codex_host.__version__}"' in (tmp_path / carrier).read_text()] == []
    assert {path.relative_to(tmp_path) for path in changed} >= {
        carrier for carrier in carriers if carrier.suffix == ".toml"
    }


def test_a_fragment_of_the_changelog_says_its_kind() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["towncrier"]
    kinds = "|".join(kind["directory"] for kind in settings["type"])
    fragments = [path.name for path in (ROOT / settings["directory"]).iterdir() if not path.name.startswith(".")]

    assert [name for name in fragments if not re.fullmatch(rf"\+[a-z0-9-]+\.(?:{kinds})\.md", name)] == []
    assert settings["start_string"] in (ROOT / settings["filename"]).read_text()


def test_the_page_on_versions_names_the_api_that_the_host_has() -> None:
    assert f"now `api = {API}`" in (ROOT / "docs/versions.md").read_text()


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
