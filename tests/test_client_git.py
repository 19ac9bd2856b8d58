"""Clients of ``codex app-server`` ask what a work tree changes on its remote repository."""

from __future__ import annotations

import os
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from app_server_client import ServerProcess

pytestmark = pytest.mark.anyio

NAMED = ("-c", "user.name=a", "-c", "user.email=a@b")


def git(cwd: Path, *arguments: str) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    ran = subprocess.run(["git", *NAMED, *arguments], cwd=cwd, check=True, capture_output=True, text=True, env=kept)
    return ran.stdout.strip()


@pytest.fixture
def space(tmp_path: Path) -> Path:
    """Return a work tree whose remote has its first commit."""
    path = tmp_path / "ws"
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "origin.git")
    git(tmp_path, "init", "-q", "-b", "main", str(path))
    (path / "file").write_text("one\n")
    git(path, "add", ".")
    git(path, "commit", "-qm", "1")
    git(path, "remote", "add", "origin", str(tmp_path / "origin.git"))
    git(path, "push", "-q", "-u", "origin", "main")
    return path


@pytest.fixture
async def client(tmp_path: Path, space: Path) -> AsyncIterator[ServerProcess]:
    async with ServerProcess(tmp_path) as found:
        yield found


async def test_changes_commits_and_new_files_are_told(client: ServerProcess, space: Path, tmp_path: Path) -> None:
    base = git(space, "rev-parse", "HEAD")
    assert await client.call("gitDiffToRemote", cwd=str(space)) == {"sha": base, "diff": ""}
    (space / "file").write_text("one\ntwo\n")
    git(space, "commit", "-qam", "2")
    git(space, "checkout", "-q", "-b", "other")
    (space / "file").write_text("one\ntwo\nthree\n")
    (space / "new").write_text("n\n")
    (space / "bytes").write_bytes(b"\0\xff")
    (space / "ignored").touch()
    (space / ".gitignore").write_text("ignored\n.gitignore\n")
    (space / "below").mkdir()

    for cwd in (str(space), ".", f"{space}/below"):
        found = await client.call("gitDiffToRemote", cwd=cwd)
        assert found["sha"] == base

    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(tmp_path / "origin.git"), str(clone), "-b", "main")
    (tmp_path / "diff").write_text(found["diff"])
    git(clone, "apply", str(tmp_path / "diff"))
    assert {path.name: path.read_bytes() for path in clone.iterdir() if path.is_file()} == {
        "file": b"one\ntwo\nthree\n", "new": b"n\n", "bytes": b"\0\xff"
    }  # fmt: skip


async def test_without_a_commit_that_the_remote_has_there_is_no_answer(client: ServerProcess, tmp_path: Path) -> None:
    alone = tmp_path / "alone"
    alone.mkdir()
    git(alone, "init", "-q")
    (alone / "file").touch()
    git(alone, "add", ".")
    git(alone, "commit", "-qm", "1")
    (tmp_path / "none").mkdir()

    for cwd in (alone, tmp_path / "none", tmp_path / "missing", tmp_path / 'q"uote'):
        quoted = str(cwd).replace('"', '\\"')
        refusal = await client.refusal("gitDiffToRemote", cwd=str(cwd))
        assert refusal == (-32600, f'failed to compute git diff to remote for cwd: "{quoted}"')


async def test_nothing_that_the_repository_names_is_executed(
    client: ServerProcess, space: Path, tmp_path: Path
) -> None:
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\necho $0 $@ >> {tmp_path}/sprung\ncat\n")
    trap.chmod(0o755)
    for key in (
        "core.fsmonitor", "core.pager", "core.editor", "core.sshCommand", "core.askPass", "diff.external",
        "diff.trap.command", "diff.trap.textconv", "filter.trap.clean", "filter.trap.smudge", "filter.trap.process",
        "filter.odd=name. x.clean", "alias.diff", "pager.diff", "gpg.program", "credential.helper",
    ):  # fmt: skip
        git(space, "config", key, str(trap))
    git(space, "config", "filter.trap.required", "true")
    git(space, "config", "core.hooksPath", str(tmp_path / "hooks"))
    (tmp_path / "hooks").mkdir()
    for hook in ("post-index-change", "reference-transaction", "pre-auto-gc", "fsmonitor-watchman"):
        (tmp_path / "hooks" / hook).symlink_to(trap)
        (space / ".git/hooks").mkdir(exist_ok=True)
        (space / ".git/hooks" / hook).symlink_to(trap)
    (space / ".gitattributes").write_text("* diff=trap filter=trap\nfile filter=odd=name. x\n")
    (space / "file").write_text("changed\n")
    (space / "new").write_text("n\n")

    found = await client.call("gitDiffToRemote", cwd=str(space))

    assert "+changed" in found["diff"]
    assert "+n" in found["diff"]
    assert not (tmp_path / "sprung").exists()


async def test_commands_of_a_submodule_are_not_executed(client: ServerProcess, space: Path, tmp_path: Path) -> None:
    git(space, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(tmp_path / "origin.git"), "module")
    git(space, "commit", "-qm", "module")
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n")
    trap.chmod(0o755)
    git(space / "module", "config", "core.fsmonitor", str(trap))
    git(space / "module", "config", "filter.trap.clean", str(trap))
    (space / "module/.gitattributes").write_text("* filter=trap\n")
    (space / "module/file").write_text("changed\n")
    git(space, "config", "diff.submodule", "diff")
    (tmp_path / "sprung").unlink(missing_ok=True)

    found = await client.call("gitDiffToRemote", cwd=str(space))

    assert "Subproject commit" in found["diff"]
    assert not (tmp_path / "sprung").exists()


async def test_too_many_new_files_give_no_answer(client: ServerProcess, space: Path) -> None:
    for number in range(600):
        (space / str(number)).touch()

    code, _ = await client.refusal("gitDiffToRemote", cwd=str(space))

    assert code == -32600
