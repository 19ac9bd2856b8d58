"""A plugin of a third party runs as it was trusted: every file, to the byte, whenever it is imported."""

from __future__ import annotations

import importlib.util
import json
import os
import py_compile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from codex_testkit import Project
    from tests.host.conftest import Distributions

STOP = "from codex_hookspecs import hookimpl\n\n@hookimpl\nasync def stop(event):\n    "
LATE = STOP + "import third_codex_noisy.late as late\n    print('late', late.TEXT)\n"
OPTIONS = (
    "exec", "--skip-git-repo-check", "--sandbox", "danger-full-access",
    "-c", "model_provider=scripted", "-c", "model_providers.scripted.script=script.json",
)  # fmt: skip


def detail(project: Project, name: str = "noisy") -> str:
    """Return what is said of a plugin: its state, or why it is not trusted."""
    facts = json.loads(project.run("plugins", "show", name, "--json").stdout)
    return facts["detail"] or facts["status"]


def trust(project: Project, name: str = "noisy") -> None:
    project.run("plugins", "trust", name).assert_success()
    assert detail(project, name) == "enabled"


def examined(project: Project) -> str:
    return project.run("plugins", "doctor", "noisy").stdout


def turn(project: Project, *steps: dict[str, str]) -> str:
    """Run a turn whose model takes some steps, and return what was told on the way."""
    project.write({"script.json": json.dumps([[step] for step in steps] + [[{"say": "done"}]])})
    ran = project.run(*OPTIONS, "go")
    ran.assert_success()
    return ran.stderr


@pytest.mark.parametrize(
    "path", ["second/__init__.py", "second/deep/data.bin", "single.py", "../../../share/noisy/words", "second/x.so"]
)
def test_every_file_of_a_distribution_counts(distributions: Distributions, project: Project, path: str) -> None:
    distributions.add(files={"second/__init__.py": "", path: "as it was"})
    trust(project)

    (distributions.folder / path).write_text("as it is")

    assert detail(project) == f"its files changed since it was trusted: {os.path.normpath(path)}"


def test_what_is_added_to_a_second_package_counts(distributions: Distributions, project: Project) -> None:
    distributions.add(files={"second/__init__.py": ""})
    trust(project)

    (distributions.folder / "second" / "more.pyc").write_text("")

    assert detail(project) == "its files changed since it was trusted: second/more.pyc is new"


def test_time_and_size_do_not_stand_for_content(distributions: Distributions, project: Project) -> None:
    path = distributions.add() / "plugin.py"
    trust(project)
    state = path.stat()

    path.write_text(path.read_text().replace("[]", "()"))
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))

    assert path.stat().st_size == state.st_size
    assert detail(project) == "its files changed since it was trusted: third_codex_noisy/plugin.py"


def test_an_entry_point_that_leads_elsewhere_counts(distributions: Distributions, project: Project) -> None:
    distributions.add()
    trust(project)

    distributions.add(points="[codex.plugins]\nnoisy = third_codex_noisy\n")

    assert detail(project).startswith("its files changed since it was trusted: entry point, ")


def test_byte_code_that_lies_beside_the_source_is_not_run(
    distributions: Distributions, project: Project, tmp_path: Path
) -> None:
    path = distributions.add(plugin=STOP + "print('source')\n") / "plugin.py"
    trust(project)
    other, state = tmp_path / "other.py", path.stat()
    other.write_text("raise SystemExit('forged')".ljust(state.st_size))
    os.utime(other, ns=(state.st_atime_ns, state.st_mtime_ns))
    for mode in ("TIMESTAMP", "UNCHECKED_HASH"):
        cached = importlib.util.cache_from_source(str(path))
        py_compile.compile(str(other), cached, str(path), True, invalidation_mode=py_compile.PycInvalidationMode[mode])

        told = turn(project)

        assert "source" in told
        assert "forged" not in told
        assert examined(project) == "noisy: ok\n"


@pytest.mark.parametrize("options", [["--no-plugins"], ["-c", "plugins.noisy.enabled=false"]])
def test_what_is_switched_off_is_not_examined_unless_it_is_trusted(
    distributions: Distributions, project: Project, options: list[str]
) -> None:
    distributions.add(plugin=f"open({str(project.home / 'ran')!r}, 'w')")

    ran = project.run(*options, "plugins", "doctor", "noisy")

    assert ran.stdout == "noisy: not examined, not trusted yet (run: codex plugins trust noisy)\n"
    assert not (project.home / "ran").exists()


def test_the_program_leaves_no_byte_code_beside_what_was_trusted(
    distributions: Distributions, project: Project
) -> None:
    folder = distributions.add()
    trust(project)

    turn(project)

    assert not (folder / "__pycache__").exists()


def test_a_module_is_imported_late_as_it_was_trusted(distributions: Distributions, project: Project) -> None:
    folder = distributions.add(plugin=LATE, files={"third_codex_noisy/late.py": "TEXT = 'as trusted'\n"})
    trust(project)

    assert "late as trusted" in turn(project)
    told = turn(project, {"sh": f"echo 'TEXT = \"forged\"' > {folder}/late.py"})

    assert "late forged" not in told
    assert f"ImportError: {folder}/late.py changed since plugin noisy was trusted" in told


def test_a_module_that_came_later_is_not_imported(distributions: Distributions, project: Project) -> None:
    folder = distributions.add(plugin=LATE)
    trust(project)

    told = turn(project, {"sh": f"echo 'TEXT = \"forged\"' > {folder}/late.py"})

    assert "late forged" not in told
    assert f"ImportError: {folder}/late.py was not there when plugin noisy was trusted" in told


def test_a_package_that_stands_in_front_is_not_imported(
    distributions: Distributions, project: Project, tmp_path: Path
) -> None:
    distributions.add()
    trust(project)
    front = tmp_path / "front" / "third_codex_noisy"
    front.mkdir(parents=True)
    (front / "__init__.py").write_text("")
    (front / "plugin.py").write_text("print('forged')")
    (distributions.folder / "a.pth").write_text(f"import sys; sys.path.insert(0, {str(front.parent)!r})\n")

    told = turn(project)

    assert "forged" not in told
    assert "plugin noisy is " in told


def test_a_part_of_a_shared_namespace_belongs_to_its_own_distribution(
    distributions: Distributions, project: Project
) -> None:
    source = "import shared.other, shared.mine.words\n" + STOP + "print('it runs')\n"
    mine = {"shared/mine/__init__.py": "", "shared/mine/words.py": ""}
    distributions.add(plugin=source, files=mine)
    (distributions.folder / "shared" / "other.py").write_text("")
    trust(project)

    (distributions.folder / "shared" / "other.py").write_text("x = 1")
    assert "it runs" in turn(project)
    (distributions.folder / "shared" / "mine" / "words.py").write_text("x = 1")

    assert detail(project) == "its files changed since it was trusted: shared/mine/words.py"


@pytest.mark.parametrize("tool", ["a path file", "a finder"])
def test_the_sources_of_an_editable_install_count(
    distributions: Distributions, project: Project, tmp_path: Path, tool: str
) -> None:
    sources = tmp_path / "sources"
    package = sources / "third_codex_noisy"
    package.mkdir(parents=True)
    (sources / "helper").mkdir()
    (sources / "helper" / "words.py").write_text("")
    installed = distributions.add()
    for path in installed.iterdir():
        path.rename(package / path.name)
    installed.rmdir()
    info = distributions.folder / "codex_noisy-1.0.0.dist-info"
    mapping = {"third_codex_noisy": str(package), "helper": str(sources / "helper")}
    names = ["noisy.pth"] if tool == "a path file" else ["__editable___noisy_1_0_0_finder.py", "noisy.pth"]
    (distributions.folder / names[0]).write_text(f"MAPPING: dict[str, str] = {mapping!r}\n")
    (distributions.folder / "noisy.pth").write_text(f"{sources}\n")
    (info / "RECORD").write_text("".join(f"{name},,\n" for name in (*names, f"{info.name}/METADATA")))
    trust(project)
    (sources / ".pytest_cache").mkdir()
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "plugin.pyc").write_text("")
    assert detail(project) == "enabled"

    (sources / "helper" / "words.py").write_text("x = 1")

    assert detail(project) == "its files changed since it was trusted: helper/words.py"


def test_links_pipes_and_folders_that_contain_themselves_are_no_trap(
    distributions: Distributions, project: Project, tmp_path: Path
) -> None:
    folder = distributions.add()
    os.mkfifo(folder / "pipe")
    (folder / "loop").symlink_to(folder)
    (folder / "gone").symlink_to("nowhere")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "late.py").write_text("")
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    trust(project)

    (tmp_path / "elsewhere" / "late.py").write_text("x = 1")

    assert detail(project) == "its files changed since it was trusted: third_codex_noisy/linked/late.py"


def test_what_was_trusted_by_its_folder_alone_is_asked_about_again(
    distributions: Distributions, project: Project
) -> None:
    distributions.add()
    entry = {"distribution": "codex-noisy", "version": "1.0.0", "sha256": "0", "states": {}}
    project.write({"~/plugins/trust.json": json.dumps({"noisy": entry})})

    assert detail(project) == "what was trusted were not all of its files"


def test_a_module_loads_under_the_guard_as_it_does_without(distributions: Distributions, project: Project) -> None:
    source = "import importlib.resources, inspect, os\nfrom . import part\n" + STOP
    source += "print(importlib.resources.files(__package__).joinpath('words').read_text(), os.path.basename(__file__))"
    source += "\n    print(inspect.getsource(part.three))\n"
    files = {"third_codex_noisy/words": "some words", "third_codex_noisy/part.py": "def three():\n    return 3\n"}
    distributions.add(plugin=source, files=files)
    trust(project)

    told = turn(project)

    assert "some words plugin.py" in told
    assert "return 3" in told
