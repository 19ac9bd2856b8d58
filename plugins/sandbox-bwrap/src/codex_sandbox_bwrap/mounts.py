"""Plan the mounts that enforce a policy (order of bwrap arguments as in Codex 0.118)."""

from __future__ import annotations

import os
import stat

from codex_hookspecs.errors import SandboxUnavailable
from codex_hookspecs.light import NamedTuple
from codex_sandboxing.linux.disk_plan import FilesystemPlan, plan_filesystem
from codex_sandboxing.resolved import ResolvedPolicy, is_below

NOTHING = "\0nothing"
"""Stands in the arguments for the number of a descriptor of ``/dev/null``."""

_MOUNTED_ANEW = ("/dev", "/proc", "/sys")
_MAX_MASK_DESCRIPTORS = 32
"""Masked files beyond this number are covered by ``/dev/null``, which takes no descriptor and can't be opened there."""

_MAX_BOUND_PLACEHOLDERS = 64
"""Placeholders beyond this number are covered by an empty tmpfs: bwrap reads the list of all mounts for each path that
it binds or makes read-only, so that many binds get slow."""


class MountPlan(NamedTuple):
    """What bwrap mounts.

    :param arguments: in order; :data:`NOTHING` is to be replaced by the number of a descriptor.
    :param missing: paths that do not exist and must not be created: the arguments bind placeholders there read-only.
    :param links: symbolic links that the command must not be able to replace; see :mod:`.link_mounts`.
    """

    arguments: tuple[str, ...]
    missing: tuple[str, ...]
    links: tuple[str, ...] = ()


def plan_mounts(policy: ResolvedPolicy, home: str | None = None) -> MountPlan:
    """Return the mounts that enforce a policy.

    :param home: ``$CODEX_HOME``, which commands can't write unless the policy names a path in it.
    :raises SandboxUnavailable: when the policy can't be enforced on the files that exist.
    """
    disk = plan_filesystem(policy, "bwrap", home)
    if disk.links and disk.readable:
        raise SandboxUnavailable(
            f"the command was not run: bwrap cannot enforce the sandbox policy: the link {disk.links[0]} has to be "
            "protected, which needs a policy that lets everything be read; replace it with what it points to"
        )
    return _Planner(policy, disk).plan()


class _Planner:
    def __init__(self, policy: ResolvedPolicy, disk: FilesystemPlan) -> None:
        self._policy = policy
        self._disk = disk
        self._writable = frozenset(disk.writable)
        self._arguments: list[str] = []
        self._masked: set[str] = set()
        self._read_only: set[str] = set()
        self._pinned: set[str] = set(disk.writable)
        self._covered = frozenset(disk.missing[_MAX_BOUND_PLACEHOLDERS:])

    def plan(self) -> MountPlan:
        self._mount_root()
        by_root: dict[str, list[str]] = {}
        for path in self._disk.kept:
            by_root.setdefault(self._root_above(path), []).append(path)
        for path in by_root.get("", ()):
            self._make_read_only(path)
        for root in self._disk.writable:
            self._make_writable(root)
            for path in by_root.get(root, ()):
                self._make_read_only(path)
        for path in self._disk.hidden:
            self._mask(path)
        for link in self._disk.links:
            self._pin_parents(link)
        for path in self._disk.missing[_MAX_BOUND_PLACEHOLDERS:]:
            self._arguments += ("--perms", "555", "--tmpfs", path)
        return MountPlan(tuple(self._arguments), self._disk.missing, self._disk.links)

    def _mount_root(self) -> None:
        policy = self._policy
        if not policy.restricted or policy.access("/") == "write":
            self._arguments += ("--bind", "/", "/", "--dev", "/dev")
            if os.path.isdir("/sys"):
                self._arguments += ("--ro-bind", "/sys", "/sys")
            return
        if policy.access("/") == "read":
            self._arguments += ("--ro-bind", "/", "/", "--dev", "/dev")
            return
        self._arguments += ("--tmpfs", "/", "--dev", "/dev")
        for path in self._disk.readable:
            self._arguments += ("--ro-bind", path, path)

    def _make_writable(self, root: str) -> None:
        """Make a root writable."""
        for path in self._disk.hidden:
            if path != root and is_below(root, path):
                self._mask(path)
        if any(is_below(root, path) for path in self._masked) and _is_directory(root):
            self._arguments += ("--dir", root)
        if root != "/":
            self._pin_parents(root)
            self._arguments += ("--bind", root, root)

    def _make_read_only(self, path: str) -> None:
        """Make a path inside a writable root read-only."""
        self._pin_parents(path)
        self._read_only.add(path)
        if path not in self._covered:
            self._arguments += ("--ro-bind", path, path)

    def _pin_parents(self, path: str) -> None:
        """Keep the directories between a path and the writable root above it from being renamed.

        A mount moves along when a directory above it is renamed, and then the command could put something else at the
        protected path. A directory that is itself a mount point can't be renamed.
        """
        root = self._root_above(path)
        parents = [
            parent
            for parent in _with_parents(os.path.dirname(path))
            if root and parent != root and is_below(parent, root)
        ]
        for parent in reversed(parents):
            if parent in self._read_only or parent in _MOUNTED_ANEW:
                break  # It can't be renamed anyway, and binding it again would make it writable.
            if parent not in self._pinned:
                self._arguments += ("--bind", parent, parent)
                self._pinned.add(parent)

    def _root_above(self, path: str) -> str:
        """Return the innermost writable root strictly above a path, the empty string for none."""
        return next((above for above in _with_parents(os.path.dirname(path)) if above in self._writable), "")

    def _mask(self, path: str) -> None:
        if path in self._masked:
            return
        self._masked.add(path)
        self._pin_parents(path)
        self._read_only.add(path)
        if not _is_directory(path):
            if len(self._masked) > _MAX_MASK_DESCRIPTORS:
                self._arguments += ("--ro-bind", os.devnull, path)
            else:
                self._arguments += ("--perms", "000", "--ro-bind-data", NOTHING, path)
            return
        opened = [(child, access) for child, access in self._disk.opened if is_below(child, path)]
        self._arguments += ("--perms", "111" if opened else "000", "--tmpfs", path)
        for child, access in opened:
            if access == "write" and _is_directory(child):
                self._arguments += ("--dir", child)
            else:
                self._arguments += ("--bind" if access == "write" else "--ro-bind", child, child)
        self._arguments += ("--remount-ro", path)


def _is_directory(path: str) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False


def _with_parents(path: str) -> list[str]:
    """Return a path and all directories above it, innermost first."""
    found = [path]
    while (above := os.path.dirname(path)) != path:
        path = above
        found.append(path)
    return found
