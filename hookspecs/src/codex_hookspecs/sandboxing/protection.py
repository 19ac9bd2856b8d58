"""Find what stays read-only under a writable root: repositories and the settings of agents and clouds."""

from __future__ import annotations

import os
from collections.abc import Iterator

from codex_hookspecs.writable import PROTECTED

_POINTER = b"gitdir:"
_POINTER_BYTES = 4096


def protected_paths(root: str) -> Iterator[str]:
    """Yield the paths under a writable root that stay read-only, existing or not.

    A ``.git`` that is a file (worktree, submodule) also protects the directory it points to.

    :param root: absolute, links resolved.
    """
    for name in PROTECTED:
        path = f"{root.rstrip('/')}/{name}"
        yield path
        if name == ".git" and (target := pointed_git_directory(path)) is not None:
            yield target


def pointed_git_directory(path: str) -> str | None:
    """Return the existing directory that a ``.git`` file points to, links resolved; ``None`` where there is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        text = os.read(descriptor, _POINTER_BYTES)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    if not text.startswith(_POINTER):
        return None
    named = os.fsdecode(text[len(_POINTER) :].split(b"\n", 1)[0].strip())
    target = os.path.realpath(os.path.join(os.path.dirname(path), named)) if named else ""
    return target if os.path.isdir(target) else None
