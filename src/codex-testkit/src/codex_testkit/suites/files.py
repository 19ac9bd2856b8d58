"""Contract suite for file systems, to be subclassed.

A subclass defines the fixtures ``files`` and ``folder``, an empty directory, and overrides ``link`` to create symbolic
links.
"""

from __future__ import annotations

import asyncio
from typing import ClassVar, Final

import pytest

from codex_hookspecs.errors import FileSystemError
from codex_hookspecs.ports.environment import FileSystem
from codex_hookspecs.types.sandbox import SandboxPolicy
from codex_sandboxing.file_scope import PolicyFileScope

LIMIT: Final = 20.0
"""Time limit of a wait in seconds."""
MISSING = r"^No such file or directory \(os error 2\)$"


class FileSystemContract:
    """Read, write, list, copy, remove, watch."""

    pytestmark = pytest.mark.anyio
    watches: ClassVar[bool] = False
    """Whether the file system can watch paths; otherwise it must refuse to."""

    @pytest.fixture
    async def files(self) -> FileSystem:
        """Return the file system to test."""
        pytest.fail("a suite gives the file system it tests")

    @pytest.fixture
    def folder(self) -> str:
        """Return the absolute path of an empty directory, without symbolic links in the path."""
        pytest.fail("a suite gives an empty directory")

    async def link(self, files: FileSystem, path: str, target: str) -> None:
        """Create a symbolic link."""
        pytest.fail("a suite says how links are made")

    async def test_what_was_written_is_read(self, files: FileSystem, folder: str) -> None:
        await files.write_file(f"{folder}/a", b"\x00\xff\n")

        assert await files.read_file(f"{folder}/a") == b"\x00\xff\n"

    async def test_a_write_replaces_the_whole_file(self, files: FileSystem, folder: str) -> None:
        await files.write_file(f"{folder}/a", b"a long text")
        await files.write_file(f"{folder}/a", b"short")

        assert await files.read_file(f"{folder}/a") == b"short"

    async def test_a_write_leaves_nothing_else_behind(self, files: FileSystem, folder: str) -> None:
        await files.write_file(f"{folder}/a", b"1")
        await files.write_file(f"{folder}/a", b"2")

        assert [entry.file_name for entry in await files.read_directory(folder)] == ["a"]

    async def test_a_large_file_is_read_and_written(self, files: FileSystem, folder: str) -> None:
        data = bytes(range(256)) * 20_000

        await files.write_file(f"{folder}/a", data)

        assert await files.read_file(f"{folder}/a") == data

    async def test_a_read_can_be_limited(self, files: FileSystem, folder: str) -> None:
        await files.write_file(f"{folder}/a", b"abcdef")

        assert await files.read_file(f"{folder}/a", limit=4) == b"abcd"

    async def test_reading_what_is_missing_is_an_error(self, files: FileSystem, folder: str) -> None:
        with pytest.raises(FileSystemError, match=MISSING) as caught:
            await files.read_file(f"{folder}/none")

        assert (caught.value.path, caught.value.errno) == (f"{folder}/none", 2)

    async def test_a_directory_is_not_read_as_a_file(self, files: FileSystem, folder: str) -> None:
        with pytest.raises(FileSystemError, match=f"^path `{folder}` is not a file$"):
            await files.read_file(folder)

    async def test_a_write_makes_no_directories(self, files: FileSystem, folder: str) -> None:
        with pytest.raises(FileSystemError, match=MISSING):
            await files.write_file(f"{folder}/none/a", b"x")

    async def test_a_write_does_not_replace_a_directory(self, files: FileSystem, folder: str) -> None:
        await files.create_directory(f"{folder}/d")

        with pytest.raises(FileSystemError, match=r"^Is a directory \(os error 21\)$"):
            await files.write_file(f"{folder}/d", b"x")

    async def test_a_write_through_a_link_keeps_the_link(self, files: FileSystem, folder: str) -> None:
        await files.write_file(f"{folder}/target", b"old")
        await self.link(files, f"{folder}/link", "target")

        await files.write_file(f"{folder}/link", b"new")

        assert await files.read_file(f"{folder}/target") == b"new"
        assert (await files.metadata(f"{folder}/link")).is_symlink

    async def test_an_open_file_is_read_at_any_place(self, files: FileSystem, folder: str) -> None:
        await files.write_file(f"{folder}/a", b"abcdef")

        file = await files.open(f"{folder}/a")
        found = [await file.read(2, 3), await file.read(0, 2), await file.read(4, 10), await file.read(6, 1)]
        await file.aclose()

        assert found == [b"cde", b"ab", b"ef", b""]

    async def test_a_file_is_opened_to_be_written_from_empty_on(self, files: FileSystem, folder: str) -> None:
        await files.write_file(f"{folder}/a", b"a long text")

        file = await files.open(f"{folder}/a", replace=True)
        await file.write(4, b"ef")
        await file.write(0, b"ab")
        await file.aclose()

        assert await files.read_file(f"{folder}/a") == b"ab\0\0ef"

    async def test_a_file_that_is_opened_to_be_written_is_made(self, files: FileSystem, folder: str) -> None:
        file = await files.open(f"{folder}/new", replace=True)
        await file.aclose()
        await file.aclose()

        assert await files.read_file(f"{folder}/new") == b""

    async def test_large_blocks_of_an_open_file_are_read_and_written(self, files: FileSystem, folder: str) -> None:
        data = bytes(range(256)) * 10_000

        file = await files.open(f"{folder}/a", replace=True)
        await file.write(0, data)
        await file.aclose()
        file = await files.open(f"{folder}/a")
        found = await file.read(1, len(data))
        await file.aclose()

        assert found == data[1:]

    async def test_opening_what_is_missing_is_an_error(self, files: FileSystem, folder: str) -> None:
        with pytest.raises(FileSystemError, match=MISSING):
            await files.open(f"{folder}/none")
        with pytest.raises(FileSystemError, match=MISSING):
            await files.open(f"{folder}/none/a", replace=True)

    async def test_a_directory_is_not_opened(self, files: FileSystem, folder: str) -> None:
        with pytest.raises(FileSystemError, match="is not a file"):
            await files.open(folder)

    async def test_directories_are_made_with_their_parents(self, files: FileSystem, folder: str) -> None:
        await files.create_directory(f"{folder}/a/b/c")
        await files.create_directory(f"{folder}/a/b/c")

        assert (await files.metadata(f"{folder}/a/b/c")).is_directory

    async def test_a_single_directory_needs_its_parent(self, files: FileSystem, folder: str) -> None:
        with pytest.raises(FileSystemError, match=MISSING):
            await files.create_directory(f"{folder}/a/b", recursive=False)

    async def test_a_single_directory_must_be_new(self, files: FileSystem, folder: str) -> None:
        await files.create_directory(f"{folder}/a", recursive=False)

        with pytest.raises(FileSystemError, match=r"^File exists \(os error 17\)$"):
            await files.create_directory(f"{folder}/a", recursive=False)

    async def test_metadata_tells_kind_and_size(self, files: FileSystem, folder: str) -> None:
        await files.write_file(f"{folder}/a", b"abc")

        found = await files.metadata(f"{folder}/a")

        assert (found.is_file, found.is_directory, found.is_symlink, found.size) == (True, False, False, 3)
        assert found.modified_at_ms > 0

    async def test_metadata_follows_links(self, files: FileSystem, folder: str) -> None:
        await files.create_directory(f"{folder}/d")
        await self.link(files, f"{folder}/link", "d")

        found = await files.metadata(f"{folder}/link")

        assert (found.is_directory, found.is_symlink) == (True, True)

    async def test_metadata_of_a_dangling_link_is_an_error(self, files: FileSystem, folder: str) -> None:
        await self.link(files, f"{folder}/link", "none")

        with pytest.raises(FileSystemError, match=MISSING):
            await files.metadata(f"{folder}/link")

    async def test_a_path_is_made_canonical(self, files: FileSystem, folder: str) -> None:
        await files.create_directory(f"{folder}/d/e")
        await self.link(files, f"{folder}/link", "d")

        assert await files.canonicalize(f"{folder}/link/e/../e/.") == f"{folder}/d/e"

    async def test_what_is_missing_has_no_canonical_path(self, files: FileSystem, folder: str) -> None:
        with pytest.raises(FileSystemError, match=MISSING):
            await files.canonicalize(f"{folder}/none")

    async def test_a_directory_lists_what_is_there(self, files: FileSystem, folder: str) -> None:
        await files.write_file(f"{folder}/a", b"")
        await files.create_directory(f"{folder}/d")
        await self.link(files, f"{folder}/link", "d")
        await self.link(files, f"{folder}/dangling", "none")

        found = {(e.file_name, e.is_directory, e.is_file) for e in await files.read_directory(folder)}

        assert found == {("a", False, True), ("d", True, False), ("link", True, False)}

    async def test_a_file_is_not_listed(self, files: FileSystem, folder: str) -> None:
        await files.write_file(f"{folder}/a", b"")

        with pytest.raises(FileSystemError, match=r"^Not a directory \(os error 20\)$"):
            await files.read_directory(f"{folder}/a")

    async def test_a_tree_is_removed(self, files: FileSystem, folder: str) -> None:
        await files.create_directory(f"{folder}/a/b")
        await files.write_file(f"{folder}/a/b/c", b"")

        await files.remove(f"{folder}/a")

        assert await files.read_directory(folder) == []

    async def test_removing_what_is_missing_is_fine_only_with_force(self, files: FileSystem, folder: str) -> None:
        await files.remove(f"{folder}/none")

        with pytest.raises(FileSystemError, match=MISSING):
            await files.remove(f"{folder}/none", force=False)

    async def test_a_full_directory_is_not_removed_alone(self, files: FileSystem, folder: str) -> None:
        await files.create_directory(f"{folder}/a/b")

        with pytest.raises(FileSystemError, match=r"^Directory not empty \(os error 39\)$"):
            await files.remove(f"{folder}/a", recursive=False)

    async def test_removing_a_link_leaves_its_target(self, files: FileSystem, folder: str) -> None:
        await files.create_directory(f"{folder}/d")
        await self.link(files, f"{folder}/link", "d")

        await files.remove(f"{folder}/link")

        assert [entry.file_name for entry in await files.read_directory(folder)] == ["d"]

    async def test_a_file_is_copied(self, files: FileSystem, folder: str) -> None:
        await files.write_file(f"{folder}/a", b"x")

        await files.copy(f"{folder}/a", f"{folder}/b")

        assert await files.read_file(f"{folder}/b") == b"x"

    async def test_a_tree_is_copied_into_what_is_there_and_links_stay_links(
        self, files: FileSystem, folder: str
    ) -> None:
        await files.create_directory(f"{folder}/a/sub")
        await files.write_file(f"{folder}/a/sub/x", b"x")
        await self.link(files, f"{folder}/a/link", "sub")
        await files.create_directory(f"{folder}/b/sub")
        await files.write_file(f"{folder}/b/sub/y", b"y")

        await files.copy(f"{folder}/a", f"{folder}/b", recursive=True)

        assert {entry.file_name for entry in await files.read_directory(f"{folder}/b/sub")} == {"x", "y"}
        assert (await files.metadata(f"{folder}/b/link")).is_symlink

    async def test_a_directory_is_copied_only_as_a_tree(self, files: FileSystem, folder: str) -> None:
        await files.create_directory(f"{folder}/a")

        with pytest.raises(FileSystemError, match="recursive"):
            await files.copy(f"{folder}/a", f"{folder}/b")

    async def test_a_tree_is_not_copied_into_itself(self, files: FileSystem, folder: str) -> None:
        await files.create_directory(f"{folder}/a")

        with pytest.raises(FileSystemError, match="itself"):
            await files.copy(f"{folder}/a", f"{folder}/a/b", recursive=True)

    async def test_copying_what_is_missing_is_an_error(self, files: FileSystem, folder: str) -> None:
        with pytest.raises(FileSystemError, match=MISSING):
            await files.copy(f"{folder}/none", f"{folder}/b")

    async def test_a_relative_path_is_refused(self, files: FileSystem) -> None:
        with pytest.raises(FileSystemError, match="is not absolute"):
            await files.read_file("a")

    async def test_within_a_policy_nothing_else_is_changed(self, files: FileSystem, folder: str) -> None:
        await files.create_directory(f"{folder}/out")
        await files.write_file(f"{folder}/out/kept", b"kept")
        await files.create_directory(f"{folder}/in")
        await self.link(files, f"{folder}/in/link", "../out")
        inside = files.within(_scope(folder))

        await inside.write_file(f"{folder}/in/a", b"1")
        await inside.create_directory(f"{folder}/in/b/c")
        await inside.remove(f"{folder}/in/b", recursive=True)
        for path in (f"{folder}/in/link", f"{folder}/out"):
            with pytest.raises(FileSystemError):
                await inside.write_file(f"{path}/x", b"1")
            with pytest.raises(FileSystemError):
                await inside.open(f"{path}/x", replace=True)
            with pytest.raises(FileSystemError):
                await inside.create_directory(f"{path}/x/y")
            with pytest.raises(FileSystemError):
                await inside.remove(f"{path}/kept")
            with pytest.raises(FileSystemError):
                await inside.copy(f"{folder}/in/a", f"{path}/copy")

        assert await inside.read_file(f"{folder}/in/link/kept") == b"kept"
        assert [entry.file_name for entry in await files.read_directory(f"{folder}/out")] == ["kept"]

    async def test_what_was_approved_is_changed_beyond_a_policy(self, files: FileSystem, folder: str) -> None:
        await files.create_directory(f"{folder}/in")
        inside = files.within(_scope(folder, approved=(f"{folder}/new/x",)))

        await inside.create_directory(f"{folder}/new")
        await inside.write_file(f"{folder}/new/x", b"1")
        with pytest.raises(FileSystemError):
            await inside.write_file(f"{folder}/new/y", b"1")
        await inside.remove(f"{folder}/new/x")
        await inside.remove(f"{folder}/new", recursive=False)

        assert [entry.file_name for entry in await files.read_directory(folder)] == ["in"]

    async def test_a_watch_tells_what_changed_until_it_is_closed(self, files: FileSystem, folder: str) -> None:
        if not self.watches:
            with pytest.raises(FileSystemError):
                await files.watch(folder)
            return
        watch = await files.watch(folder)

        await files.write_file(f"{folder}/a", b"1")
        async with asyncio.timeout(LIMIT):
            found = await watch.changed(settle=0.1)
        await watch.aclose()
        await watch.aclose()

        assert f"{folder}/a" in found
        assert all(path == folder or path.startswith(f"{folder}/") for path in found)


def _scope(folder: str, approved: tuple[str, ...] = ()) -> PolicyFileScope:
    policy = SandboxPolicy("workspaceWrite", exclude_slash_tmp=True, exclude_tmpdir_env_var=True)
    return PolicyFileScope(policy, f"{folder}/in", (f"{folder}/in",), approved=approved)
