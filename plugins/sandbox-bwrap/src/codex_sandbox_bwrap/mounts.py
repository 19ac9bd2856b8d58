"""Plan what is mounted where, so that a policy holds (order of bwrap arguments as in Codex 0.118)."""

from __future__ import annotations

import os
from typing import NamedTuple

from codex_hookspecs.errors import SandboxUnavailable
from codex_hookspecs.sandboxing.protection import protected_paths
from codex_hookspecs.sandboxing.resolution import Resolved, is_below
from codex_sandbox_bwrap.paths import first_missing, is_directory, mode_of, real_path, rebased

PLATFORM_PATHS = ("/bin", "/sbin", "/usr", "/etc", "/lib", "/lib64", "/nix/store", "/run/current-system/sw")
"""What programs need to be read, where it exists."""

NOTHING = "\0nothing"
"""Stands in the arguments for a descriptor that reads as empty."""


class Plan(NamedTuple):
    """What bwrap is to mount.

    :param arguments: in order; :data:`NOTHING` is to be replaced by a descriptor.
    :param missing: paths that must not come into being: nothing is there, and the arguments bind them read-only.
    """

    arguments: tuple[str, ...]
    missing: tuple[str, ...]


class _Root(NamedTuple):
    spelled: str
    real: str


def plan_mounts(policy: Resolved) -> Plan:
    """Return what to mount for a policy.

    :raises SandboxUnavailable: when the policy can't be held on what is on disk.
    """
    if policy.globs:
        raise SandboxUnavailable(
            f"the command was not run: bwrap cannot hold the pattern {policy.globs[0]!r} of the sandbox policy; "
            "name the paths instead"
        )
    return _Planner(policy).plan()


class _Planner:
    def __init__(self, policy: Resolved) -> None:
        self._policy = policy
        self._roots = _writable(policy)
        self._masks = _masked(policy)
        self._arguments: list[str] = []
        self._missing: list[str] = []
        self._masked: set[str] = set()
        self._closed: list[str] = []
        self._pinned: set[str] = {root.real for root in self._roots}

    def plan(self) -> Plan:
        self._base()
        for root in self._roots:
            self._writable_root(root)
        for path in self._masks:
            self._mask(path)
        return Plan(tuple(self._arguments), tuple(dict.fromkeys(self._missing)))

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
        writable = {root.real for root in self._roots}
        readable: set[str] = set(PLATFORM_PATHS) if policy.platform_defaults else set()
        for path in policy.readable_roots:
            real = real_path(path)
            if real is not None and real not in writable and policy.access(path) == "read":
                readable |= {path, real}
        for path in sorted(readable):
            if os.path.exists(path):
                self._arguments += ("--ro-bind", path, path)

    def _writable_root(self, root: _Root) -> None:
        for path in self._masks:
            if path != root.real and is_below(root.real, path):
                self._mask(path)
        if any(is_below(root.real, path) for path in self._masked) and is_directory(root.real):
            self._arguments += ("--dir", root.real)
        if root.real != "/":
            self._pin_ways(root.real)
            self._arguments += ("--bind", root.real, root.real)
        if not is_directory(root.real):
            return
        for path in self._read_only_below(root):
            self._keep_read_only(path, root.real)

    def _read_only_below(self, root: _Root) -> list[str]:
        """Return what stays read-only in a writable root and in no writable one nested in it; shallow before deep."""
        paths: list[str] = []
        if root.real != "/":
            paths += (path for path in protected_paths(root.real) if is_below(path, root.real))
        for rule in self._policy.carve_outs(root.spelled):
            path = rebased(rule.path, root.spelled, root.real)
            if path is None or path == root.real or (rule.skip_missing and mode_of(path) is None):
                continue
            if rule.access == "read" or mode_of(path) is None:
                paths.append(path)
        inner = [other.real for other in self._roots if other.real != root.real and is_below(other.real, root.real)]
        kept = [path for path in dict.fromkeys(paths) if not any(is_below(path, other) for other in inner)]
        return sorted(kept, key=_depth)

    def _pin_ways(self, path: str) -> None:
        """Keep the directories between a path and the writable roots above it from being renamed.

        What is mounted moves along with a directory above it, and something else could be put in its place.
        """
        for root in self._roots:
            if root.real in (path, "/") or not is_below(path, root.real):
                continue
            way = root.real
            for part in os.path.dirname(path)[len(root.real) :].strip("/").split("/"):
                way = f"{way}/{part}"
                if any(is_below(way, path) for path in self._closed):
                    break  # What can't be written can't be renamed; and it must not be opened again.
                if part and way not in self._pinned and is_directory(way):
                    self._arguments += ("--bind", way, way)
                    self._pinned.add(way)

    def _keep_read_only(self, path: str, root: str) -> None:
        missing = first_missing(path, root)
        self._pin_ways(missing or path)
        self._closed.append(missing or path)
        if missing is None or (root == "/" and mode_of(path) is not None):
            self._arguments += ("--ro-bind", path, path)
        elif missing not in self._missing and root != "/":
            self._missing.append(missing)
            self._arguments += ("--ro-bind", missing, missing)

    def _mask(self, path: str) -> None:
        if path in self._masked:
            return
        self._masked.add(path)
        self._pin_ways(path)
        self._closed.append(path)
        if not is_directory(path):
            self._arguments += ("--perms", "000", "--ro-bind-data", NOTHING, path)
            return
        opened = self._opened_below(path)
        self._arguments += ("--perms", "111" if opened else "000", "--tmpfs", path)
        for child, access in opened:
            if access == "write" and is_directory(child):
                self._arguments += ("--dir", child)
            else:
                self._arguments += ("--bind" if access == "write" else "--ro-bind", child, child)
        self._arguments += ("--remount-ro", path)

    def _opened_below(self, path: str) -> list[tuple[str, str]]:
        """Return what exists below a path that can't be touched and can be nevertheless."""
        found = []
        for rule in self._policy.rules:
            real = real_path(rule.path)
            if (
                rule.access != "none"
                and real is not None
                and real != path
                and is_below(real, path)
                and self._policy.access(rule.path) == rule.access
            ):
                found.append((real, rule.access))
        return sorted(dict.fromkeys(found), key=lambda each: _depth(each[0]))


def _writable(policy: Resolved) -> list[_Root]:
    """Return the writable roots that exist, shallow before deep."""
    roots: dict[str, _Root] = {}
    for spelled in policy.writable_roots:
        real = real_path(spelled)
        if real is not None:
            roots.setdefault(real, _Root(spelled, real))
    return sorted(roots.values(), key=lambda root: _depth(root.real))


def _masked(policy: Resolved) -> list[str]:
    """Return what exists and can't be touched, where it could be seen otherwise; shallow before deep."""
    paths = []
    for spelled in policy.unreadable_roots:
        real = real_path(spelled)
        if real is not None and _is_visible(policy, real):
            paths.append(real)
    return sorted(dict.fromkeys(paths), key=_depth)


def _is_visible(policy: Resolved, path: str) -> bool:
    if policy.access("/") != "none":
        return True
    opened = [real for root in policy.readable_roots if (real := real_path(root)) is not None]
    defaults = PLATFORM_PATHS if policy.platform_defaults else ()
    return any(is_below(path, root) for root in (*opened, *defaults))


def _depth(path: str) -> int:
    return path.rstrip("/").count("/")
