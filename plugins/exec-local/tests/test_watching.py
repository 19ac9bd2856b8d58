"""Watched paths of this machine."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from codex_exec_local import atomic_write
from codex_exec_local.files import LocalFileSystem
from codex_exec_local.inotify import Inotify
from codex_exec_local.watching import MAX_CHANGES

pytestmark = pytest.mark.anyio

LIMIT = 20
Seen = Callable[..., Awaitable[set[str]]]


@pytest.fixture(params=["inotify", "polling"])
async def files(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LocalFileSystem]:
    if request.param == "polling":
        monkeypatch.setattr(Inotify, "_open", lambda _: False)
        monkeypatch.setattr("codex_exec_local.watching.LOOK_SECONDS", 0.05)
    local = LocalFileSystem()
    yield local
    local.close()


async def seen_after(watch: Any, change: Callable[[], Any]) -> set[str]:
    """Return what is reported after a change, up to the change of a file that marks the end."""
    await asyncio.sleep(0.1)
    change()
    async with asyncio.timeout(LIMIT):
        return set(await watch.changed(settle=0.3))


async def test_a_directory_reports_its_direct_children(files: LocalFileSystem, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    watch = await files.watch(str(tmp_path))

    def change() -> None:
        (tmp_path / "new").write_text("1")
        (tmp_path / "deep/below").write_text("1")

    found = await seen_after(watch, change)
    await watch.aclose()

    assert str(tmp_path / "new") in found
    assert found <= {str(tmp_path / "new"), str(tmp_path / "deep")}


async def test_a_file_that_has_no_name_yet_is_not_reported(files: LocalFileSystem, tmp_path: Path) -> None:
    watch = await files.watch(str(tmp_path))

    def change() -> None:
        atomic_write.write(str(tmp_path / "new"), b"1")
        (tmp_path / "#7").write_text("this one has a name")

    found = await seen_after(watch, change)
    await watch.aclose()

    assert found == {str(tmp_path / "new"), str(tmp_path / "#7")}


async def test_a_file_is_followed_over_replacement_removal_and_return(files: LocalFileSystem, tmp_path: Path) -> None:
    path, other = tmp_path / "file", tmp_path / "other"
    path.write_text("1")
    watch = await files.watch(str(path))

    def replace() -> None:
        other.write_text("longer")
        os.replace(other, path)

    changes = [lambda: path.write_text("2"), replace, lambda: path.write_text("longest"), path.unlink, path.touch]
    for change in changes:
        assert await seen_after(watch, change) == {str(path)}
    await watch.aclose()


async def test_a_missing_path_may_appear_with_its_parents(files: LocalFileSystem, tmp_path: Path) -> None:
    path = tmp_path / "a/b/file"
    watch = await files.watch(str(path))

    def make() -> None:
        path.parent.mkdir(parents=True)
        path.touch()

    found = await seen_after(watch, make)
    await watch.aclose()

    assert found == {str(path)}


async def test_a_link_reports_changes_of_its_target_under_its_own_name(files: LocalFileSystem, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    (tmp_path / "link").symlink_to("target")
    watch = await files.watch(str(tmp_path / "link"))

    found = await seen_after(watch, (target / "new").touch)
    await watch.aclose()

    assert found == {str(tmp_path / "link/new")}


async def test_two_watches_of_a_directory_are_both_told(files: LocalFileSystem, tmp_path: Path) -> None:
    first, second = await files.watch(str(tmp_path)), await files.watch(str(tmp_path))

    assert await seen_after(first, (tmp_path / "new").touch) == {str(tmp_path / "new")}
    async with asyncio.timeout(LIMIT):
        assert await second.changed() == {str(tmp_path / "new")}
    await first.aclose()
    assert await seen_after(second, (tmp_path / "more").touch) == {str(tmp_path / "more")}
    await second.aclose()


async def test_a_removed_directory_is_reported(files: LocalFileSystem, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    watch = await files.watch(str(folder))

    assert await seen_after(watch, folder.rmdir) == {str(folder)}
    await watch.aclose()


async def test_closed_watches_leave_no_descriptor_open(tmp_path: Path) -> None:
    local = LocalFileSystem()
    before = len(os.listdir("/proc/self/fd"))

    watches = [await local.watch(str(tmp_path)) for _ in range(50)]
    assert len(os.listdir("/proc/self/fd")) == before + 1
    for watch in watches:
        await watch.aclose()
        await watch.aclose()

    assert len(os.listdir("/proc/self/fd")) == before
    local.close()


async def test_very_many_changes_are_reported_as_one_of_the_directory(tmp_path: Path) -> None:
    local = LocalFileSystem()
    watch = await local.watch(str(tmp_path))

    for number in range(MAX_CHANGES + 10):
        (tmp_path / str(number)).touch()
        if number % 1000 == 0:
            await asyncio.sleep(0)
    found: set[str] = set()
    async with asyncio.timeout(LIMIT):
        while str(tmp_path) not in found:
            found = set(await watch.changed(settle=0.5))

    assert len(found) < MAX_CHANGES
    await watch.aclose()
    local.close()
