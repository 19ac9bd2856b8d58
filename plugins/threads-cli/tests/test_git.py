"""Patches are applied by git whole or not at all, and whatever a repository says, nothing of it is run."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from codex_threads_cli.git import ApplyError, git_apply
from codex_threads_cli.patch import Change, PatchProblem, git_patch


@pytest.fixture
def place(tmp_path: Path) -> Path:
    folder = tmp_path / "here"
    (folder / "in").mkdir(parents=True)
    (folder / "a.txt").write_text("one\ntwo\nthree\n")
    (folder / "in" / "old.txt").write_text("x\ny\n")
    return folder


def apply(place: Path, *changes: Change, here: str = "") -> str:
    folder = str(place / here)
    patch = git_patch(changes, made_in="/there", here=folder, root=str(place))
    return git_apply(patch.data, str(place), os.environ)


def test_files_are_added_updated_moved_and_deleted(place: Path) -> None:
    told = apply(
        place,
        Change(path='/there/new/ü "q".txt', kind="add", diff="no end of line"),
        Change(path="/there/a.txt", kind="update", diff="@@ -1,3 +1,3 @@\n one\n-two\n+TWO\n three\n"),
        Change(
            path="/there/in/old.txt",
            kind="update",
            moved_to="/there/in/new.txt",
            diff="@@ -1,2 +1,2 @@\n-x\n+X\n y\n\n\nMoved to: /there/in/new.txt",
        ),
    )

    assert told == ""
    assert (place / "new" / 'ü "q".txt').read_text() == "no end of line"
    assert (place / "a.txt").read_text() == "one\nTWO\nthree\n"
    assert (place / "in" / "new.txt").read_text() == "X\ny\n"
    assert not (place / "in" / "old.txt").exists()
    assert apply(place, Change(path="/there/in/new.txt", kind="delete", diff="X\ny\n")) == ""
    assert not (place / "in" / "new.txt").exists()


def test_one_file_can_be_changed_several_times(place: Path) -> None:
    told = apply(
        place,
        Change(path="/there/b", kind="add", diff="1\n"),
        Change(path="/there/b", kind="update", diff="@@ -1,1 +1,1 @@\n-1\n+2\n"),
    )

    assert (told, (place / "b").read_text()) == ("", "2\n")


def test_nothing_is_changed_when_one_change_does_not_fit(place: Path) -> None:
    told = apply(
        place,
        Change(path="/there/b", kind="add", diff="1\n"),
        Change(path="/there/a.txt", kind="update", diff="@@ -1,1 +1,1 @@\n-other\n+2\n"),
    )

    assert "a.txt: patch does not apply" in told
    assert not (place / "b").exists()


def test_paths_are_taken_from_the_directory_of_the_session(place: Path) -> None:
    assert apply(place, Change(path="/there/b", kind="add", diff="1\n"), here="in") == ""
    assert apply(place, Change(path="/b", kind="add", diff="1\n"), here="in") == ""

    assert ((place / "in" / "b").exists(), (place / "b").exists()) == (True, True)
    with pytest.raises(PatchProblem, match="which is outside of"):
        apply(place, Change(path="/etc/passwd", kind="add", diff="1\n"))


def test_a_link_out_of_the_directory_is_not_followed(place: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (place / "link").symlink_to(tmp_path / "outside")

    assert "beyond a symbolic link" in apply(place, Change(path="/there/link/b", kind="add", diff="1\n"))
    assert list((tmp_path / "outside").iterdir()) == []


def test_no_program_that_a_repository_names_is_run(place: Path, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\necho run >> {ran}\ncat\n")
    program.chmod(0o755)
    subprocess.run(["git", "init", "-q", str(place)], check=True)
    for key in ("filter.evil.clean", "filter.evil.smudge", "core.fsmonitor", "diff.external", "core.pager"):
        subprocess.run(["git", "-C", str(place), "config", key, str(program)], check=True)
    subprocess.run(["git", "-C", str(place), "config", "filter.evil.required", "true"], check=True)
    (place / ".gitattributes").write_text("* filter=evil\n")
    hooks = place / ".git" / "hooks"
    for name in ("applypatch-msg", "pre-applypatch", "post-applypatch", "post-index-change"):
        (hooks / name).write_text(program.read_text())
        (hooks / name).chmod(0o755)

    told = apply(place, Change(path="/there/a.txt", kind="update", diff="@@ -1,3 +1,3 @@\n-one\n+ONE\n two\n three\n"))

    assert (told, ran.exists()) == ("", False)
    assert (place / "a.txt").read_text().startswith("ONE\n")


def test_a_missing_git_is_told(place: Path) -> None:
    with pytest.raises(ApplyError, match="git is not installed"):
        git_apply(b"", str(place), {"PATH": str(place)})
