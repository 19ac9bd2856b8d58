"""Work trees and submodules whose repository the user has opened by name can be committed in."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CODEX = str(Path(sys.executable).with_name("codex"))
COMMIT = "echo 2 >> a && git commit -qam second && echo committed; echo x > .git && echo replaced"
NEEDED = ("sh", "git", "echo")

pytestmark = pytest.mark.skipif(sys.platform != "linux" or shutil.which("git") is None, reason="needs Linux and git")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a linked work tree, and one with a submodule."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CODEX_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    (tmp_path / ".gitconfig").write_text('[user]\nname = a\nemail = a@b\n[protocol "file"]\nallow = always\n')
    for folder in ("repo", "super"):
        (tmp_path / folder).mkdir()
        _git(tmp_path / folder, "init", "-q")
        (tmp_path / folder / "a").write_text("1\n")
        _git(tmp_path / folder, "add", "a")
        _git(tmp_path / folder, "commit", "-qm", "first")
    _git(tmp_path / "repo", "worktree", "add", "-q", "../linked")
    _git(tmp_path / "super", "submodule", "--quiet", "add", "../repo", "sub")
    return tmp_path


def _git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, timeout=30)


@pytest.mark.parametrize("launcher", ["bwrap", "landlock"])
@pytest.mark.parametrize(
    ("work", "opened", "commits"),
    [
        ("linked", "repo/.git", True),
        ("super/sub", "super/.git", True),
        ("super/sub", "super/.git/modules/sub", True),
        ("linked", None, False),
        ("super/sub", None, False),
        ("linked", "repo", False),
        ("super/sub", "super", False),
    ],
)
def test_who_opens_a_repository_can_commit_in_its_work_trees(
    place: Path, launcher: str, work: str, opened: str | None, commits: bool
) -> None:
    roots = [] if opened is None else [str(place / opened)]
    search = os.environ["PATH"]
    if launcher == "landlock":
        programs = place / "programs"
        programs.mkdir()
        for name in NEEDED:
            (programs / name).symlink_to(str(shutil.which(name)))
        search = str(programs)
    elif shutil.which("bwrap") is None:
        pytest.skip("needs bwrap")

    done = subprocess.run(
        [
            CODEX, "sandbox", "linux", "--full-auto", "-c", "sandbox_workspace_write.exclude_slash_tmp=true",
            "-c", f"sandbox_workspace_write.writable_roots={json.dumps(roots)}", "--", "sh", "-c", COMMIT,
        ],
        cwd=place / work,
        env={**os.environ, "PATH": search},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )  # fmt: skip

    assert done.stdout == ("committed\n" if commits else "")
