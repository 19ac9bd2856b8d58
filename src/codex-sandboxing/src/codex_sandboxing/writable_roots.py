"""Decide which paths a sandbox policy lets be written."""

from __future__ import annotations

from codex_hookspecs.errors import FilesLost, FileSystemError
from codex_sandboxing.protected_paths import PROTECTED, repositories_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    from codex_hookspecs.ports.environment import Environment, FileSystem
    from codex_hookspecs.types.sandbox import SandboxPolicy
    from codex_hookspecs.types.threads import ThreadSettings


def writable_roots(policy: SandboxPolicy, cwd: str, temporary_directory: str) -> tuple[str, ...]:
    """Return the directories that a ``workspaceWrite`` policy makes writable; ``/`` for an unrestricted one.

    :param cwd: absolute working directory.
    :param temporary_directory: what ``$TMPDIR`` names, absolute; ``/tmp`` when it names nothing.
    """
    if policy.unrestricted:
        return ("/",)
    if policy.kind != "workspaceWrite":
        return ()
    roots = [cwd, *policy.writable_roots]
    if not policy.exclude_slash_tmp:
        roots.append("/tmp")  # noqa: S108
    if not policy.exclude_tmpdir_env_var and temporary_directory != "/tmp":  # noqa: S108
        roots.append(temporary_directory)
    return tuple(dict.fromkeys(roots))


def is_writable(path: str, roots: Sequence[str], own: Sequence[str] = ()) -> bool:
    """Tell whether a path is in one of the roots and in none of the directories that stay read-only in them.

    Those are the protected ones of every root, and ``own``; a root that is one of them, or in one, makes that writable.

    :param path: absolute, without ``..``; give it and the roots with their links resolved.
    :param own: the program's own directories.
    """
    parts = _parts(path)
    bases = [base for root in roots if parts[: len(base := _parts(root))] == base]
    closed = [_parts(place) for place in own]
    closed += [[*base, name] for base in bases if base != [""] for name in PROTECTED]
    deepest = max((len(place) for place in closed if parts[: len(place)] == place), default=0)
    return any(len(base) >= deepest for base in bases)


def _parts(path: str) -> list[str]:
    return path.replace("\\", "/").rstrip("/").split("/")


async def closed_places(environment: Environment, roots: Sequence[str]) -> tuple[str, ...]:
    """Return the directories on a machine that stay read-only inside of roots: this program's own, and repositories.

    :param roots: writable directories, links resolved; the repositories are those that ``.git`` files in them point to.
    """
    own = (await environment.facts()).program_directories
    if environment.remote:
        return own
    found = dict.fromkeys(place for root in roots for place in repositories_of(root))
    named = [f"{place}/" for place in found if place in roots]
    return (*own, *(place for place in found if not f"{place}/".startswith(tuple(named))))


async def real_roots(environment: Environment, settings: ThreadSettings) -> list[str]:
    """Return the directories that a policy makes writable on a machine, links resolved; none for an unrestricted one.

    A root that is reached through a link in another root is left out: a command can have made that link. The working
    directory is not, as it was set before any command ran. The directories of this program's modules are writable only
    where the policy names them.
    """
    from codex_sandboxing.own_places import is_closed

    policy, files = settings.sandbox, environment.files
    if policy.unrestricted:
        return []
    facts = await environment.facts()
    spelled = writable_roots(policy, settings.cwd, facts.temporary_directory)
    real = {root: await real_path(root, files) for root in spelled}
    named = [real[root] for root in policy.writable_roots]
    found = []
    for root, end in real.items():
        if is_closed(end, named, facts.libraries):
            continue
        others = [each for other, each in real.items() if other != root]
        if end == root.rstrip("/") or root == settings.cwd or not await _is_redirected(root, others, files):
            found.append(end)
    return found


async def _is_redirected(path: str, roots: Sequence[str], files: FileSystem) -> bool:
    """Tell whether a path leads through a link in one of some directories."""
    import posixpath

    place = "/"
    for name in path.split("/"):
        place = posixpath.join(place, name)
        try:
            if (await files.metadata(place)).is_symlink and is_writable(
                posixpath.join(await real_path(posixpath.dirname(place), files), name), roots
            ):
                return True
        except FilesLost:
            raise
        except FileSystemError:
            return False
    return False


async def real_path(path: str, files: FileSystem) -> str:
    """Return a path with the links of its existing part resolved.

    :raises FilesLost: when the machine can't be asked.
    """
    import posixpath

    module: ModuleType = posixpath
    if "\\" in path:
        import ntpath  # which takes a millisecond

        module = ntpath
    rest: list[str] = []
    while True:
        try:
            return str(module.join(await files.canonicalize(path), *reversed(rest)))
        except FilesLost:
            raise
        except FileSystemError:
            parent = str(module.dirname(path))
            if parent == path:
                return str(module.join(path, *reversed(rest)))
            rest.append(module.basename(path))
            path = parent
