"""Put a file in place as a whole, so that readers see the old or the new content, and nothing else is ever seen."""

from __future__ import annotations

import errno
import os
import stat

from codex_exec_local.opening import Allowed, parent_of, real_place

_UNNAMED = getattr(os, "O_TMPFILE", 0)
_NO_UNNAMED = (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT)
"""What kernels and file systems say that have no files without a name."""


class _CannotKeep(Exception):
    """Raised when a new file can't be what the old one is."""


def write(path: str, data: bytes, allowed: Allowed = None, replaceable: Allowed = None) -> None:
    """Replace or create a file.

    :param allowed: says which real paths may be written.
    :param replaceable: says which of them another file may be put in place of.

    Where that can't be done without changing what the file is (hard links, devices, owners and attributes that can't
    be set, a directory that takes no new names), the content is written in place.
    """
    with parent_of(path, allowed, follow=True) as (folder, name):
        try:
            found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            found = None
        if found is not None and stat.S_ISREG(found.st_mode) and not os.access(name, os.W_OK, dir_fd=folder):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        whole = found is None or (stat.S_ISREG(found.st_mode) and found.st_nlink == 1)
        whole = whole and (replaceable is None or replaceable(os.path.join(real_place(folder), name)))
        if not (whole and _replace(folder, name, data, found)):
            _write_in_place(folder, name, data)


def _replace(folder: int, name: str, data: bytes, found: os.stat_result | None) -> bool:
    """Write beside a file and move that into its place.

    :param found: the file as it is, or ``None``.
    :return: whether that could be done.
    """
    beside = _free_name(folder, name)
    named = False
    try:
        descriptor, named = _open_beside(folder, beside)
    except OSError:
        return False
    try:
        with open(descriptor, "wb", buffering=0) as file:
            _lock(descriptor)  # Nobody takes it for one left behind.
            if found is not None:
                _keep_identity(folder, name, descriptor, found)
            view = memoryview(data)
            while view:
                view = view[file.write(view) :]
            if not named:
                if found is None and _link(descriptor, folder, name):
                    return True
                named = _link(descriptor, folder, beside)
                if not named:
                    return False
            os.rename(beside, name, src_dir_fd=folder, dst_dir_fd=folder)
            named = False
    except _CannotKeep:
        return False
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO):
            raise  # In place, the old content would be lost as well.
        return False
    finally:
        if named:
            os.unlink(beside, dir_fd=folder)
    return True


def _free_name(folder: int, name: str) -> str:
    """Return a name for a file beside another one; what a killed program has left under it is removed."""
    beside = f".{name[:200]}.codex.tmp"
    try:
        left = os.open(beside, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except FileNotFoundError:
        return beside
    except OSError:
        return f".{name[:200]}.{os.urandom(4).hex()}.tmp"
    try:
        _lock(left)
        os.unlink(beside, dir_fd=folder)
    except OSError:  # Somebody is writing it.
        return f".{name[:200]}.{os.urandom(4).hex()}.tmp"
    finally:
        os.close(left)
    return beside


def _lock(descriptor: int) -> None:
    import fcntl

    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _open_beside(folder: int, beside: str) -> tuple[int, bool]:
    """Open a new file in a directory.

    :return: it, and whether it has a name: one without vanishes by itself when the program is killed.
    """
    if _UNNAMED and os.path.isdir("/proc/self/fd"):
        try:
            return os.open(".", _UNNAMED | os.O_WRONLY | os.O_CLOEXEC, 0o666, dir_fd=folder), False
        except OSError as error:
            if error.errno not in _NO_UNNAMED:
                raise
    return os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666, dir_fd=folder), True


def _link(descriptor: int, folder: int, name: str) -> bool:
    """Give a file without a name one; tell whether that could be done."""
    try:
        os.link(f"/proc/self/fd/{descriptor}", name, dst_dir_fd=folder, follow_symlinks=True)
    except OSError:
        return False
    return True


def _write_in_place(folder: int, name: str, data: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with open(os.open(name, flags, 0o666, dir_fd=folder), "wb") as file:
        file.write(data)


def _keep_identity(folder: int, name: str, descriptor: int, found: os.stat_result) -> None:
    """Give a new file the owner, mode and attributes of the old one.

    :raises _CannotKeep: when that can't be done.
    """
    made = os.fstat(descriptor)
    try:
        if (made.st_uid, made.st_gid) != (found.st_uid, found.st_gid):
            os.fchown(descriptor, found.st_uid, found.st_gid)
        os.fchmod(descriptor, stat.S_IMODE(found.st_mode))
        if hasattr(os, "listxattr"):
            _keep_attributes(folder, name, descriptor)
    except OSError as error:
        raise _CannotKeep from error


def _keep_attributes(folder: int, name: str, descriptor: int) -> None:
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
