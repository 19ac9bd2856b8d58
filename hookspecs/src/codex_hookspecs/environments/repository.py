"""Find the repository of a directory, local or in a remote environment."""

from __future__ import annotations

import os
import stat

from codex_hookspecs.errors import ConfigError, FilesLost, FileSystemError
from codex_hookspecs.file_reading import read_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from codex_hookspecs.ports.environment import FileSystem

_LONGEST_LINE = 16 * 1024


def project_root(cwd: str) -> str | None:
    """Return the root of the repository or work tree that contains a directory, or ``None``."""
    directory = cwd
    while True:
        if is_repository(f"{directory}/.git"):
            return directory
        parent = os.path.dirname(directory)
        if parent == directory:
            return None
        directory = parent


def is_repository(path: str) -> bool:
    """Return whether a ``.git`` makes its directory a repository or work tree, by git's own rules.

    A directory without ``HEAD`` does not: it is a leftover, or a placeholder that a sandbox has mounted.
    :func:`is_repository_of` does the same through a file system port.
    """
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISREG(mode) or (stat.S_ISDIR(mode) and os.path.lexists(f"{path}/HEAD"))


async def repository_root(cwd: str, files: FileSystem) -> str | None:
    """Return the root of the git work tree that contains a directory; ``None`` if there is none or on an error.

    :param files: file system that the directory is on.
    """
    import posixpath

    module: ModuleType = posixpath
    if "\\" in cwd:
        import ntpath  # imported lazily: it takes a millisecond

        module = ntpath
    while True:
        try:
            if await is_repository_of(module.join(cwd, ".git"), files):
                return cwd
        except FilesLost:
            return None
        parent = module.dirname(cwd)
        if parent == cwd:
            return None
        cwd = parent


async def is_repository_of(path: str, files: FileSystem) -> bool:
    """Do the same as :func:`is_repository` through a file system port.

    :raises FilesLost: when the environment can't be reached.
    """
    try:
        found = await files.metadata(path)
        if found.is_directory:
            await files.metadata(f"{path}/HEAD")
    except FilesLost:
        raise
    except FileSystemError:
        return False
    return found.is_directory or found.is_file


def main_repository(root: str) -> str | None:
    """Return the repository of a linked work tree, or ``None`` if it is not one.

    The ``.git`` file of the work tree is not sufficient, since anybody could have written it: the repository, which
    sandboxed commands can't write, must list the work tree at this path.

    :param root: directory that contains ``.git``.
    :return: absolute path, symbolic links resolved.
    """
    pointer = os.path.join(root, ".git")
    named = _line(pointer).partition("gitdir:")
    if named[0] or not named[2]:
        return None
    folder = os.path.realpath(os.path.join(root, named[2].strip()))
    above, kind = os.path.split(os.path.dirname(folder))
    if kind != "worktrees" or os.path.basename(above) != ".git":
        return None
    back, common = _line(f"{folder}/gitdir"), _line(f"{folder}/commondir")
    agrees = (
        back
        and common
        and _same(os.path.join(folder, back), os.path.join(os.path.realpath(root), ".git"))
        and os.path.realpath(os.path.join(folder, common)) == above
    )
    return os.path.dirname(above) if agrees else None


def _same(path: str, real: str) -> bool:
    """Return whether a path names the same directory entry as a resolved one (the entry may be a symbolic link)."""
    folder, name = os.path.split(path)
    return os.path.join(os.path.realpath(folder), name) == real


def _line(path: str) -> str:
    """Return the line in a one-line file of git, empty if there is no such file."""
    try:
        data = read_bytes(path, limit=_LONGEST_LINE, follow=False)
    except ConfigError:
        return ""
    line = os.fsdecode(data or b"").removesuffix("\n").removesuffix("\r")
    return "" if "\0" in line else line
