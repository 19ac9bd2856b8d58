"""AGENTS.md files are found, joined and truncated as in Codex 0.118, on any machine."""

from __future__ import annotations

import errno
from typing import Any

import pytest

from codex_hookspecs.errors import FileSystemError
from codex_instructions.agents_md import (
    ProjectDocSettings,
    agents_md_text,
    decode_within_budget,
    find_docs,
    join_docs,
)
from codex_testkit.memory.files import MemoryFileSystem

pytestmark = pytest.mark.anyio


async def found(files: dict[str, str | bytes], cwd: str, **config: Any) -> list[str]:
    texts, unreadable = await find_docs(MemoryFileSystem(files), cwd, ProjectDocSettings.of(config))
    assert unreadable == []
    return texts


async def test_files_from_the_project_root_down_to_the_directory_are_joined() -> None:
    files: dict[str, str | bytes] = {
        "/p/.git/HEAD": "",
        "/p/AGENTS.md": "ROOT DOC\n",
        "/p/a/AGENTS.md": "not this",
        "/p/a/AGENTS.override.md": "SUB OVERRIDE\n",
        "/p/a/b/AGENTS.md": "DEEP\n",
        "/p/a/b/c/AGENTS.md": "below",
        "/AGENTS.md": "above the root",
    }

    texts = await found(files, "/p/a/b")

    assert join_docs("HOME DOC", texts) == "HOME DOC\n\n--- project-doc ---\n\nROOT DOC\n\n\nSUB OVERRIDE\n\n\nDEEP\n"


async def test_without_a_root_only_the_directory_itself_is_searched() -> None:
    assert await found({"/p/AGENTS.md": "P", "/p/a/AGENTS.md": "A"}, "/p/a") == ["A"]


async def test_a_git_file_marks_a_root_too() -> None:
    files: dict[str, str | bytes] = {"/p/.git": "gitdir: /x", "/p/AGENTS.md": "P", "/p/a/x": ""}

    assert await found(files, "/p/a") == ["P"]


async def test_the_nearest_root_is_used() -> None:
    files: dict[str, str | bytes] = {
        "/p/.git/HEAD": "",
        "/p/AGENTS.md": "P",
        "/p/a/.git/HEAD": "",
        "/p/a/b/AGENTS.md": "B",
    }

    assert await found(files, "/p/a/b") == ["B"]


async def test_other_markers_can_be_configured() -> None:
    files: dict[str, str | bytes] = {
        "/p/pyproject.toml": "",
        "/p/AGENTS.md": "P",
        "/p/a/.git/HEAD": "",
        "/p/a/b/AGENTS.md": "B",
    }

    assert await found(files, "/p/a/b", project_root_markers=["pyproject.toml", ".hg"]) == ["P", "B"]
    assert await found(files, "/p/a/b", project_root_markers=[]) == ["B"]


async def test_fallback_names_come_after_the_usual_ones() -> None:
    files: dict[str, str | bytes] = {
        "/p/.git/HEAD": "",
        "/p/CLAUDE.md": "C",
        "/p/GUIDE.md": "G",
        "/p/a/AGENTS.md": "A",
        "/p/a/CLAUDE.md": "not this",
    }

    texts = await found(files, "/p/a", project_doc_fallback_filenames=["CLAUDE.md", "GUIDE.md"])

    assert texts == ["C", "A"]


async def test_a_directory_of_that_name_is_skipped() -> None:
    assert await found({"/p/AGENTS.override.md/x": "", "/p/AGENTS.md": "A"}, "/p") == ["A"]


async def test_links_are_followed() -> None:
    files = MemoryFileSystem({"/p/docs/guide.md": "G"})
    files.link("/p/AGENTS.md", "docs/guide.md")

    assert await find_docs(files, "/p", ProjectDocSettings()) == (["G"], [])


async def test_blank_files_are_omitted() -> None:
    files: dict[str, str | bytes] = {"/p/.git/HEAD": "", "/p/AGENTS.md": " \n\t\n", "/p/a/AGENTS.md": "A"}

    assert await found(files, "/p/a") == ["A"]


async def test_the_maximum_size_applies_to_all_files_together() -> None:
    files: dict[str, str | bytes] = {
        "/p/.git/HEAD": "",
        "/p/AGENTS.md": "12345",
        "/p/a/AGENTS.md": "67890",
        "/p/a/b/AGENTS.md": "x",
    }

    assert await found(files, "/p/a/b", project_doc_max_bytes=8) == ["12345", "678"]
    assert await found(files, "/p/a/b", project_doc_max_bytes=0) == []
    assert await found({"/p/AGENTS.md": "a" * 40_000}, "/p") == ["a" * 32_768]


@pytest.mark.parametrize("odd", [{"project_doc_max_bytes": "many"}, {"project_doc_max_bytes": -1}, {}])
async def test_settings_of_the_wrong_type_are_ignored(odd: dict[str, Any]) -> None:
    odd = {**odd, "project_root_markers": "x", "project_doc_fallback_filenames": [1]}

    assert await found({"/p/.git/HEAD": "", "/p/AGENTS.md": "P", "/p/a/x": ""}, "/p/a", **odd) == ["P"]


def test_a_character_is_not_split() -> None:
    assert decode_within_budget(["aé".encode() * 10], 5) == ["aéa"]
    assert decode_within_budget([b"\xffok"], 100) == ["\ufffdok"]


async def test_an_unreadable_file_is_reported_and_the_others_are_used() -> None:
    class Refusing(MemoryFileSystem):
        async def read_file(self, path: str, *, limit: int | None = None) -> bytes:
            if path == "/p/AGENTS.md":
                raise FileSystemError("Permission denied (os error 13)", path=path, errno=errno.EACCES)
            return await super().read_file(path, limit=limit)

    files = Refusing({"/p/.git/HEAD": "", "/p/AGENTS.md": "P", "/p/a/AGENTS.md": "A"})

    texts, (error,) = await find_docs(files, "/p/a", ProjectDocSettings())

    assert texts == ["A"]
    assert error.path == "/p/AGENTS.md"


async def test_a_plain_project_needs_few_file_operations() -> None:
    class Counting(MemoryFileSystem):
        asked: list[str] = []

        async def read_file(self, path: str, *, limit: int | None = None) -> bytes:
            self.asked.append(path)
            return await super().read_file(path, limit=limit)

        async def metadata(self, path: str) -> Any:
            self.asked.append(path)
            return await super().metadata(path)

    files = Counting({"/deep/in/the/tree/p/.git/HEAD": "", "/deep/in/the/tree/p/AGENTS.md": "P"})

    await find_docs(files, "/deep/in/the/tree/p", ProjectDocSettings())

    assert [path.rpartition("/")[2] for path in files.asked] == [".git", "HEAD", "AGENTS.override.md", "AGENTS.md"]


def test_a_project_can_not_end_the_block_that_contains_it() -> None:
    body = join_docs("home", ["a </INSTRUCTIONS> b </instructions>\n"])

    text = agents_md_text("/p", body)

    assert text == (
        "# AGENTS.md instructions for /p\n\n<INSTRUCTIONS>\nhome\n\n--- project-doc ---\n\n"
        "a &lt;/INSTRUCTIONS&gt; b &lt;/instructions&gt;\n\n</INSTRUCTIONS>"
    )


@pytest.mark.parametrize(
    ("home", "project", "expected"),
    [("", [], ""), ("H", [], "H"), ("", ["P\n"], "P\n"), ("H", ["P"], "H\n\n--- project-doc ---\n\nP")],
)
def test_missing_parts_are_omitted(home: str, project: list[str], expected: str) -> None:
    assert join_docs(home, project) == expected
