"""Which files are listed."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Event

import pytest

from codex_file_search import tree_walk
from codex_file_search.tree_walk import walk


def listed(root: Path) -> list[str]:
    return sorted(entry.path for entry in walk(str(root), Event()))


def write(root: Path, *paths: str, **content: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("")
    for name, text in content.items():
        (root / name.replace("_", ".", 1)).write_text(text)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    write(tmp_path, ".git/HEAD", ".git/info/exclude")
    return tmp_path


def test_files_and_directories_are_listed_hidden_ones_too(tmp_path: Path) -> None:
    write(tmp_path, "a/b/c", ".hidden/d", "node_modules/e", ".git/config")

    assert listed(tmp_path) == [".hidden", ".hidden/d", "a", "a/b", "a/b/c", "node_modules", "node_modules/e"]
    assert {entry.path for entry in walk(str(tmp_path), Event()) if entry.directory} == {
        ".hidden", "a", "a/b", "node_modules"
    }  # fmt: skip


def test_what_a_repository_ignores_is_left_out(repository: Path) -> None:
    (repository / ".git/info/exclude").write_text("excluded\n")
    write(repository, "a/x.log", "a/keep.log", "build/x", "a/build", "excluded", "sub/x.log", "sub/y.txt")
    (repository / ".gitignore").write_text("*.log\n!keep.log\n/build/\n")
    (repository / "sub/.gitignore").write_text("!x.log\n*.txt\n")

    assert listed(repository) == [".gitignore", "a", "a/build", "a/keep.log", "sub", "sub/.gitignore", "sub/x.log"]


def test_the_rules_above_the_root_hold_up_to_the_repository(repository: Path) -> None:
    write(repository, "inner/top/a.log", "inner/top/b.txt", "inner/top/c")
    (repository / ".gitignore").write_text("*.log\n")
    (repository / "inner/.gitignore").write_text("/top/*.txt\n")

    assert listed(repository / "inner/top") == ["c"]


def test_the_root_of_a_search_is_never_ignored(repository: Path) -> None:
    write(repository, "build/a.log", "build/proj/src/aaa.txt", "build/build/b", "sub/skip/c", "foo/x/d", "bar/q/z/e")
    (repository / ".gitignore").write_text("build\n*.log\n/sub/skip/\nfoo/*\nbar/q/**\n")

    assert listed(repository / "build") == ["proj", "proj/src", "proj/src/aaa.txt"]
    assert listed(repository / "build/proj/src") == ["aaa.txt"]
    assert listed(repository / "sub/skip") == ["c"]
    assert listed(repository / "foo") == []
    assert listed(repository / "foo/x") == ["d"]
    assert listed(repository / "bar/q/z") == []


def test_outside_of_a_repository_only_the_rules_for_all_tools_hold(tmp_path: Path) -> None:
    write(tmp_path, "a.log", "b.tmp", "inner/.git/HEAD", "inner/c.log", "inner/d.tmp", "inner/e")
    for place in (tmp_path, tmp_path / "inner"):
        (place / ".gitignore").write_text("*.log\n")
    (tmp_path / ".ignore").write_text("*.tmp\n")

    assert listed(tmp_path) == [".gitignore", ".ignore", "a.log", "inner", "inner/.gitignore", "inner/e"]


def test_symbolic_links_are_followed_without_end(tmp_path: Path) -> None:
    write(tmp_path, "real/file")
    (tmp_path / "real/back").symlink_to("..")
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "other").symlink_to("real")
    (tmp_path / "loop").symlink_to("loop")

    found = listed(tmp_path)

    assert {"real/file", "link/file", "loop", "other", "real/back"} <= set(found)
    assert len(found) < 20


def test_odd_rules_and_names_break_nothing(repository: Path) -> None:
    (repository / ".gitignore").write_bytes(b"\xff\n[\n!\n\\\n***/\n" + b"x" * 10_000)
    (repository / os.fsdecode(b"odd\xff")).touch()
    (repository / "inner").mkdir()
    (repository / "inner/.gitignore").mkdir()
    os.mkfifo(repository / "inner/.ignore")

    assert os.fsdecode(b"odd\xff") in listed(repository)


@pytest.mark.parametrize("path", ["missing", "file"])
def test_a_root_that_is_no_directory_is_empty(tmp_path: Path, path: str) -> None:
    (tmp_path / "file").touch()

    assert walk(str(tmp_path / path), Event()) == []


def test_entries_are_limited_and_a_stopped_walk_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, *(f"{number}/{number}" for number in range(50)))
    monkeypatch.setattr(tree_walk, "MAX_ENTRIES", 20)
    stop = Event()

    assert len(walk(str(tmp_path), stop)) == 20
    stop.set()
    assert walk(str(tmp_path), stop) == []
