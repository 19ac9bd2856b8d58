"""Wrap a command in bwrap so that a policy is enforced, and clean up after it."""

from __future__ import annotations

import os

from codex_hookspecs.errors import SandboxUnavailable
from codex_hookspecs.light import NamedTuple
from codex_sandbox_bwrap.arguments import PROC_WRITABLE_BY_ROOT, BwrapOptions, bwrap_arguments
from codex_sandbox_bwrap.binary import Binary
from codex_sandbox_bwrap.init_process import InitProcess
from codex_sandbox_bwrap.mounts import MountPlan, plan_mounts
from codex_sandbox_bwrap.watchdog import Watchdog
from codex_sandboxing.linux.placeholders import Placeholders
from codex_sandboxing.linux.seccomp import Mode, filter_program
from codex_sandboxing.resolved import ResolvedPolicy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from codex_hookspecs.sandbox import Network
    from codex_sandbox_bwrap.proxying import ProxyBridges

_LOADER_PREFIXES = ("LD_", "GLIBC_TUNABLES", "GCONV_PATH", "LOCPATH")
NETWORK_DISABLED = "CODEX_SANDBOX_NETWORK_DISABLED"


class WrappedCommand(NamedTuple):
    """A command wrapped in bwrap, with the members of ``Launch`` that it needs (see there)."""

    argv: tuple[str, ...]
    env: dict[str, str]
    arg0: str
    descriptors: tuple[int, ...]
    started: Callable[[], None]
    close: Callable[[], None]
    interrupt: Callable[[], bool]
    prepare: None = None


def wrap_command(  # noqa: PLR0917
    binary: Binary,
    watchdog: Watchdog,
    argv: Sequence[str],
    env: Mapping[str, str],
    policy: ResolvedPolicy,
    network: Network,
    *,
    mode: str,
    tty: bool = False,
    proxy_home: str | None = None,
    home: str | None = None,
    devices: Sequence[str] = (),
) -> WrappedCommand:
    """Return how to run a command so that a policy is enforced.

    :param mode: name of the policy for error messages, e.g. ``workspace-write``.
    :param proxy_home: ``$CODEX_HOME`` if the command may reach the proxies of its environment and nothing else,
        ``None`` for the network access that ``network`` gives.
    :param tty: the command has a terminal of its own and therefore needs no new session.
    :param home: ``$CODEX_HOME``, which the command can't write.
    :param devices: paths of devices that the command may use in addition to ``/dev/null`` and the like.
    :raises SandboxUnavailable: when the policy can't be enforced here.
    """
    if binary.features.problem:
        raise _cannot_enforce(binary.features.problem, mode)
    plan = plan_mounts(policy, home)
    resources = _LaunchResources(watchdog, plan.missing)
    try:
        setup = resources.network_setup(argv, env, network, proxy_home)
        loader_variables = {name: value for name, value in setup.env.items() if name.startswith(_LOADER_PREFIXES)}
        mounts = [word for path in devices for word in ("--dev-bind", path, path)]
        plan = plan._replace(arguments=(*plan.arguments, *mounts))
        arguments = _arguments(binary, plan, resources, setup, loader_variables, tty=tty)
    except BaseException:
        resources.started()
        resources.close()
        raise
    return WrappedCommand(
        argv=(binary.path, "--info-fd", str(resources.init.info_writer), "--sync-fd", str(resources.life), *arguments),
        env={name: value for name, value in setup.env.items() if name not in loader_variables},
        arg0="bwrap",
        descriptors=(*resources.descriptors, resources.life),
        started=resources.started,
        close=resources.close,
        interrupt=resources.init.interrupt,
    )


def _arguments(
    binary: Binary,
    plan: MountPlan,
    resources: _LaunchResources,
    setup: _NetworkSetup,
    loader_variables: dict[str, str],
    *,
    tty: bool,
) -> list[str]:
    """Return the arguments of bwrap.

    :param loader_variables: variables of the dynamic loader; set for the command only, never for bwrap.
    """
    command = list(setup.argv)
    capabilities: Sequence[str] = ()
    if plan.links:
        from codex_sandbox_bwrap.link_mounts import required_capabilities, with_link_mounts

        command, loader_variables = with_link_mounts(plan.links, loader_variables, command)
        capabilities = required_capabilities()
    options = BwrapOptions(
        mounts=[*_without_paths(plan.arguments, resources.placeholders.left_out), *setup.mounts],
        network=setup.mode == "enabled",
        proc=binary.features.proc,
        proc_read_only=_proc_read_only(),
        new_session=not tty,
        filter_descriptor=None if setup.mode == "proxy" else resources.open_filter(setup.mode),
        own_init=setup.mode == "proxy",
        capabilities=capabilities,
    )
    return bwrap_arguments(options, command, resources.open_empty, loader_variables)


def _cannot_enforce(problem: str, mode: str) -> SandboxUnavailable:
    return SandboxUnavailable(
        f"the command was not run: bwrap cannot enforce the sandbox policy {mode}: {problem}; "
        "allow user namespaces or install a newer bubblewrap, or run with --sandbox danger-full-access"
    )


class _NetworkSetup(NamedTuple):
    """What a command needs for the network access it has: filter mode, command line, environment, further mounts."""

    mode: Mode
    argv: Sequence[str]
    env: Mapping[str, str]
    mounts: tuple[str, ...] = ()


class _LaunchResources:
    """Descriptors, placeholders and bridges that one launch uses until the command has ended.

    :param missing: paths that must not be created; placeholders are made there.
    """

    def __init__(self, watchdog: Watchdog, missing: Sequence[str]) -> None:
        self._watchdog = watchdog
        self._bridges: ProxyBridges | None = None
        self.life = watchdog.add(missing)
        try:
            self.placeholders = Placeholders(missing)
        except BaseException:
            watchdog.remove()
            raise
        self.init = InitProcess()
        self.descriptors: list[int] = [self.init.info_writer]

    def network_setup(
        self, argv: Sequence[str], env: Mapping[str, str], network: Network, proxy_home: str | None
    ) -> _NetworkSetup:
        """Return the set-up for the network access of a command; starts the bridges to proxies if it may reach them."""
        if proxy_home is not None:
            from codex_sandbox_bwrap.proxying import ProxyBridges

            self._bridges = ProxyBridges(env, proxy_home)
            folder = self._bridges.folder
            inner = {**self._bridges.environment(env), NETWORK_DISABLED: "1"}
            return _NetworkSetup("proxy", self._bridges.command(argv), inner, ("--ro-bind", folder, folder))
        if network == "enabled":
            return _NetworkSetup("enabled", argv, env)
        return _NetworkSetup("restricted", argv, {**env, NETWORK_DISABLED: "1"})

    def open_filter(self, mode: Mode) -> int:
        """Return a pipe descriptor to read the seccomp filter from; the whole filter fits the pipe's buffer."""
        data = filter_program(mode, os.uname().machine)
        reader, writer = os.pipe()
        self.descriptors.append(reader)
        try:
            os.write(writer, data)
        finally:
            os.close(writer)
        return reader

    def open_empty(self) -> int:
        """Return a descriptor of ``/dev/null``."""
        descriptor = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        self.descriptors.append(descriptor)
        return descriptor

    def started(self) -> None:
        """Close the descriptors that the program has inherited."""
        for descriptor in self.descriptors:
            os.close(descriptor)
        self.descriptors.clear()

    def close(self) -> None:
        """Wait for the end of the sandbox, then remove placeholders and close bridges."""
        gone = self.init.wait()
        self.placeholders.release()
        if gone:
            self._watchdog.remove()
        if self._bridges is not None:
            self._bridges.close()
            self._bridges = None


def _without_paths(arguments: Sequence[str], left_out: set[str]) -> list[str]:
    """Return mounts without those on missing paths that can't be created, neither by this process nor by a command."""
    if not left_out:
        return list(arguments)
    kept: list[str] = []
    index = 0
    while index < len(arguments):
        if arguments[index] == "--ro-bind" and arguments[index + 2] in left_out:
            index += 3
            continue
        if arguments[index] == "--perms" and arguments[index + 3] in left_out:
            index += 4
            continue
        kept.append(arguments[index])
        index += 1
    return kept


def _proc_read_only() -> list[str]:
    if os.geteuid() != 0:
        return ["/proc/sys"]
    return [path for name in PROC_WRITABLE_BY_ROOT if os.path.exists(path := f"/proc/{name}")]
