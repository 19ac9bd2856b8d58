"""Blocking functions that query, list, copy and remove files; they raise ``OSError``.

``allowed`` returns whether a resolved path may be used, see :mod:`codex_exec_local.verified_open`.
"""

from __future__ import annotations

import errno
import os
import stat

from codex_exec_local.verified_open import (
    Allowed,
    descriptor_path,
    make_directories,
    open_for_lookup,
    open_parent,
    open_regular,
    real_path,
    require_readable,
)
from codex_hookspecs.environments import DirectoryEntry, FileMetadata
from codex_hookspecs.errors import FileSystemError

_COPY_BYTES = 1024 * 1024
_NEW = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def metadata(path: str, allowed: Allowed = None) -> FileMetadata:
    """Return the metadata of a path; links are followed."""
    with open_for_lookup(path, allowed) as descriptor:
        link = os.lstat(path)
        found = link
        if descriptor is not None:
            found = os.fstat(descriptor)
        elif stat.S_ISLNK(link.st_mode):
            found = os.stat(path)
    return FileMetadata(
        is_directory=stat.S_ISDIR(found.st_mode),
        is_file=stat.S_ISREG(found.st_mode),
        is_symlink=stat.S_ISLNK(link.st_mode),
        size=found.st_size,
        created_at_ms=int(getattr(found, "st_birthtime", 0) * 1000),
        modified_at_ms=found.st_mtime_ns // 1_000_000,
    )


def canonical(path: str, allowed: Allowed = None) -> str:
    """Return a path with all links resolved."""
    with open_for_lookup(path, allowed):
        return os.path.realpath(path, strict=True)


def entries(path: str, allowed: Allowed = None) -> list[DirectoryEntry]:
    """Return the entries of a directory without dangling links."""
    found = []
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if allowed is not None:
            require_readable(allowed, descriptor_path(descriptor))
        with os.scandir(descriptor) as scan:
            for entry in scan:
                try:
                    mode = entry.stat().st_mode
                except OSError:
                    continue
                found.append(DirectoryEntry(entry.name, stat.S_ISDIR(mode), is_file=stat.S_ISREG(mode)))
    finally:
        os.close(descriptor)
    return found


def remove(path: str, *, recursive: bool, force: bool, allowed: Allowed = None, empty: Allowed = None) -> None:
    """Remove a file, link or tree; a mounted file system with its content is not removed.

    :param empty: returns whether a directory may be removed if it is empty.
    """
    try:
        mode = os.lstat(path).st_mode
        directory = stat.S_ISDIR(mode)
        if directory and os.path.ismount(path):
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), path)
        with open_parent(path, empty if directory and not recursive else allowed, follow=False) as (folder, name):
            if not directory:
                os.unlink(name, dir_fd=folder)
            elif not recursive:
                os.rmdir(name, dir_fd=folder)
            else:
                import shutil

                shutil.rmtree(name, dir_fd=folder)
    except FileNotFoundError:
        if not force:
            raise


def copy(source: str, destination: str, *, recursive: bool, readable: Allowed = None, writable: Allowed = None) -> None:
    """Copy a file, link or tree; links are copied as links, a tree is merged into an existing directory.

    Devices, sockets and pipes in a tree are left out. Nothing is done for a file that is copied onto itself.

    :param readable: returns whether a path may be read.
    :param writable: returns whether a path may be written.
    """
    mode = os.lstat(source).st_mode
    if not stat.S_ISDIR(mode):
        _copy_one(source, destination, mode, readable, writable)
        return
    if not recursive:
        raise FileSystemError(f"path `{source}` is a directory; copying it takes recursive: true", path=source)
    inner, outer = real_path(destination), real_path(source)
    if inner == outer or inner.startswith(outer.rstrip("/") + "/"):
        raise FileSystemError(f"path `{source}` can't be copied into itself or below: `{destination}`", path=source)
    _copy_tree(source, destination, readable, writable)


def _copy_tree(source: str, destination: str, readable: Allowed, writable: Allowed) -> None:
    make_directories(destination, writable)
    with open_for_lookup(source, readable), os.scandir(source) as scan:
        children = list(scan)
    for child in children:
        target = os.path.join(destination, child.name)
        mode = child.stat(follow_symlinks=False).st_mode
        if stat.S_ISDIR(mode):
            _copy_tree(child.path, target, readable, writable)
        elif stat.S_ISREG(mode) or stat.S_ISLNK(mode):
            _copy_one(child.path, target, mode, readable, writable)


def _copy_one(source: str, destination: str, mode: int, readable: Allowed, writable: Allowed) -> None:
    if stat.S_ISLNK(mode):
        with open_parent(destination, writable, follow=False) as (folder, name):
            os.symlink(os.readlink(source), name, dir_fd=folder)
        return
    if not stat.S_ISREG(mode):
        raise FileSystemError(f"path `{source}` is neither file, directory nor link; it can't be copied", path=source)
    with open_regular(source, readable) as reader, open_parent(destination, writable, follow=True) as place:
        folder, name = place
        with open(os.open(name, _NEW, 0o666, dir_fd=folder), "wb") as writer:
            if os.path.samestat(os.fstat(reader.fileno()), os.fstat(writer.fileno())):
                return
            os.ftruncate(writer.fileno(), 0)
            while data := reader.read(_COPY_BYTES):
                writer.write(data)
            os.chmod(writer.fileno(), stat.S_IMODE(mode))
