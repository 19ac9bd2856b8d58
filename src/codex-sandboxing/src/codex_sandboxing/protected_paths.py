"""Find what stays read-only under a writable root: repositories and the settings of agents and clouds."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PROTECTED = (".git", ".agents", ".codex", ".aws")
"""Names directly under a writable root that stay read-only."""
_POINTER = b"gitdir:"
_POINTER_BYTES = 4096


def protected_paths(root: str, granted: Sequence[str] = ()) -> Iterator[str]:
    """Yield the paths under a writable root that stay read-only, existing or not.

    A ``.git`` that is a file (worktree, submodule) also protects the directory it points to, and the one of the
    repository that this one belongs to, whose hooks and settings apply to it; unless they are in writable roots that
    the policy names.

    :param root: absolute, links resolved.
    :param granted: directories that the policy names as writable roots, links resolved.
    """
    for name in PROTECTED:
        path = f"{root.rstrip('/')}/{name}"
        yield path
        if name == ".git":
            yield from repositories_of(root, granted)


def repositories_of(root: str, granted: Sequence[str] = ()) -> Iterator[str]:
    """Yield the directories of a repository that the ``.git`` file of a directory leads to, if it has one.

    :param root: absolute, links resolved.
    :param granted: directories that the policy names as writable roots, links resolved; repositories in them are left
        out.
    """
    target = pointed_git_directory(f"{root.rstrip('/')}/.git")
    if target is None:
        return
    common = _common_directory(target)
    if not any(_opens(grant, target, common) for grant in granted):
        yield target
        if common is not None:
            yield common


def _opens(grant: str, target: str, common: str | None) -> bool:
    """Tell whether a named writable root is meant to include the repository that a ``.git`` file points into.

    That the repository is somewhere below is not enough: commands could have moved it there.
    """
    inside = target == grant or target.startswith(f"{grant}/")
    return inside and (grant == common or ".git" in grant.split("/"))


def pointed_git_directory(path: str) -> str | None:
    """Return the existing directory that a ``.git`` file points to, links resolved; ``None`` where there is none."""
    text = _beginning(os.path.realpath(path))
    if not text.startswith(_POINTER):
        return None
    named = os.fsdecode(text[len(_POINTER) :].split(b"\n", 1)[0].strip())
    return _directory(named, os.path.dirname(path)) if named else None


def _common_directory(target: str) -> str | None:
    """Return the directory that a work tree shares with its repository, ``None`` where it has its own."""
    named = os.fsdecode(_beginning(f"{target}/commondir").split(b"\n", 1)[0].strip())
    return _directory(named, target) if named else None


def _directory(named: str, base: str) -> str | None:
    if "\0" in named:
        return None
    target = os.path.realpath(os.path.join(base, named))
    return target if os.path.isdir(target) else None


def _beginning(path: str) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(descriptor, _POINTER_BYTES)
    except OSError:
        return b""
    finally:
        os.close(descriptor)
