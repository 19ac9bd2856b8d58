"""Files of this machine: what a write preserves, what is refused; facts of the machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from codex_exec_local import plugin
from codex_exec_local.environment import LocalEnvironment
from codex_exec_local.facts import find_facts
from codex_exec_local.files import LocalFileSystem
from codex_hookspecs.errors import FileSystemError

pytestmark = pytest.mark.anyio


@pytest.fixture
def files() -> Iterator[LocalFileSystem]:
    files = LocalFileSystem()
    yield files
    files.close()


async def test_a_write_keeps_the_mode(files: LocalFileSystem, tmp_path: Path) -> None:
    script = tmp_path / "run.sh"
    script.write_text("old")
    script.chmod(0o751)

    await files.write_file(str(script), b"new")

    assert script.read_text() == "new"
    assert script.stat().st_mode & 0o7777 == 0o751


async def test_a_write_creates_new_files_with_the_umask(files: LocalFileSystem, tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        await files.write_file(str(tmp_path / "new"), b"")
    finally:
        os.umask(old)

    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o640


async def test_a_write_keeps_hard_links(files: LocalFileSystem, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    (tmp_path / "b").hardlink_to(tmp_path / "a")

    await files.write_file(str(tmp_path / "a"), b"new")

    assert (tmp_path / "b").read_text() == "new"


async def test_a_write_through_a_dangling_link_creates_its_target(files: LocalFileSystem, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("target")

    await files.write_file(str(tmp_path / "link"), b"x")

    assert (tmp_path / "target").read_text() == "x"
    assert (tmp_path / "link").is_symlink()


async def test_a_failed_write_leaves_the_old_file(files: LocalFileSystem, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")

    with pytest.raises(TypeError):
        await files.write_file(str(tmp_path / "a"), "text")  # type: ignore[arg-type]

    assert (tmp_path / "a").read_text() == "old"
    assert os.listdir(tmp_path) == ["a"]


async def test_devices_are_written_in_place(files: LocalFileSystem) -> None:
    await files.write_file("/dev/null", b"x")

    assert not (await files.metadata("/dev/null")).is_file


async def test_a_fifo_is_not_read(files: LocalFileSystem, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")

    with pytest.raises(FileSystemError, match="is not a file"):
        await files.read_file(str(tmp_path / "fifo"))


async def test_a_fifo_is_not_copied(files: LocalFileSystem, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")

    with pytest.raises(FileSystemError, match="can't be copied"):
        await files.copy(str(tmp_path / "fifo"), str(tmp_path / "other"))


async def test_a_copy_keeps_the_mode(files: LocalFileSystem, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    (tmp_path / "a").chmod(0o700)

    await files.copy(str(tmp_path / "a"), str(tmp_path / "b"))

    assert (tmp_path / "b").stat().st_mode & 0o777 == 0o700


async def test_a_path_with_a_null_is_refused(files: LocalFileSystem) -> None:
    with pytest.raises(FileSystemError, match="can't be used"):
        await files.read_file("/tmp/a\0b")


def test_the_shell_is_the_account_s_or_one_that_exists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("codex_exec_local.facts._account_entry", lambda: ("/home/x", "/usr/sbin/nologin"))

    assert find_facts({"SHELL": "/bin/sh"}).shell == "/bin/sh"
    assert Path(find_facts({"SHELL": "/no/shell"}).shell).exists()


def test_home_and_temporary_directory_follow_the_environment() -> None:
    found = find_facts({"HOME": "/a/home", "TMPDIR": "/a/tmp"})

    assert (found.home, found.temporary_directory) == ("/a/home", "/a/tmp")
    assert find_facts({"TMPDIR": "relative"}).temporary_directory == "/tmp"


async def test_the_environment_describes_itself() -> None:
    class Host:
        environ = dict(os.environ)

    [provider] = plugin.environments(host=Host())  # type: ignore[arg-type]
    environment = await provider.open()
    facts = await environment.facts()

    assert (provider.id, provider.default, environment.id, environment.remote) == ("local", True, "local", False)
    assert isinstance(environment, LocalEnvironment)
    assert facts.os == {"linux": "linux", "darwin": "macos"}[sys.platform]
    assert facts is await environment.facts()
