"""Run a command as an ordinary user who can reach this checkout, whatever folder it stands in.

A checkout in a home of mode 0700 can't be entered by another user. The command gets a mount namespace of its own, in
which the closed folder holds nothing but what the command needs.
"""

from __future__ import annotations

import ctypes
import os
import stat
import sys
from collections.abc import Sequence
from pathlib import Path

ORDINARY = 65534
ROOT = Path(__file__).resolve().parents[1]
_NEW_NAMESPACE = 0x0002_0000
_BIND, _RECURSIVE, _PRIVATE = 0x1000, 0x4000, 0x4_0000


def as_ordinary_user(command: Sequence[str], user: int = ORDINARY) -> list[str]:
    """Return a command that runs another one as an ordinary user; only root can run it."""
    return [sys.executable, "-I", __file__, str(user), *command]


def closed_folder(path: Path) -> Path | None:
    """Return the topmost folder above a path that other users can't enter, or ``None``."""
    folders = [path, *path.parents][::-1]
    return next((folder for folder in folders if not folder.stat().st_mode & stat.S_IXOTH), None)


def _main() -> None:
    user, command = int(sys.argv[1]), sys.argv[2:]
    needed = {ROOT, Path(sys.prefix), Path(sys.base_prefix).resolve()}
    closed: dict[Path, set[Path]] = {}
    for path in needed:
        folder = closed_folder(path)
        if folder is not None:
            closed.setdefault(folder, set()).add(path)
    if closed:
        _open(closed)
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    os.execvp(command[0], command)


def _open(closed: dict[Path, set[Path]]) -> None:
    """Have closed folders hold what is needed of them and nothing else, seen by this process alone."""
    library = ctypes.CDLL(None, use_errno=True)

    def check(result: int, what: str) -> None:
        if result:
            sys.exit(f"the checkout is out of reach for ordinary users here: {what}: {os.strerror(ctypes.get_errno())}")

    def mount(source: bytes, target: bytes, kind: bytes | None, flags: int, data: bytes | None = None) -> None:
        check(library.mount(source, target, kind, flags, data), f"mounting {os.fsdecode(target)}")

    check(library.unshare(_NEW_NAMESPACE), "making a mount namespace")
    mount(b"none", b"/", None, _RECURSIVE | _PRIVATE)
    for folder, paths in closed.items():
        kept = {path: os.open(path, os.O_PATH) for path in paths}
        mount(b"tmpfs", os.fsencode(folder), b"tmpfs", 0, b"mode=755")
        for path, descriptor in sorted(kept.items()):
            if not path.exists():
                path.mkdir(mode=0o755, parents=True)
                mount(b"/proc/self/fd/%d" % descriptor, os.fsencode(path), None, _BIND | _RECURSIVE)
            os.close(descriptor)


if __name__ == "__main__":
    _main()
