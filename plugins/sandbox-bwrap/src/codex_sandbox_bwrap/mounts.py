"""Plan what is mounted where, so that a policy holds (order of bwrap arguments as in Codex 0.118)."""

from __future__ import annotations

import os
import stat

from codex_hookspecs.errors import SandboxUnavailable
from codex_hookspecs.light import NamedTuple
from codex_sandboxing.linux.disk_plan import FilesystemPlan, plan_filesystem
from codex_sandboxing.resolved import ResolvedPolicy, is_below

NOTHING = "\0nothing"
"""Stands in the arguments for a descriptor that reads as empty."""

_MADE_ANEW = ("/dev", "/proc", "/sys")
_MOST_DESCRIPTORS = 32
"""More masked files than that are covered by a device that can't be opened, which takes no descriptor."""

_MOST_BOUND = 64
"""More missing paths than that are covered by something empty of the box's own: bwrap reads the list of all mounts for
each one that it binds or makes read-only."""


class Plan(NamedTuple):
    """What bwrap is to mount.

    :param arguments: in order; :data:`NOTHING` is to be replaced by a descriptor.
    :param missing: paths that must not come into being: nothing is there, and the arguments bind them read-only.
    :param links: links that the command must not be able to replace, which bwrap itself can't see to.
    """

    arguments: tuple[str, ...]
    missing: tuple[str, ...]
    links: tuple[str, ...] = ()


def plan_mounts(policy: ResolvedPolicy, home: str | None = None) -> Plan:
    """Return what to mount for a policy.

    :param home: ``$CODEX_HOME``, which commands can't write unless the policy names a path in it.
    :raises SandboxUnavailable: when the policy can't be held on what is on disk.
    """
    layout = plan_filesystem(policy, "bwrap", home)
    if layout.links and layout.readable:
        raise SandboxUnavailable(
            f"the command was not run: bwrap cannot hold the sandbox policy: the link {layout.links[0]} has to stay as "
            "it is, which takes that everything can be read; replace it with what it points to"
        )
    return _Planner(policy, layout).plan()


class _Planner:
    def __init__(self, policy: ResolvedPolicy, layout: FilesystemPlan) -> None:
        self._policy = policy
        self._layout = layout
        self._writable = frozenset(layout.writable)
        self._arguments: list[str] = []
        self._masked: set[str] = set()
        self._closed: set[str] = set()
        self._pinned: set[str] = set(layout.writable)
        self._covered = frozenset(layout.missing[_MOST_BOUND:])

    def plan(self) -> Plan:
        self._base()
        below: dict[str, list[str]] = {}
        for path in self._layout.kept:
            below.setdefault(self._nearest(path), []).append(path)
        for path in below.get("", ()):
            self._keep(path)
        for root in self._layout.writable:
            self._open(root)
            for path in below.get(root, ()):
                self._keep(path)
        for path in self._layout.hidden:
            self._mask(path)
        for link in self._layout.links:
            self._pin_ways(link)
        for path in self._layout.missing[_MOST_BOUND:]:
            self._arguments += ("--perms", "555", "--tmpfs", path)
        return Plan(tuple(self._arguments), self._layout.missing, self._layout.links)

    def _base(self) -> None:
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
        for path in self._layout.readable:
            self._arguments += ("--ro-bind", path, path)

    def _open(self, root: str) -> None:
        """Let a root be written."""
        for path in self._layout.hidden:
            if path != root and is_below(root, path):
                self._mask(path)
        if any(is_below(root, path) for path in self._masked) and _is_directory(root):
            self._arguments += ("--dir", root)
        if root != "/":
            self._pin_ways(root)
            self._arguments += ("--bind", root, root)

    def _keep(self, path: str) -> None:
        """Let what is in a writable root not be written."""
        self._pin_ways(path)
        self._closed.add(path)
        if path not in self._covered:
            self._arguments += ("--ro-bind", path, path)

    def _pin_ways(self, path: str) -> None:
        """Keep the directories between a path and the writable roots above it from being renamed.

        What is mounted moves along with a directory above it, and something else could be put in its place.
        """
        root = self._nearest(path)
        ways = [way for way in _ancestry(os.path.dirname(path)) if root and way != root and is_below(way, root)]
        for way in reversed(ways):
            if way in self._closed or way in _MADE_ANEW:
                break  # What can't be written can't be renamed; and it must not be opened again.
            if way not in self._pinned:
                self._arguments += ("--bind", way, way)
                self._pinned.add(way)

    def _nearest(self, path: str) -> str:
        """Return the innermost writable root strictly above a path, the empty string for none."""
        return next((above for above in _ancestry(os.path.dirname(path)) if above in self._writable), "")

    def _mask(self, path: str) -> None:
        if path in self._masked:
            return
        self._masked.add(path)
        self._pin_ways(path)
        self._closed.add(path)
        if not _is_directory(path):
            if len(self._masked) > _MOST_DESCRIPTORS:
                self._arguments += ("--ro-bind", os.devnull, path)
            else:
                self._arguments += ("--perms", "000", "--ro-bind-data", NOTHING, path)
            return
        opened = [(child, access) for child, access in self._layout.opened if is_below(child, path)]
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


def _ancestry(path: str) -> list[str]:
    """Return a path and all directories above it, innermost first."""
    found = [path]
    while (above := os.path.dirname(path)) != path:
        path = above
        found.append(path)
    return found
