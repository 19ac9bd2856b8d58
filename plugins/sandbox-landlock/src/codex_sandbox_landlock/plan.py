"""Decide what a command does to itself before it begins, or why it can't be held; only looks at the disk."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from codex_hookspecs import frozen
from codex_hookspecs.errors import SandboxUnavailable
from codex_sandbox_landlock import rights
from codex_sandbox_landlock.kernel import Kernel
from codex_sandboxing.linux.disk_plan import PLATFORM_PATHS, FilesystemPlan, plan_filesystem
from codex_sandboxing.protected_paths import PROTECTED
from codex_sandboxing.resolved import ResolvedPolicy

Operation = tuple[str, str]

NAME = "sandbox-landlock"
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "ptmx", "pts", "shm")
_SETTINGS = ("/proc/sys", "/sys")
"""What sets up the machine; its owner is root inside of a namespace, too."""

_MADE_ANEW = ("/dev", "/proc", "/sys")

_HELP = (
    "install a bubblewrap that works here, which can (Debian and Ubuntu: apt install bubblewrap), "
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


def plan(
    resolved: ResolvedPolicy,
    *,
    network: bool,
    kernel: Kernel,
    mode: str,
    unprotected: bool = False,
    home: str | None = None,
    devices: Sequence[str] = (),
) -> Plan:
    """Return what has to be done.

    :param resolved: the file system policy where the command runs.
    :param network: the network can be used.
    :param mode: what people call the policy, for errors.
    :param unprotected: the user accepts that protected names can be written where nothing else is possible.
    :param home: ``$CODEX_HOME``, which commands can't write unless the policy names a path in it.
    :param devices: devices that it may use beside the harmless ones.
    :raises SandboxUnavailable: when the policy can't be held with what this kernel offers.
    """
    layout = plan_filesystem(resolved, NAME, home)
    try:
        if not kernel.abi:
            raise Refused(f"this kernel has no Landlock{f' ({kernel.no_namespaces})' if kernel.no_namespaces else ''}")
        ruleset = _ruleset(resolved, layout, network=network, kernel=kernel, devices=devices)
        if kernel.no_namespaces:
            return _without_namespaces(resolved, layout, ruleset, kernel.no_namespaces, unprotected)
        mounts = _mounts(resolved, layout, network=network, devices=devices)
        return Plan(operations=(*mounts, *ruleset), missing=layout.missing)
    except Refused as refused:
        raise SandboxUnavailable(
            f"the command was not run: {NAME} can't enforce the sandbox policy {mode}: {refused}; {_HELP}"
        ) from refused


def _mounts(
    resolved: ResolvedPolicy, layout: FilesystemPlan, *, network: bool, devices: Sequence[str]
) -> Iterator[Operation]:
    """Yield namespaces and mounts, outer before inner."""
    yield "unshare", ",".join(["user", "mounts", "ipc", "pids", *([] if network else ["network"])])
    if resolved.full_write or "/" in layout.writable:
        yield from (("pin", path) for path in _SETTINGS if os.path.isdir(path))
    else:
        yield "readonly", "/"
    if resolved.full_write and not layout.kept:
        return
    yield from (("device", path) for path in devices)
    yield "devices", "/dev"
    actions = dict.fromkeys((path for path in layout.writable if path != "/"), "bind")
    actions |= dict.fromkeys(layout.kept, "pin")
    actions |= dict.fromkeys(layout.hidden, "hide")
    actions |= {path: "pin" for path, access in layout.opened if access == "read"}
    actions |= dict.fromkeys(layout.links, "hold")
    yield from ((action, path) for path, action in _with_ways(actions, whole="/" in layout.writable))


def _with_ways(actions: dict[str, str], *, whole: bool) -> list[tuple[str, str]]:
    """Return mounts with what leads to them: a directory that is a mount itself can't be moved away.

    :param whole: everything else can be written.
    """
    ways = dict(actions)
    for path in actions:
        for way in list(_ancestry(path))[:-1]:
            above = next((each for each in reversed(list(_ancestry(way))[:-1]) if each in actions), None)
            if way not in _MADE_ANEW and (whole if above is None else actions[above] == "bind"):
                ways.setdefault(way, "bind")
    return sorted(ways.items(), key=lambda each: _depth(each[0]))


def _depth(path: str) -> int:
    return 0 if path == "/" else path.count("/")


def _ruleset(
    resolved: ResolvedPolicy, layout: FilesystemPlan, *, network: bool, kernel: Kernel, devices: Sequence[str]
) -> Iterator[Operation]:
    """Return the ruleset: what is held back, then what is allowed."""
    writing = rights.write_rights(kernel.abi)
    handled = 0 if resolved.full_write else writing | (0 if resolved.full_read else rights.READ)
    tcp = 0 if network else rights.network_rights(kernel.abi)
    scopes = rights.scopes(kernel.abi, network=network)
    if not (handled or tcp or scopes):
        return iter(())
    operations = [("landlock", f"{kernel.abi},{handled},{tcp},{scopes}")]
    if handled:
        allowed = dict.fromkeys(layout.writable, handled)
        for path in _readable(resolved, layout) if not resolved.full_read else ():
            allowed.setdefault(path, rights.READ)
        for name in _DEVICES:
            if name != "shm" or not kernel.no_namespaces:
                allowed.setdefault(f"/dev/{name}", handled)
        allowed |= dict.fromkeys(devices, handled)
        operations += (("allow", f"{mask}:{path}") for path, mask in allowed.items())
    return iter(operations)


def _readable(resolved: ResolvedPolicy, layout: FilesystemPlan) -> Iterator[str]:
    if resolved.access("/") != "none":
        yield "/"
        return
    yield from map(os.path.realpath, layout.readable)
    yield from (os.path.realpath(path) for path, access in layout.opened if access == "read")
    if resolved.platform_defaults:
        yield from map(os.path.realpath, (*PLATFORM_PATHS, "/proc"))


def _without_namespaces(
    resolved: ResolvedPolicy, layout: FilesystemPlan, ruleset: Iterator[Operation], reason: str, unprotected: bool
) -> Plan:
    """Return a plan with Landlock and filters alone, which can only allow whole trees.

    :raises Refused: when that is not enough.
    """
    if layout.hidden:
        raise Refused(f"it denies {layout.hidden[0]} inside of what can be read, which takes namespaces: {reason}")
    if layout.kept or layout.links:
        if not unprotected:
            raise Refused(
                f"{layout.writable[-1]} can be written but .git, .agents, .codex and .aws in it can't, which takes "
                f"namespaces: {reason}; to accept that they can be written: "
                "-c plugins.sandbox-landlock.unprotected=true"
            )
        links = [link for link in layout.links if os.path.basename(link) not in PROTECTED]
        if links:
            raise Refused(f"the link {links[0]} has to stay as it is, which takes namespaces: {reason}")
        held_back = [rule.path for root in resolved.writable_roots for rule in resolved.read_only_subpaths(root)]
        if held_back:
            raise Refused(
                f"it holds {held_back[0]} back inside of what can be written, which takes namespaces: {reason}"
            )
    return Plan(operations=tuple(ruleset), bare=True, metadata=bool(layout.writable))


def _ancestry(path: str) -> Iterator[str]:
    """Yield the directories on the way to a path and the path itself, outermost first."""
    parts = path.strip("/").split("/")
    for count in range(1, len(parts) + 1):
        yield "/" + "/".join(parts[:count])
