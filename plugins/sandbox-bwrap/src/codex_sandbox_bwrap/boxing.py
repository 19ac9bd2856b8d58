"""Wrap a command in bwrap so that a policy holds, and clear up behind it."""

from __future__ import annotations

import os

from codex_hookspecs.errors import SandboxUnavailable
from codex_hookspecs.light import NamedTuple
from codex_sandbox_bwrap.arguments import PROC_WRITABLE_BY_ROOT, Box, bwrap_arguments
from codex_sandbox_bwrap.binary import Binary
from codex_sandbox_bwrap.first_process import FirstProcess
from codex_sandbox_bwrap.mounts import Plan, plan_mounts
from codex_sandbox_bwrap.watchdog import Watchdog
from codex_sandboxing.linux.placeholders import Placeholders
from codex_sandboxing.linux.seccomp import Mode, filter_program
from codex_sandboxing.resolved import ResolvedPolicy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from codex_hookspecs.sandbox import Network
    from codex_sandbox_bwrap.proxying import Bridges

_LOADER = ("LD_", "GLIBC_TUNABLES", "GCONV_PATH", "LOCPATH")
NETWORK_DISABLED = "CODEX_SANDBOX_NETWORK_DISABLED"


class Boxed(NamedTuple):
    """A wrapped command; the members are those of ``Launch``."""

    argv: tuple[str, ...]
    env: dict[str, str]
    arg0: str
    descriptors: tuple[int, ...]
    started: Callable[[], None]
    ended: Callable[[], None]
    interrupt: Callable[[], bool]
    prepare: None = None


def box_command(  # noqa: PLR0917
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
) -> Boxed:
    """Return how to run a command so that a policy holds.

    :param mode: what people call the policy, for errors.
    :param proxy_home: ``$CODEX_HOME``, when it is to reach the proxies of its environment, and nothing else.
    :param tty: it has a terminal of its own, from which it need not be cut off.
    :param home: ``$CODEX_HOME``, which it can't write.
    :param devices: devices that it may use beside the harmless ones.
    :raises SandboxUnavailable: when the policy can't be held here.
    """
    if binary.abilities.problem:
        raise _unusable(binary.abilities.problem, mode)
    plan = plan_mounts(policy, home)
    held = _Held(watchdog, plan.missing)
    try:
        way = held.way_out(argv, env, network, proxy_home)
        loading = {name: value for name, value in way.env.items() if name.startswith(_LOADER)}
        mounts = [word for path in devices for word in ("--dev-bind", path, path)]
        plan = plan._replace(arguments=(*plan.arguments, *mounts))
        arguments = _arguments(binary, plan, held, way, loading, tty=tty)
    except BaseException:
        held.started()
        held.ended()
        raise
    return Boxed(
        argv=(binary.path, "--info-fd", str(held.first.told), "--sync-fd", str(held.life), *arguments),
        env={name: value for name, value in way.env.items() if name not in loading},
        arg0="bwrap",
        descriptors=(*held.descriptors, held.life),
        started=held.started,
        ended=held.ended,
        interrupt=held.first.interrupt,
    )


def _arguments(
    binary: Binary, plan: Plan, held: _Held, way: _WayOut, loading: dict[str, str], *, tty: bool
) -> list[str]:
    """Return the arguments of bwrap.

    :param loading: variables that must mean something to the command alone.
    """
    command = list(way.argv)
    capabilities: Sequence[str] = ()
    if plan.links:
        from codex_sandbox_bwrap.holding import holding, needed_capabilities

        command, loading = holding(plan.links, loading, command)
        capabilities = needed_capabilities()
    box = Box(
        mounts=[*_without(plan.arguments, held.placeholders.left_out), *way.mounts],
        network=way.mode == "enabled",
        proc=binary.abilities.proc,
        proc_read_only=_proc_read_only(),
        new_session=not tty,
        filter_descriptor=None if way.mode == "proxy" else held.filter_of(way.mode),
        own_init=way.mode == "proxy",
        capabilities=capabilities,
    )
    return bwrap_arguments(box, command, held.nothing, loading)


def _unusable(problem: str, mode: str) -> SandboxUnavailable:
    return SandboxUnavailable(
        f"the command was not run: bwrap cannot hold the sandbox policy {mode}: {problem}; "
        "allow user namespaces or install a newer bubblewrap, or run with --sandbox danger-full-access"
    )


class _WayOut(NamedTuple):
    """The network of a command: how it is filtered, and what is run, with what, instead of it."""

    mode: Mode
    argv: Sequence[str]
    env: Mapping[str, str]
    mounts: tuple[str, ...] = ()


class _Held:
    """What one launch keeps open or in place until it is let go.

    :param missing: paths that placeholders are to stand for.
    """

    def __init__(self, watchdog: Watchdog, missing: Sequence[str]) -> None:
        self._watchdog = watchdog
        self._bridges: Bridges | None = None
        self.life = watchdog.began(missing)
        try:
            self.placeholders = Placeholders(missing)
        except BaseException:
            watchdog.over()
            raise
        self.first = FirstProcess()
        self.descriptors: list[int] = [self.first.told]

    def way_out(self, argv: Sequence[str], env: Mapping[str, str], network: Network, proxy_home: str | None) -> _WayOut:
        """Return what a command needs for the network that it may use."""
        if proxy_home is not None:
            from codex_sandbox_bwrap.proxying import Bridges

            self._bridges = Bridges(env, proxy_home)
            folder = self._bridges.folder
            inner = {**self._bridges.environment(env), NETWORK_DISABLED: "1"}
            return _WayOut("proxy", self._bridges.command(argv), inner, ("--ro-bind", folder, folder))
        if network == "enabled":
            return _WayOut("enabled", argv, env)
        return _WayOut("restricted", argv, {**env, NETWORK_DISABLED: "1"})

    def filter_of(self, mode: Mode) -> int:
        """Return a descriptor that a filter is read from; it fits the buffer of a pipe."""
        data = filter_program(mode, os.uname().machine)
        reader, writer = os.pipe()
        self.descriptors.append(reader)
        try:
            os.write(writer, data)
        finally:
            os.close(writer)
        return reader

    def nothing(self) -> int:
        """Return a descriptor that reads as empty."""
        descriptor = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        self.descriptors.append(descriptor)
        return descriptor

    def started(self) -> None:
        """Close the descriptors that the program has inherited."""
        for descriptor in self.descriptors:
            os.close(descriptor)
        self.descriptors.clear()

    def ended(self) -> None:
        """Let go of what stood for missing paths, and of bridges, when nothing relies on them any more."""
        gone = self.first.wait()
        self.placeholders.release()
        if gone:
            self._watchdog.over()
        if self._bridges is not None:
            self._bridges.close()
            self._bridges = None


def _without(arguments: Sequence[str], left_out: set[str]) -> list[str]:
    """Return mounts without those of paths that neither we nor a command can make."""
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
