"""Commit, branch and origin are read from git's files, as git itself tells them."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import pytest

from codex_hookspecs.protocol import GitInfo, ThreadSettings, uuid7
from codex_hookspecs.storage import ThreadMeta
from codex_testkit.memory.files import MemoryFileSystem
from codex_testkit.suites._store_samples import VERSION, settings, turn
from codex_thread_store.git_facts import origin_url, parse_packed_commit, read_git_info
from codex_thread_store.store import RolloutStore

pytestmark = pytest.mark.anyio

URL = "https://example.com/r.git"


def git(folder: Path, *args: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main")
    done = subprocess.run(["git", *who, *args], cwd=folder, check=True, capture_output=True, text=True, timeout=30)
    return done.stdout.strip()


def loaded(folder: Path) -> MemoryFileSystem:
    """Return a machine in memory with everything below a directory of this one."""
    return MemoryFileSystem({str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()})


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    path = tmp_path / "r"
    path.mkdir()
    git(path, "init", "-q")
    git(path, "commit", "-q", "--allow-empty", "-m", "one")
    git(path, "remote", "add", "origin", URL)
    (path / "sub").mkdir()
    (path / "sub/file").write_text("x")
    return path


async def test_a_work_tree_is_described(repository: Path) -> None:
    expected = GitInfo(git(repository, "rev-parse", "HEAD"), "main", origin_url=URL)

    assert await read_git_info(loaded(repository), str(repository / "sub")) == expected


async def test_packed_references_are_read(repository: Path) -> None:
    git(repository, "pack-refs", "--all")

    found = await read_git_info(loaded(repository), str(repository))

    assert found == GitInfo(git(repository, "rev-parse", "HEAD"), "main", origin_url=URL)


async def test_a_detached_head_has_no_branch(repository: Path) -> None:
    git(repository, "checkout", "-q", "--detach")

    found = await read_git_info(loaded(repository), str(repository))

    assert found == GitInfo(git(repository, "rev-parse", "HEAD"), origin_url=URL)


async def test_a_linked_work_tree_has_its_own_branch(repository: Path, tmp_path: Path) -> None:
    git(repository, "worktree", "add", "-q", "-b", "feature/x", str(tmp_path / "linked"))

    found = await read_git_info(loaded(tmp_path), str(tmp_path / "linked"))

    assert found == GitInfo(git(repository, "rev-parse", "HEAD"), "feature/x", origin_url=URL)


async def test_a_repository_without_a_commit_tells_what_it_has(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")

    assert await read_git_info(loaded(tmp_path), str(tmp_path)) == GitInfo()


async def test_outside_of_a_work_tree_there_is_nothing_to_tell() -> None:
    assert await read_git_info(MemoryFileSystem({"/w/a": ""}), "/w") is None
    assert await read_git_info(MemoryFileSystem({"/w/.git": "strange"}), "/w") is None


def test_only_the_origin_counts() -> None:
    config = '[remote "fork"]\n\turl = f\n[remote  "origin"]\n\tfetch = x\n\tURL = "o"\n\turl = second\n[x]\nurl = n\n'

    assert origin_url(config) == "o"
    assert origin_url("") is None
    assert parse_packed_commit("# pack-refs\naaa refs/heads/m\n^bbb\n", "refs/heads/x") is None


async def test_a_new_thread_is_stored_with_the_facts_of_its_work_tree(tmp_path: Path, repository: Path) -> None:
    machine = loaded(repository)

    async def files(_settings: ThreadSettings) -> MemoryFileSystem:
        return machine

    store = RolloutStore(str(tmp_path / "home"), warn=print, files=files)
    meta = ThreadMeta(thread_id=uuid7(), settings=settings(cwd=str(repository)), created_at_ms=0, cli_version=VERSION)
    writer = await store.create(meta)
    await writer.append(turn("t1", "a", "b"))
    await writer.aclose()

    stored = await store.read(meta.thread_id)
    await store.aclose()

    assert stored.thread.git_info == GitInfo(git(repository, "rev-parse", "HEAD"), "main", origin_url=URL)


async def test_records_that_come_while_the_file_is_made_follow_in_order(tmp_path: Path) -> None:
    may_go_on = asyncio.Event()

    async def files(_settings: ThreadSettings) -> MemoryFileSystem:
        await may_go_on.wait()
        return MemoryFileSystem()

    store = RolloutStore(str(tmp_path), warn=print, files=files)
    meta = ThreadMeta(thread_id=uuid7(), settings=settings(), created_at_ms=0, cli_version=VERSION)
    writer = await store.create(meta)
    tasks = [asyncio.create_task(writer.append(turn(f"t{number}", "a", "b"))) for number in range(3)]
    await asyncio.sleep(0)
    may_go_on.set()
    await asyncio.gather(*tasks)
    await writer.aclose()

    stored = await store.read(meta.thread_id)
    await store.aclose()

    assert [turn.id for turn in stored.thread.turns] == ["t0", "t1", "t2"]
    assert len(stored.history) == 6
