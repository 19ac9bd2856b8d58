"""Wrap a command in bwrap so that a policy holds, and clear up behind it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from codex_hookspecs.errors import SandboxUnavailable
from codex_hookspecs.sandboxing.policies import Network
from codex_hookspecs.sandboxing.resolution import Resolved
from codex_hookspecs.sandboxing.seccomp import Mode, filter_program
from codex_sandbox_bwrap.arguments import PROC_WRITABLE_BY_ROOT, Box, bwrap_arguments
from codex_sandbox_bwrap.binary import Binary
from codex_sandbox_bwrap.mounts import plan_mounts
from codex_sandbox_bwrap.placeholders import Placeholders
from codex_sandbox_bwrap.watchdog import Watchdog

NETWORK_DISABLED = "CODEX_SANDBOX_NETWORK_DISABLED"


class Boxed(NamedTuple):
    """A wrapped command; the members are those of ``Launch``."""

    argv: tuple[str, ...]
    env: dict[str, str]
    arg0: str
    descriptors: tuple[int, ...]
    started: Callable[[], None]
    ended: Callable[[], None]
    prepare: None = None


def box_command(  # noqa: PLR0917
    binary: Binary,
    watchdog: Watchdog,
    argv: Sequence[str],
    env: Mapping[str, str],
    policy: Resolved,
    network: Network,
    *,
    mode: str,
    tty: bool = False,
) -> Boxed:
    """Return how to run a command so that a policy holds.

    :param mode: what people call the policy, for errors.
    :param tty: it has a terminal of its own, from which it need not be cut off.
    :raises SandboxUnavailable: when the policy can't be held here.
    """
    if binary.abilities.problem:
        raise _unusable(binary.abilities.problem, mode)
    plan = plan_mounts(policy)
    placeholders = Placeholders(plan.missing)
    held = _Held(placeholders)
    try:
        watchdog.guard(placeholders.paths)
        inner = dict(env) if network == "enabled" else {**env, NETWORK_DISABLED: "1"}
        filtered: Mode = "enabled" if network == "enabled" else "restricted"
        box = Box(
            mounts=_without(plan.arguments, placeholders.left_out),
            network=network == "enabled",
            proc=binary.abilities.proc,
            proc_read_only=_proc_read_only() if binary.abilities.proc else (),
            new_session=not tty,
            filter_descriptor=held.pipe_with(filter_program(filtered, os.uname().machine)),
        )
        loading = {name: value for name, value in inner.items() if name.startswith("LD_")}
        arguments = bwrap_arguments(box, argv, held.nothing, loading)
    except BaseException:
        held.started()
        held.ended()
        raise
    return Boxed(
        argv=(binary.path, *arguments),
        env={name: value for name, value in inner.items() if name not in loading},
        arg0="bwrap",
        descriptors=tuple(held.descriptors),
        started=held.started,
        ended=held.ended,
    )


def _unusable(problem: str, mode: str) -> SandboxUnavailable:
    return SandboxUnavailable(
        f"the command was not run: bwrap cannot hold the sandbox policy {mode}: {problem}; "
        "allow user namespaces or install a newer bubblewrap, or run with --sandbox danger-full-access"
    )


class _Held:
    """What one launch keeps open or in place until it is let go."""

    def __init__(self, placeholders: Placeholders) -> None:
        self.descriptors: list[int] = []
        self._placeholders = placeholders

    def pipe_with(self, data: bytes) -> int:
        """Return a descriptor that some data is read from; it fits the buffer of a pipe."""
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
        """Let go of what stood for missing paths."""
        self._placeholders.release()


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
        kept.append(arguments[index])
        index += 1
    return kept


def _proc_read_only() -> list[str]:
    if os.geteuid() != 0:
        return ["/proc/sys"]
    return [path for name in PROC_WRITABLE_BY_ROOT if os.path.exists(path := f"/proc/{name}")]
