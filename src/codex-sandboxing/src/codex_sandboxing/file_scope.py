"""Say which files may be read and written for a model, by their real paths."""

from __future__ import annotations

import posixpath

from codex_hookspecs.light import NamedTuple
from codex_sandboxing.writable_roots import closed_places, is_writable, real_path, real_roots

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from codex_hookspecs.ports.environment import Environment, FileSystem
    from codex_hookspecs.types.sandbox import SandboxPolicy
    from codex_hookspecs.types.threads import ThreadSettings

_PLATFORM = ("/bin", "/sbin", "/usr", "/etc", "/lib", "/lib64", "/nix/store", "/run/current-system/sw")


class PolicyFileScope(NamedTuple):
    """A sandbox policy as it limits files; all paths are absolute, their links resolved.

    :param policy: the policy, for remote machines, which enforce it themselves.
    :param cwd: workspace of the policy, as it is spelled.
    :param roots: directories that can be written.
    :param own: read-only directories of the program and of repositories, unless a root is one of them or in one.
    :param readable: all that can be read; ``None`` when everything can.
    :param approved: what an approval lets be changed beyond the policy.
    """

    policy: SandboxPolicy
    cwd: str
    roots: tuple[str, ...]
    own: tuple[str, ...] = ()
    readable: tuple[str, ...] | None = None
    approved: tuple[str, ...] = ()

    @property
    def unrestricted(self) -> bool:
        """Whether every file can be read and written."""
        return self.policy.unrestricted

    def approves(self, path: str, *, making: bool = False) -> bool:
        """Tell whether an approval lets a path be changed.

        :param making: it is a directory that is made, or removed when it is empty.
        """
        return path in self.approved or (making and any(_is_below(each, path) for each in self.approved))

    def may_write(self, path: str) -> bool:
        """Tell whether a file may be written or removed."""
        return self.unrestricted or self.approves(path) or is_writable(path, self.roots, self.own)

    def may_create(self, path: str) -> bool:
        """Tell whether a directory may be made, or removed when it is empty."""
        return self.approves(path, making=True) or self.may_write(path)

    def may_remove(self, path: str) -> bool:
        """Tell whether what is at a path may be removed, or another file put in its place: its directory changes."""
        return self.approves(path) or (self.may_write(path) and self.may_write(posixpath.dirname(path)))

    def may_read(self, path: str) -> bool:
        """Tell whether a file may be read."""
        return self.readable is None or path in self.approved or any(_is_below(path, root) for root in self.readable)


async def scope_of(
    environment: Environment, settings: ThreadSettings, *, approved: Iterable[str] = (), readable: Iterable[str] = ()
) -> PolicyFileScope:
    """Return what the settings of a turn allow on a machine.

    :param approved: what an approval lets be changed, links resolved.
    :param readable: directories that can be read whatever the policy says.
    """
    policy = settings.sandbox
    if policy.unrestricted:
        return PolicyFileScope(policy, settings.cwd, ("/",))
    files = environment.files
    roots = await real_roots(environment, settings)
    seen: tuple[str, ...] | None = None
    if policy.readable_roots is not None:
        spelled = (settings.cwd, *policy.readable_roots, *(_PLATFORM if policy.platform_defaults else ()), *readable)
        seen = (*roots, *await _real(spelled, files))
    closed = await closed_places(environment, roots)
    return PolicyFileScope(policy, settings.cwd, tuple(roots), closed, seen, tuple(approved))


async def readable_files(
    environment: Environment, settings: ThreadSettings, readable: Iterable[str] = ()
) -> FileSystem:
    """Return the files of a machine as the settings of a turn let them be read.

    :param readable: directories that can be read whatever the policy says.
    """
    if settings.sandbox.readable_roots is None:
        return environment.files
    return environment.files.within(await scope_of(environment, settings, readable=readable))


async def _real(paths: Iterable[str], files: FileSystem) -> list[str]:
    return [await real_path(path, files) for path in dict.fromkeys(paths)]


def _is_below(path: str, root: str) -> bool:
    return path == root or path.startswith(posixpath.join(root, ""))
