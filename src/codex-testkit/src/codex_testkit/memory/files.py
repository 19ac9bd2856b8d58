"""An in-memory file system, with symbolic links."""

from __future__ import annotations

import errno
import os
import posixpath
import time
from collections.abc import Iterator, Mapping, Sequence

from attrs import define, field

from codex_hookspecs.errors import FileSystemError
from codex_hookspecs.ports.environment import FileScope, FileWatch, OpenFile
from codex_hookspecs.types.environment import DirectoryEntry, FileMetadata

_MOST_LINKS = 40


@define
class File:
    """A regular file."""

    data: bytes = b""
    modified_at_ms: int = field(factory=lambda: time.time_ns() // 1_000_000)


@define
class Link:
    """A symbolic link."""

    target: str


@define
class Directory:
    """A directory."""

    nodes: dict[str, Node] = field(factory=dict)


Node = File | Link | Directory


class MemoryFile:
    """An open file, which is not affected when its path is replaced."""

    def __init__(self, file: File, path: str, *, writes: bool) -> None:
        self._file = file
        self._path = path
        self._writes = writes
        self._closed = False

    async def read(self, offset: int, length: int) -> bytes:
        """Return bytes from an offset on."""
        self._require(writes=False)
        return self._file.data[offset : offset + length]

    async def write(self, offset: int, data: bytes) -> None:
        """Write bytes at an offset."""
        self._require(writes=True)
        before = self._file.data[:offset].ljust(offset, b"\0")
        self._file.data = before + data + self._file.data[offset + len(data) :]

    async def aclose(self) -> None:
        """Close the file."""
        self._closed = True

    def _require(self, *, writes: bool) -> None:
        if self._closed or self._writes is not writes:
            raise _error(errno.EBADF, self._path)


class MemoryFileSystem:
    """In-memory files by absolute path.

    :param files: content by path; parent directories are created.
    """

    def __init__(self, files: Mapping[str, str | bytes] | None = None) -> None:
        self._root = Directory()
        self._scope: FileScope | None = None
        for path, content in (files or {}).items():
            self.put(path, content)

    def put(self, path: str, content: str | bytes) -> None:
        """Create a file and its parent directories."""
        folder = self._make(posixpath.dirname(path))
        folder.nodes[posixpath.basename(path)] = File(content.encode() if isinstance(content, str) else content)

    def link(self, path: str, target: str) -> None:
        """Create a symbolic link and its parent directories."""
        self._make(posixpath.dirname(path)).nodes[posixpath.basename(path)] = Link(target)

    def paths(self) -> list[str]:
        """Return all files and links, sorted."""
        return sorted(path for path, node in _walk(self._root, "") if not isinstance(node, Directory))

    def within(self, scope: FileScope) -> MemoryFileSystem:
        """Return a view restricted by a sandbox policy."""
        files = MemoryFileSystem()
        files._root, files._scope = self._root, scope
        return files

    async def read_file(self, path: str, *, limit: int | None = None) -> bytes:
        """Return the content of a file, at most its first ``limit`` bytes."""
        node = self._find(path)
        if self._scope is not None and not self._scope.may_read(self._resolve(path)):
            raise _error(errno.EACCES, path)
        if not isinstance(node, File):
            raise FileSystemError(f"path `{path}` is not a file", path=path)
        return node.data[:limit]

    async def write_file(self, path: str, data: bytes) -> None:
        """Write a file, creating it if missing; a symbolic link is followed."""
        real = self._writable(self._resolve(path, missing_leaf=True), path)
        folder, name = self._parent(real, path)
        if isinstance(folder.nodes.get(name), Directory) or not name:
            raise _error(errno.EISDIR, path)
        folder.nodes[name] = File(bytes(data))

    async def open(self, path: str, *, replace: bool = False) -> OpenFile:
        """Open a file for reading, or with ``replace`` truncated for writing."""
        if replace:
            await self.write_file(path, b"")
        else:
            await self.read_file(path, limit=0)
        node = self._find(path)
        assert isinstance(node, File)
        return MemoryFile(node, path, writes=replace)

    async def create_directory(self, path: str, *, recursive: bool = True) -> None:
        """Create a directory."""
        real = self._resolve(path, missing_leaf=True, missing_parents=recursive)
        if self._scope is not None and self._lookup(real) is None and not self._scope.may_create(real):
            raise _error(errno.EROFS, path)
        if recursive:
            self._make(real, path)
            return
        folder, name = self._parent(real, path)
        if name in folder.nodes or not name:
            raise _error(errno.EEXIST, path)
        folder.nodes[name] = Directory()

    async def metadata(self, path: str) -> FileMetadata:
        """Return the metadata of a path."""
        symlink = isinstance(self._lookup(self._unresolved(path)), Link)
        node = self._find(path)
        file = node if isinstance(node, File) else None
        return FileMetadata(
            is_directory=file is None,
            is_file=file is not None,
            is_symlink=symlink,
            size=len(file.data) if file else 0,
            modified_at_ms=file.modified_at_ms if file else 0,
        )

    async def canonicalize(self, path: str) -> str:
        """Return the path with all symbolic links resolved."""
        self._find(path)
        return self._resolve(path)

    async def read_directory(self, path: str) -> Sequence[DirectoryEntry]:
        """Return the entries of a directory, without dangling symbolic links."""
        node = self._find(path)
        if not isinstance(node, Directory):
            raise _error(errno.ENOTDIR, path)
        found = []
        for name in node.nodes:
            try:
                child = self._find(posixpath.join(path, name))
            except FileSystemError:
                continue
            found.append(DirectoryEntry(name, isinstance(child, Directory), is_file=isinstance(child, File)))
        return found

    async def remove(self, path: str, *, recursive: bool = True, force: bool = True) -> None:
        """Remove a file, link or tree."""
        real = self._unresolved(path)
        node = self._lookup(real)
        if node is None:
            if force:
                return
            raise _error(errno.ENOENT, path)
        if self._scope is None or not isinstance(node, Directory) or recursive or not self._scope.may_create(real):
            self._writable(real, path)
        if isinstance(node, Directory) and node.nodes and not recursive:
            raise _error(errno.ENOTEMPTY, path)
        folder, name = self._parent(real, path)
        del folder.nodes[name]

    async def copy(self, source: str, destination: str, *, recursive: bool = False) -> None:
        """Copy a file, link or tree."""
        node = self._lookup(self._unresolved(source))
        if node is None:
            raise _error(errno.ENOENT, source)
        real = self._resolve(destination, missing_leaf=True, missing_parents=recursive)
        self._writable(real, destination)
        if isinstance(node, Directory):
            if not recursive:
                raise FileSystemError(f"path `{source}` is a directory; copying it takes recursive: true", path=source)
            outer = self._resolve(source)
            if real == outer or real.startswith(outer.rstrip("/") + "/"):
                text = f"path `{source}` can't be copied into itself or below: `{destination}`"
                raise FileSystemError(text, path=source)
            _merge(node, self._make(real, destination))
            return
        folder, name = self._parent(real, destination)
        folder.nodes[name] = _copied(node)

    async def watch(self, path: str) -> FileWatch:
        """Refuse to watch a path: files in memory are not watched."""
        raise FileSystemError("files in memory can't be watched", path=path)

    def _writable(self, real: str, path: str) -> str:
        if self._scope is not None and not self._scope.may_write(real):
            raise _error(errno.EROFS, path)
        return real

    def _find(self, path: str) -> File | Directory:
        node = self._lookup(self._resolve(path))
        if node is None or isinstance(node, Link):
            raise _error(errno.ENOENT, path)
        return node

    def _lookup(self, real: str) -> Node | None:
        node: Node = self._root
        for name in _names(real):
            if not isinstance(node, Directory) or name not in node.nodes:
                return None
            node = node.nodes[name]
        return node

    def _parent(self, real: str, path: str) -> tuple[Directory, str]:
        folder = self._lookup(posixpath.dirname(real))
        if folder is None:
            raise _error(errno.ENOENT, path)
        if not isinstance(folder, Directory):
            raise _error(errno.ENOTDIR, path)
        return folder, posixpath.basename(real)

    def _make(self, real: str, path: str | None = None) -> Directory:
        node: Node = self._root
        for name in _names(real):
            if not isinstance(node, Directory):
                break
            node = node.nodes.setdefault(name, Directory())
        if not isinstance(node, Directory):
            raise _error(errno.EEXIST, path or real)
        return node

    def _unresolved(self, path: str) -> str:
        """Return the path with the symbolic links in its parent resolved."""
        folder, name = posixpath.split(posixpath.normpath(path))
        return posixpath.join(self._resolve(folder or path, missing_leaf=True, missing_parents=True), name)

    def _resolve(self, path: str, *, missing_leaf: bool = False, missing_parents: bool = False) -> str:
        if not path.startswith("/"):
            raise FileSystemError(f"path `{path}` is not absolute", path=path)
        todo = _names(path)
        done: list[str] = []
        links = 0
        while todo:
            name = todo.pop(0)
            if name == "..":
                done = done[:-1]
                continue
            node = self._lookup("/" + "/".join([*done, name]))
            if isinstance(node, Link):
                links += 1
                if links > _MOST_LINKS:
                    raise _error(errno.ELOOP, path)
                todo = _names(node.target) + todo
                done = [] if node.target.startswith("/") else done
                continue
            if isinstance(node, File) and todo:
                raise _error(errno.ENOTDIR, path)
            if node is None and not (missing_parents or (missing_leaf and not todo)):
                raise _error(errno.ENOENT, path)
            done.append(name)
        return "/" + "/".join(done)


def _names(path: str) -> list[str]:
    return [name for name in path.split("/") if name not in ("", ".")]


def _walk(folder: Directory, path: str) -> Iterator[tuple[str, Node]]:
    for name, node in folder.nodes.items():
        yield f"{path}/{name}", node
        if isinstance(node, Directory):
            yield from _walk(node, f"{path}/{name}")


def _merge(source: Directory, destination: Directory) -> None:
    for name, node in list(source.nodes.items()):
        if isinstance(node, Directory):
            child = destination.nodes.setdefault(name, Directory())
            if isinstance(child, Directory):
                _merge(node, child)
        else:
            destination.nodes[name] = _copied(node)


def _copied(node: File | Link) -> File | Link:
    return Link(node.target) if isinstance(node, Link) else File(node.data)


def _error(number: int, path: str) -> FileSystemError:
    return FileSystemError(f"{os.strerror(number)} (os error {number})", path=path, errno=number)
