"""Read, write, list, copy and remove files, blocking; errors are those of the operating system."""

from __future__ import annotations

import contextlib
import errno
import os
import stat

from codex_hookspecs.errors import FileSystemError
from codex_hookspecs.types.environment import DirectoryEntry, FileMetadata

_COPY_BYTES = 1024 * 1024


def regular_size(path: str) -> int:
    """Return the size of a regular file.

    :raises FileSystemError: when it is something else.
    """
    found = os.stat(path)
    if not stat.S_ISREG(found.st_mode):
        raise FileSystemError(f"path `{path}` is not a file", path=path)
    return found.st_size


def read(path: str, limit: int | None) -> bytes:
    """Return what a file holds, at most ``limit`` bytes."""
    with open(path, "rb") as file:
        return file.read(-1 if limit is None else limit)


def write(path: str, data: bytes) -> None:
    """Put a file in place as a whole, so that readers see the old or the new content.

    Where that can't be done without changing what the file is (hard links, devices, a directory that takes no new
    names), the content is written in place.
    """
    target = os.path.realpath(path)
    try:
        found = os.stat(target)
    except FileNotFoundError:
        found = None
    if found is not None and (not stat.S_ISREG(found.st_mode) or found.st_nlink > 1):
        _write_in_place(target, data)
        return
    if found is not None and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), target)
    if not _replace(target, data, found):
        _write_in_place(target, data)


def metadata(path: str) -> FileMetadata:
    """Return what is known of a path; links are followed."""
    link = os.lstat(path)
    found = os.stat(path) if stat.S_ISLNK(link.st_mode) else link
    return FileMetadata(
        is_directory=stat.S_ISDIR(found.st_mode),
        is_file=stat.S_ISREG(found.st_mode),
        is_symlink=stat.S_ISLNK(link.st_mode),
        size=found.st_size,
        created_at_ms=int(getattr(found, "st_birthtime", 0) * 1000),
        modified_at_ms=found.st_mtime_ns // 1_000_000,
    )


def entries(path: str) -> list[DirectoryEntry]:
    """Return the names in a directory; dangling links are left out."""
    found = []
    with os.scandir(path) as scan:
        for entry in scan:
            try:
                mode = entry.stat().st_mode
            except OSError:
                continue
            found.append(DirectoryEntry(entry.name, stat.S_ISDIR(mode), is_file=stat.S_ISREG(mode)))
    return found


def remove(path: str, *, recursive: bool, force: bool) -> None:
    """Remove a file, link or tree."""
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        if force:
            return
        raise
    if not stat.S_ISDIR(mode):
        os.unlink(path)
    elif not recursive:
        os.rmdir(path)
    else:
        import shutil

        shutil.rmtree(path)


def copy(source: str, destination: str, *, recursive: bool) -> None:
    """Copy a file, link or tree; links are copied as links, an existing directory is merged into."""
    mode = os.lstat(source).st_mode
    if not stat.S_ISDIR(mode):
        _copy_one(source, destination, mode)
        return
    if not recursive:
        raise FileSystemError(f"path `{source}` is a directory; copying it takes recursive: true", path=source)
    inner = os.path.realpath(destination)
    outer = os.path.realpath(source)
    if inner == outer or inner.startswith(outer.rstrip("/") + "/"):
        raise FileSystemError(f"path `{source}` can't be copied into itself or below: `{destination}`", path=source)
    _copy_tree(source, destination)


def _copy_tree(source: str, destination: str) -> None:
    os.makedirs(destination, exist_ok=True)
    with os.scandir(source) as scan:
        children = list(scan)
    for child in children:
        target = os.path.join(destination, child.name)
        mode = child.stat(follow_symlinks=False).st_mode
        if stat.S_ISDIR(mode):
            _copy_tree(child.path, target)
        else:
            _copy_one(child.path, target, mode)


def _copy_one(source: str, destination: str, mode: int) -> None:
    if stat.S_ISLNK(mode):
        os.symlink(os.readlink(source), destination)
        return
    if not stat.S_ISREG(mode):
        raise FileSystemError(f"path `{source}` is neither file, directory nor link; it can't be copied", path=source)
    with open(source, "rb") as reader, open(destination, "wb") as writer:
        while data := reader.read(_COPY_BYTES):
            writer.write(data)
        os.chmod(writer.fileno(), stat.S_IMODE(mode))


def _replace(target: str, data: bytes, found: os.stat_result | None) -> bool:
    """Write beside a file and move that into its place.

    :param found: the file as it is, or ``None``.
    :return: whether that could be done.
    """
    temporary = f"{target}.{os.getpid()}-{os.urandom(4).hex()}.tmp"
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    except OSError:
        return False
    try:
        with open(descriptor, "wb") as file:
            if found is not None:
                _keep_identity(descriptor, found)
            file.write(data)
    except BaseException:
        os.unlink(temporary)
        raise
    try:
        os.replace(temporary, target)
    except OSError:
        os.unlink(temporary)
        return False
    return True


def _write_in_place(path: str, data: bytes) -> None:
    with open(path, "wb") as file:
        file.write(data)


def _keep_identity(descriptor: int, found: os.stat_result) -> None:
    made = os.fstat(descriptor)
    if (made.st_uid, made.st_gid) != (found.st_uid, found.st_gid):
        with contextlib.suppress(PermissionError):
            os.fchown(descriptor, found.st_uid, found.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(found.st_mode))
