"""Handle ``gitDiffToRemote``: what differs from the newest commit that a remote repository has."""

from __future__ import annotations

import asyncio
import json
import posixpath
from typing import TYPE_CHECKING, Final

from codex_git.safe_git import MAX_BYTES, GitError, SafeGit
from codex_hookspecs.errors import RpcError
from codex_hookspecs.protocol import GitDiffToRemoteResponse

if TYPE_CHECKING:
    from codex_hookspecs.protocol import GitDiffToRemoteParams
    from codex_hookspecs.surface import RpcContext

SECONDS: Final = 30.0
MAX_UNTRACKED: Final = 500
"""Maximum number of untracked files in a diff."""
_CONCURRENT: Final = 4
_DIFF: Final = ("diff", "--no-ext-diff", "--no-textconv", "--binary", "--no-color", "--ignore-submodules=dirty")


async def diff_to_remote(params: GitDiffToRemoteParams, context: RpcContext) -> GitDiffToRemoteResponse:
    """Return the newest commit of the current history that a remote has, and what the work tree changes on it.

    :raises RpcError: when there is no such commit, or it takes too long, or is too large.
    """
    environment = await context.host.environments.get()
    git = SafeGit(context.host, environment, posixpath.join(context.host.cwd, params.cwd))
    try:
        async with asyncio.timeout(SECONDS):
            await git.switch_filters_off()
            top = await git.at_top()
            commit = await _newest_remote_commit(top)
            changes = await top.run(*_DIFF, commit, "--")
            return GitDiffToRemoteResponse(sha=commit, diff=changes + await _untracked(top, MAX_BYTES - len(changes)))
    except (GitError, TimeoutError) as error:
        reason = error if isinstance(error, GitError) else "it takes too long"
        context.host.logger("git").info("no diff to the remote of %s: %s", params.cwd, reason)
        cwd = json.dumps(params.cwd, ensure_ascii=False)
        raise RpcError(f"failed to compute git diff to remote for cwd: {cwd}") from error


async def _newest_remote_commit(git: SafeGit) -> str:
    """Return the id of the newest commit on the first-parent history of ``HEAD`` that a remote branch contains.

    :raises GitError: when there is none.
    """
    if not await git.run("for-each-ref", "--count=1", "--format=%(objectname)", "refs/remotes"):
        raise GitError("there are no remote branches")
    ahead = int(await git.run("rev-list", "--first-parent", "--count", "HEAD", "--not", "--remotes", "--"))
    return (await git.run("rev-parse", "--verify", "--end-of-options", f"HEAD~{ahead}^{{commit}}")).strip()


async def _untracked(git: SafeGit, room: int) -> str:
    """Return untracked files as new files.

    :param room: maximum number of characters.
    :raises GitError: when they are too many or too large.
    """
    listed = (await git.run("ls-files", "--others", "--exclude-standard", "-z", "--")).split("\0")
    paths = [path for path in listed if path and not path.endswith("/")]
    if len(paths) > MAX_UNTRACKED:
        raise GitError(f"{len(paths)} untracked files")
    found: list[str] = []
    for start in range(0, len(paths), _CONCURRENT):
        parts = await asyncio.gather(
            *(
                git.run(*_DIFF, "--no-index", "--", "/dev/null", path, accepted=(0, 1))
                for path in paths[start : start + _CONCURRENT]
            )
        )
        found += parts
        room -= sum(map(len, parts))
        if room < 0:
            raise GitError("the untracked files are too large")
    return "".join(found)
