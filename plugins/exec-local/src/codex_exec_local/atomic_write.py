"""Replace a file atomically, so that readers see either the old or the new content."""

from __future__ import annotations

import errno
import os
import stat

from codex_exec_local.verified_open import Allowed, descriptor_path, open_parent

_TMPFILE = getattr(os, "O_TMPFILE", 0)
_NO_TMPFILE = (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT)
"""Errors of ``O_TMPFILE`` where the kernel or the file system does not support it."""


class _CannotPreserve(Exception):
    """Raised when a new file can't get the owner, mode or attributes of the old one."""


def write(path: str, data: bytes, allowed: Allowed = None, replaceable: Allowed = None) -> None:
    """Replace or create a file.

    Where a replacement would lose properties of the file (hard links, devices, an owner or attributes that can't be
    set) or can't be created (a read-only directory), the content is written in place instead.

    :param allowed: returns whether a resolved path may be written.
    :param replaceable: returns whether a file may be replaced by another one.
    """
    with open_parent(path, allowed, follow=True) as (folder, name):
        try:
            found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            found = None
        if found is not None and stat.S_ISREG(found.st_mode) and not os.access(name, os.W_OK, dir_fd=folder):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        whole = found is None or (stat.S_ISREG(found.st_mode) and found.st_nlink == 1)
        whole = whole and (replaceable is None or replaceable(os.path.join(descriptor_path(folder), name)))
        if not (whole and _replace(folder, name, data, found)):
            _write_in_place(folder, name, data)


def _replace(folder: int, name: str, data: bytes, found: os.stat_result | None) -> bool:
    """Write a temporary file in the same directory and rename it to the name.

    :param found: status of the existing file, or ``None``.
    :return: ``False`` if the file has to be written in place.
    """
    temporary = _temporary_name(folder, name)
    named = False
    try:
        descriptor, named = _open_temporary(folder, temporary)
    except OSError:
        return False
    try:
        with open(descriptor, "wb", buffering=0) as file:
            _lock(descriptor)  # Marks it as in use, see _temporary_name.
            if found is not None:
                _preserve_metadata(folder, name, descriptor, found)
            view = memoryview(data)
            while view:
                view = view[file.write(view) :]
            if not named:
                if found is None and _link(descriptor, folder, name):
                    return True
                named = _link(descriptor, folder, temporary)
                if not named:
                    return False
            os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
            named = False
    except _CannotPreserve:
        return False
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO):
            raise  # Writing in place would fail as well and lose the old content.
        return False
    finally:
        if named:
            os.unlink(temporary, dir_fd=folder)
    return True


def _temporary_name(folder: int, name: str) -> str:
    """Return a name for a temporary file; a file that a killed program has left under it is removed."""
    temporary = f".{name[:200]}.codex.tmp"
    try:
        left = os.open(temporary, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except FileNotFoundError:
        return temporary
    except OSError:
        return f".{name[:200]}.{os.urandom(4).hex()}.tmp"
    try:
        _lock(left)
        os.unlink(temporary, dir_fd=folder)
    except OSError:  # Another process is writing it.
        return f".{name[:200]}.{os.urandom(4).hex()}.tmp"
    finally:
        os.close(left)
    return temporary


def _lock(descriptor: int) -> None:
    import fcntl

    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _open_temporary(folder: int, temporary: str) -> tuple[int, bool]:
    """Open a new file in a directory.

    :return: its descriptor, and whether it has a name; one without is deleted by the kernel if the program is killed.
    """
    if _TMPFILE and os.path.isdir("/proc/self/fd"):
        try:
            return os.open(".", _TMPFILE | os.O_WRONLY | os.O_CLOEXEC, 0o666, dir_fd=folder), False
        except OSError as error:
            if error.errno not in _NO_TMPFILE:
                raise
    return os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666, dir_fd=folder), True


def _link(descriptor: int, folder: int, name: str) -> bool:
    """Give a file without a name a name; return whether that worked."""
    try:
        os.link(f"/proc/self/fd/{descriptor}", name, dst_dir_fd=folder, follow_symlinks=True)
    except OSError:
        return False
    return True


def _write_in_place(folder: int, name: str, data: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with open(os.open(name, flags, 0o666, dir_fd=folder), "wb") as file:
        file.write(data)


def _preserve_metadata(folder: int, name: str, descriptor: int, found: os.stat_result) -> None:
    """Copy owner, mode and extended attributes of the old file to the new one.

    :raises _CannotPreserve: when that fails.
    """
    made = os.fstat(descriptor)
    try:
        if (made.st_uid, made.st_gid) != (found.st_uid, found.st_gid):
            os.fchown(descriptor, found.st_uid, found.st_gid)
        os.fchmod(descriptor, stat.S_IMODE(found.st_mode))
        if hasattr(os, "listxattr"):
            _preserve_attributes(folder, name, descriptor)
    except OSError as error:
        raise _CannotPreserve from error


def _preserve_attributes(folder: int, name: str, descriptor: int) -> None:
    old = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    try:
        there = os.listxattr(old)
        for attribute in there:
            value = os.getxattr(old, attribute)
            if attribute not in os.listxattr(descriptor) or os.getxattr(descriptor, attribute) != value:
                os.setxattr(descriptor, attribute, value)
    except OSError as error:
        if error.errno != errno.ENOTSUP:
            raise
    finally:
        os.close(old)
