"""Read commit, branch and origin of a work tree from git's files, without running git."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from codex_hookspecs.environments import repository_root
from codex_hookspecs.errors import FileSystemError
from codex_hookspecs.protocol import GitInfo

if TYPE_CHECKING:
    from codex_hookspecs.environments import FileSystem

_LIMIT = 1024 * 1024
_REF = "ref: "
_GITDIR = "gitdir: "


async def read_git_info(files: FileSystem, cwd: str) -> GitInfo | None:
    """Return commit, branch and origin of the work tree that contains a directory, or ``None`` outside of one.

    :param files: file system of the environment that has the directory.
    """
    folder = await _git_folder(files, cwd)
    if folder is None:
        return None
    shared = folder
    common = await _text(files, posixpath.join(folder, "commondir"))
    if common:
        shared = posixpath.normpath(posixpath.join(folder, common.strip()))
    head = (await _text(files, posixpath.join(folder, "HEAD"))).strip()
    origin = origin_url(await _text(files, posixpath.join(shared, "config")))
    if not head.startswith(_REF):
        return GitInfo(head or None, origin_url=origin)
    ref = head.removeprefix(_REF)
    commit = await _commit(files, folder, shared, ref)
    branch = ref.removeprefix("refs/heads/") if commit else None
    return GitInfo(commit, branch, origin_url=origin)


def origin_url(config: str) -> str | None:
    """Find the URL of the remote ``origin`` in the text of a git configuration file."""
    found = None
    inside = False
    for raw in config.splitlines():
        line = raw.strip()
        if line.startswith("["):
            inside = line.replace(" ", "").replace("\t", "") == '[remote"origin"]'
        elif inside:
            key, equals, value = line.partition("=")
            if equals and key.strip().lower() == "url":
                found = found or value.strip().strip('"') or None
    return found


def parse_packed_commit(packed: str, ref: str) -> str | None:
    """Find the commit of a reference in the text of ``packed-refs``."""
    for line in packed.splitlines():
        commit, _, name = line.partition(" ")
        if name == ref:
            return commit
    return None


async def _git_folder(files: FileSystem, cwd: str) -> str | None:
    folder = await repository_root(cwd, files)
    if folder is None:
        return None
    path = posixpath.join(folder, ".git")
    link = (await _text(files, path)).strip()
    if not link:  # ``.git`` is a directory.
        return path
    return posixpath.normpath(posixpath.join(folder, link[len(_GITDIR) :])) if link.startswith(_GITDIR) else None


async def _commit(files: FileSystem, folder: str, shared: str, ref: str) -> str | None:
    for place in dict.fromkeys((folder, shared)):
        commit = (await _text(files, posixpath.join(place, ref))).strip()
        if commit:
            return commit
    return parse_packed_commit(await _text(files, posixpath.join(shared, "packed-refs")), ref)


async def _text(files: FileSystem, path: str) -> str:
    try:
        return (await files.read_file(path, limit=_LIMIT)).decode("utf-8", "replace")
    except FileSystemError:
        return ""
