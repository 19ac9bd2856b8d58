"""The access rights of Landlock and which of them a kernel knows (``linux/landlock.h``, ABI 1 to 7)."""

from __future__ import annotations

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
REMOVE_AND_CREATE = 0b1_1111_1111 << 4
"""Remove directories and files; create devices, directories, files, sockets, pipes and links."""
REFER, TRUNCATE, IOCTL_DEVICES = 1 << 13, 1 << 14, 1 << 15

READ = EXECUTE | READ_FILE | READ_DIR

BIND_TCP, CONNECT_TCP = 1 << 0, 1 << 1
SCOPE_ABSTRACT_SOCKET, SCOPE_SIGNAL = 1 << 0, 1 << 1


def write_rights(abi: int) -> int:
    """Return all file system rights that change something and that the kernel can restrict."""
    rights = WRITE_FILE | REMOVE_AND_CREATE
    if abi >= 2:
        rights |= REFER
    if abi >= 3:
        rights |= TRUNCATE
    if abi >= 5:
        rights |= IOCTL_DEVICES
    return rights


def network_rights(abi: int) -> int:
    """Return the network rights that the kernel can restrict."""
    return BIND_TCP | CONNECT_TCP if abi >= 4 else 0


def scopes(abi: int, *, network: bool) -> int:
    """Return the scopes that the kernel can restrict: signals, and without network access abstract sockets."""
    if abi < 6:
        return 0
    return SCOPE_SIGNAL if network else SCOPE_SIGNAL | SCOPE_ABSTRACT_SOCKET
