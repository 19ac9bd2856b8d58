"""Find the repository that a directory of some machine is in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_hookspecs.errors import FilesLost, FileSystemError

if TYPE_CHECKING:
    from codex_hookspecs.ports.environment import FileSystem


async def repository_root(cwd: str, files: FileSystem) -> str | None:
    """Return the root of the git work tree that a directory is in, or ``None``; also when the machine can't be asked.

    :param files: file system of the machine the directory is on.
    """
    import ntpath
    import posixpath

    module = ntpath if "\\" in cwd else posixpath
    while True:
        try:
            if await _is_repository(module.join(cwd, ".git"), files):
                return cwd
        except FilesLost:
            return None
        parent = module.dirname(cwd)
        if parent == cwd:
            return None
        cwd = parent


async def _is_repository(path: str, files: FileSystem) -> bool:
    try:
        if (await files.metadata(path)).is_directory:
            # An empty directory of that name may only stand in for a missing one while a sandbox runs.
            await files.metadata(f"{path}/HEAD")
    except FilesLost:
        raise
    except FileSystemError:
        return False
    return True
