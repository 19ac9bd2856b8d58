"""Open files: their descriptors, and which files can't be opened."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from codex_exec_local.files import LocalFileSystem
from codex_hookspecs.errors import FileSystemError

pytestmark = pytest.mark.anyio


@pytest.fixture
def files() -> LocalFileSystem:
    return LocalFileSystem()


async def test_closing_closes_the_descriptor_once(files: LocalFileSystem, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    before = len(os.listdir("/proc/self/fd"))
    file = await files.open(f"{tmp_path}/a")

    await file.aclose()
    await file.aclose()

    assert len(os.listdir("/proc/self/fd")) == before
    with pytest.raises(FileSystemError, match=r"Bad file descriptor \(os error 9\)"):
        await file.read(0, 1)


@pytest.mark.parametrize("replace", [False, True])
async def test_opening_a_pipe_fails_without_blocking(files: LocalFileSystem, tmp_path: Path, replace: bool) -> None:
    os.mkfifo(tmp_path / "pipe")
    before = len(os.listdir("/proc/self/fd"))

    with pytest.raises(FileSystemError):
        await files.open(f"{tmp_path}/pipe", replace=replace)

    assert len(os.listdir("/proc/self/fd")) == before


async def test_an_open_file_is_not_affected_by_a_replacement(files: LocalFileSystem, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("first")
    file = await files.open(f"{tmp_path}/a")

    await files.write_file(f"{tmp_path}/a", b"second")

    assert await file.read(0, 10) == b"first"
    await file.aclose()
