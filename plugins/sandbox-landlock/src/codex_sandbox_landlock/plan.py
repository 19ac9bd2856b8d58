"""Work out what has to be done for a policy to hold, or why it can't be held; looks at the disk, changes nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator

from codex_hookspecs.errors import SandboxUnavailable
from codex_hookspecs.sandboxing.protection import protected_paths
from codex_hookspecs.sandboxing.resolution import Resolved, is_below
from codex_hookspecs.values import frozen
from codex_sandbox_landlock import rights
from codex_sandbox_landlock.kernel import Kernel
from codex_sandbox_landlock.placeholders import is_placeholder

Operation = tuple[str, str]

_DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "ptmx", "pts", "shm")
_PLATFORM = ("/bin", "/sbin", "/usr", "/etc", "/lib", "/lib64", "/nix/store", "/run/current-system/sw", "/proc")
_SETTINGS = ("/proc/sys", "/sys")
"""What sets up the machine; its owner is root inside of a namespace, too."""

_HELP = (
    "install bubblewrap, which can (Debian and Ubuntu: apt install bubblewrap), "
    "or allow full access with --sandbox danger-full-access if this machine is disposable"
)


@frozen(kw_only=True)
class Plan:
    """What the child does to itself.

    :param operations: see ``apply.py``.
    :param missing: protected paths where nothing real is, to be held while the command runs.
    :param bare: there are no namespaces.
    :param metadata: owners, modes and times of files may be changed.
    """

    operations: tuple[Operation, ...]
    missing: tuple[str, ...] = ()
    bare: bool = False
    metadata: bool = True


class Refused(Exception):
    """Raised when a policy can't be held; the text is the reason."""


def plan(resolved: Resolved, *, network: bool, kernel: Kernel, unprotected: bool = False) -> Plan:
    """Return what has to be done.

    :param resolved: the file system policy where the command runs.
    :param network: the network can be used.
    :param unprotected: the user accepts that protected names can be written where nothing else is possible.
    :raises SandboxUnavailable: when the policy can't be held with what this kernel offers.
    """
    try:
        if not kernel.abi:
            raise Refused(f"this kernel has no Landlock{f' ({kernel.no_namespaces})' if kernel.no_namespaces else ''}")
        if resolved.globs:
            raise Refused(f"it denies a pattern of paths ({resolved.globs[0]})")
        tree = _Tree(resolved)
        ruleset = _ruleset(resolved, tree, network=network, kernel=kernel)
        if kernel.no_namespaces:
            return _without_namespaces(resolved, tree, ruleset, kernel.no_namespaces, unprotected)
        return Plan(operations=(*_mounts(resolved, tree, network=network), *ruleset), missing=tuple(tree.missing))
    except Refused as refused:
        raise SandboxUnavailable(
            f"the command was not run: sandbox-landlock can't hold its sandbox policy: {refused}; {_HELP}"
        ) from refused


class _Tree:
    """A policy as it lies on the disk.

    :raises Refused: when part of it can't be laid there.
    """

    def __init__(self, resolved: Resolved) -> None:
        self.writable: dict[str, None] = {}
        self.pinned: dict[str, None] = {}
        self.hidden: dict[str, None] = {}
        self.missing: dict[str, None] = {}
        if not resolved.full_write:
            for root in map(os.path.realpath, resolved.writable_roots):
                if os.path.exists(root):
                    self.writable[root] = None
            self._lay(resolved)
            self._open_again(resolved)

    def _lay(self, resolved: Resolved) -> None:
        for root in filter(os.path.isdir, list(self.writable)):
            for path in protected_paths(root):
                self._protect(path)
        for root in resolved.writable_roots:
            for rule in resolved.carve_outs(root):
                if rule.access == "read" and not (rule.skip_missing and not os.path.lexists(rule.path)):
                    self._protect(self._placed(rule.path))
        for path in resolved.unreadable_roots:
            self._hide(self._placed(path))

    def _open_again(self, resolved: Resolved) -> None:
        """Lay what can be read inside of what is hidden; what can be written there is laid already."""
        for rule in resolved.rules:
            place = os.path.realpath(rule.path)
            opened = rule.access == "read" and resolved.access(rule.path) == "read" and os.path.exists(place)
            if opened and any(place != hidden and is_below(place, hidden) for hidden in self.hidden):
                self.pinned[place] = None

    def _protect(self, path: str) -> None:
        if path in self.writable:
            return
        if os.path.islink(path):
            raise Refused(f"{path} has to stay as it is, but is a link in a place that can be written")
        if os.path.exists(path) and not is_placeholder(path):
            self.pinned[path] = None
        elif self._in_writable(path):
            self.missing[_first_missing(path)] = None

    def _hide(self, path: str) -> None:
        if os.path.exists(path) and not is_placeholder(path):
            self.hidden[path] = None
        elif self._in_writable(path):
            self.missing[_first_missing(path)] = None

    def _placed(self, path: str) -> str:
        """Return where a rule's path lies, its links resolved.

        :raises Refused: when the command could turn one of these links.
        """
        place = os.path.realpath(path)
        if place != path:
            link = next((part for part in _ancestry(path) if os.path.islink(part)), path)
            if self._in_writable(os.path.dirname(link)):
                raise Refused(f"{path} crosses the link {link} in a place that can be written")
        return place

    def _in_writable(self, path: str) -> bool:
        return any(is_below(path, root) for root in self.writable)


def _mounts(resolved: Resolved, tree: _Tree, *, network: bool) -> Iterator[Operation]:
    """Yield namespaces and mounts, outer before inner."""
    yield "unshare", ",".join(["user", "mounts", "ipc", "pids", *([] if network else ["network"])])
    if resolved.full_write or "/" in tree.writable:
        yield from (("pin", path) for path in _SETTINGS if os.path.isdir(path))
    else:
        yield "readonly", "/"
    if resolved.full_write:
        return
    yield "devices", "/dev"
    actions = [(path, "bind") for path in tree.writable if path != "/"]
    actions += [(path, "pin") for path in (*tree.pinned, *tree.missing)]
    actions += [(path, "hide") for path in tree.hidden]
    yield from ((action, path) for path, action in _with_ways(dict(sorted(actions, key=lambda each: _depth(each[0])))))


def _with_ways(actions: dict[str, str]) -> list[tuple[str, str]]:
    """Return mounts with what leads to them: a directory that is a mount itself can't be moved away."""
    ways = dict(actions)
    for path in actions:
        for way in list(_ancestry(path))[:-1]:
            above = max((each for each in actions if each != way and is_below(way, each)), key=_depth, default=None)
            if above is not None and actions[above] == "bind":
                ways.setdefault(way, "bind")
    return sorted(ways.items(), key=lambda each: _depth(each[0]))


def _depth(path: str) -> int:
    return 0 if path == "/" else path.count("/")


def _ruleset(resolved: Resolved, tree: _Tree, *, network: bool, kernel: Kernel) -> Iterator[Operation]:
    """Return the ruleset: what is held back, then what is allowed."""
    writing = rights.write_rights(kernel.abi)
    handled = 0 if resolved.full_write else writing | (0 if resolved.full_read else rights.READ)
    tcp = 0 if network else rights.network_rights(kernel.abi)
    scopes = rights.scopes(kernel.abi, network=network)
    if not (handled or tcp or scopes):
        return iter(())
    operations = [("landlock", f"{kernel.abi},{handled},{tcp},{scopes}")]
    if handled:
        allowed = dict.fromkeys(tree.writable, handled)
        for path in _readable(resolved) if not resolved.full_read else ():
            allowed.setdefault(path, rights.READ)
        for name in _DEVICES:
            if name != "shm" or not kernel.no_namespaces:
                allowed.setdefault(f"/dev/{name}", handled)
        operations += (("allow", f"{mask}:{path}") for path, mask in allowed.items())
    return iter(operations)


def _readable(resolved: Resolved) -> Iterator[str]:
    yield from (os.path.realpath(path) for path in resolved.readable_roots)
    if resolved.platform_defaults:
        yield from map(os.path.realpath, _PLATFORM)


def _without_namespaces(
    resolved: Resolved, tree: _Tree, ruleset: Iterator[Operation], reason: str, unprotected: bool
) -> Plan:
    """Return a plan with Landlock and filters alone, which can only allow whole trees.

    :raises Refused: when that is not enough.
    """
    readable = [os.path.realpath(path) for path in resolved.readable_roots]
    for path in tree.hidden:
        if resolved.full_read or any(is_below(path, root) for root in (*readable, *tree.writable)):
            raise Refused(f"it denies {path} inside of what can be read, which takes namespaces: {reason}")
    if tree.writable and not unprotected:
        raise Refused(
            f"{next(iter(tree.writable))} can be written but .git, .agents, .codex and .aws in it can't, which takes "
            f"namespaces: {reason}; to accept that they can be written: -c plugins.sandbox-landlock.unprotected=true"
        )
    for root in resolved.writable_roots:
        for rule in resolved.carve_outs(root):
            raise Refused(f"it holds {rule.path} back inside of {root}, which takes namespaces: {reason}")
    return Plan(operations=tuple(ruleset), bare=True, metadata=bool(tree.writable) or resolved.full_write)


def _first_missing(path: str) -> str:
    """Return the outermost part of a path that is not there for good."""
    return next((part for part in _ancestry(path) if not os.path.lexists(part) or is_placeholder(part)), path)


def _ancestry(path: str) -> Iterator[str]:
    """Yield the directories on the way to a path and the path itself, outermost first."""
    parts = path.strip("/").split("/")
    for count in range(1, len(parts) + 1):
        yield "/" + "/".join(parts[:count])
