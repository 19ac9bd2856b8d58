"""Plan the operations that enforce a policy, or say why it can't be enforced. Reads the disk, changes nothing."""

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
_KERNEL_SETTINGS = ("/proc/sys", "/sys")
"""Kernel settings; root may change them even inside a user namespace, since its uid owns them."""

_MOUNTED_ANEW = ("/dev", "/proc", "/sys")

_HELP = (
    "install a bubblewrap that works here, which can (Debian and Ubuntu: apt install bubblewrap), "
    "or allow full access with --sandbox danger-full-access if this machine is disposable"
)


@frozen(kw_only=True)
class Plan:
    """What ``apply.py`` does before it execs the command.

    :param operations: see ``apply.py``.
    :param missing: protected paths that do not exist, to be kept from being created by placeholders.
    :param without_namespaces: namespaces can't be created here.
    :param metadata: the command may change owner, mode and times of files.
    """

    operations: tuple[Operation, ...]
    missing: tuple[str, ...] = ()
    without_namespaces: bool = False
    metadata: bool = True


class CannotEnforce(Exception):
    """Raised when a policy can't be enforced; the text is the reason."""


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
    """Return the plan for a command.

    :param resolved: the file system policy, resolved for the command's directory.
    :param network: the command has network access.
    :param mode: name of the policy for error messages.
    :param unprotected: the user accepts that protected names are writable where namespaces can't be created.
    :param home: ``$CODEX_HOME``, which commands can't write unless the policy names a path in it.
    :param devices: devices that the command may use in addition to the standard ones.
    :raises SandboxUnavailable: when the policy can't be enforced with what this kernel offers.
    """
    disk = plan_filesystem(resolved, NAME, home)
    try:
        if not kernel.abi:
            raise CannotEnforce(
                f"this kernel has no Landlock{f' ({kernel.no_namespaces})' if kernel.no_namespaces else ''}"
            )
        ruleset = _ruleset(resolved, disk, network=network, kernel=kernel, devices=devices)
        if kernel.no_namespaces:
            return _without_namespaces(resolved, disk, ruleset, kernel.no_namespaces, unprotected)
        mounts = _mounts(resolved, disk, network=network, devices=devices)
        return Plan(operations=(*mounts, *ruleset), missing=disk.missing)
    except CannotEnforce as error:
        raise SandboxUnavailable(
            f"the command was not run: {NAME} can't enforce the sandbox policy {mode}: {error}; {_HELP}"
        ) from error


def _mounts(
    resolved: ResolvedPolicy, disk: FilesystemPlan, *, network: bool, devices: Sequence[str]
) -> Iterator[Operation]:
    """Yield the operations for namespaces and mounts, outer directories before inner ones."""
    yield "unshare", ",".join(["user", "mounts", "ipc", "pids", *([] if network else ["network"])])
    if resolved.full_write or "/" in disk.writable:
        yield from (("pin", path) for path in _KERNEL_SETTINGS if os.path.isdir(path))
    else:
        yield "readonly", "/"
    if resolved.full_write and not disk.kept:
        return
    yield from (("device", path) for path in devices)
    yield "devices", "/dev"
    actions = dict.fromkeys((path for path in disk.writable if path != "/"), "bind")
    actions |= dict.fromkeys(disk.kept, "pin")
    actions |= dict.fromkeys(disk.hidden, "hide")
    actions |= {path: "pin" for path, access in disk.opened if access == "read"}
    actions |= dict.fromkeys(disk.links, "pin-link")
    yield from ((action, path) for path, action in _with_parents(actions, whole="/" in disk.writable))


def _with_parents(actions: dict[str, str], *, whole: bool) -> list[tuple[str, str]]:
    """Return mounts together with mounts of their writable parents: a mount point can't be renamed.

    :param whole: the root directory is writable.
    """
    mounts = dict(actions)
    for path in actions:
        for parent in list(_ancestry(path))[:-1]:
            above = next((each for each in reversed(list(_ancestry(parent))[:-1]) if each in actions), None)
            if parent not in _MOUNTED_ANEW and (whole if above is None else actions[above] == "bind"):
                mounts.setdefault(parent, "bind")
    return sorted(mounts.items(), key=lambda each: _depth(each[0]))


def _depth(path: str) -> int:
    return 0 if path == "/" else path.count("/")


def _ruleset(
    resolved: ResolvedPolicy, disk: FilesystemPlan, *, network: bool, kernel: Kernel, devices: Sequence[str]
) -> Iterator[Operation]:
    """Return the operations of the ruleset: the rights that it handles, then what it allows."""
    writing = rights.write_rights(kernel.abi)
    handled = 0 if resolved.full_write else writing | (0 if resolved.full_read else rights.READ)
    tcp = 0 if network else rights.network_rights(kernel.abi)
    scopes = rights.scopes(kernel.abi, network=network)
    if not (handled or tcp or scopes):
        return iter(())
    operations = [("landlock", f"{kernel.abi},{handled},{tcp},{scopes}")]
    if handled:
        allowed = dict.fromkeys(disk.writable, handled)
        for path in _readable(resolved, disk) if not resolved.full_read else ():
            allowed.setdefault(path, rights.READ)
        for name in _DEVICES:
            if name != "shm" or not kernel.no_namespaces:
                allowed.setdefault(f"/dev/{name}", handled)
        allowed |= dict.fromkeys(devices, handled)
        operations += (("allow", f"{mask}:{path}") for path, mask in allowed.items())
    return iter(operations)


def _readable(resolved: ResolvedPolicy, disk: FilesystemPlan) -> Iterator[str]:
    if resolved.access("/") != "none":
        yield "/"
        return
    yield from map(os.path.realpath, disk.readable)
    yield from (os.path.realpath(path) for path, access in disk.opened if access == "read")
    if resolved.platform_defaults:
        yield from map(os.path.realpath, (*PLATFORM_PATHS, "/proc"))


def _without_namespaces(
    resolved: ResolvedPolicy, disk: FilesystemPlan, ruleset: Iterator[Operation], reason: str, unprotected: bool
) -> Plan:
    """Return a plan that uses Landlock and filters only; Landlock can only allow whole trees.

    :raises CannotEnforce: when the policy needs more than that.
    """
    if disk.hidden:
        raise CannotEnforce(f"it denies {disk.hidden[0]} inside a readable tree, which takes namespaces: {reason}")
    if disk.kept or disk.links:
        if not unprotected:
            raise CannotEnforce(
                f"it makes {disk.writable[-1]} writable but .git, .agents, .codex and .aws in it read-only, which "
                f"takes namespaces: {reason}; to accept that they are writable: "
                "-c plugins.sandbox-landlock.unprotected=true"
            )
        links = [link for link in disk.links if os.path.basename(link) not in PROTECTED]
        if links:
            raise CannotEnforce(f"the link {links[0]} has to be protected, which takes namespaces: {reason}")
        read_only = [rule.path for root in resolved.writable_roots for rule in resolved.read_only_subpaths(root)]
        if read_only:
            raise CannotEnforce(
                f"it makes {read_only[0]} read-only inside a writable tree, which takes namespaces: {reason}"
            )
    return Plan(operations=tuple(ruleset), without_namespaces=True, metadata=bool(disk.writable))


def _ancestry(path: str) -> Iterator[str]:
    """Yield the parents of a path without the root, outermost first, then the path itself."""
    parts = path.strip("/").split("/")
    for count in range(1, len(parts) + 1):
        yield "/" + "/".join(parts[:count])
