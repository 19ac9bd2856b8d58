"""Wrap commands so that their policy holds, and clear up behind them."""

from __future__ import annotations

import os
from collections.abc import Sequence

from codex_hookspecs.errors import SandboxUnavailable
from codex_hookspecs.sandboxing.enforcement import enforced, resolved
from codex_hookspecs.sandboxing.seccomp import filter_program
from codex_hookspecs.types.sandbox import Launch, LaunchRequest
from codex_sandbox_bwrap.arguments import PROC_WRITABLE_BY_ROOT, Box, bwrap_arguments
from codex_sandbox_bwrap.binary import Binary
from codex_sandbox_bwrap.mounts import plan_mounts
from codex_sandbox_bwrap.placeholders import Placeholders
from codex_sandbox_bwrap.watchdog import Watchdog

NETWORK_DISABLED = "CODEX_SANDBOX_NETWORK_DISABLED"


class BwrapLauncher:
    """Holds policies with one bwrap.

    :param watchdog: clears up if this program is killed; shared by all launches of a program.
    """

    def __init__(self, binary: Binary, watchdog: Watchdog) -> None:
        self._binary = binary
        self._watchdog = watchdog

    @property
    def name(self) -> str:
        """Name for messages."""
        return "bwrap"

    def launch(self, request: LaunchRequest) -> Launch:
        """Return how to run a command so that its policy holds.

        :raises SandboxUnavailable: when the policy can't be held here.
        """
        if self._binary.abilities.problem:
            raise SandboxUnavailable(
                f"the command was not run: bwrap cannot hold the sandbox policy {request.policy.mode}: "
                f"{self._binary.abilities.problem}; allow user namespaces or install a newer bubblewrap, "
                "or run with --sandbox danger-full-access"
            )
        permissions = enforced(request)
        plan = plan_mounts(resolved(request))
        placeholders = Placeholders(plan.missing)
        held = _Held(placeholders)
        try:
            self._watchdog.guard(placeholders.paths)
            network = permissions.network == "enabled"
            box = Box(
                mounts=_without(plan.arguments, placeholders.left_out),
                network=network,
                proc=self._binary.abilities.proc,
                proc_read_only=_proc_read_only(),
                new_session=not request.tty,
                filter_descriptor=held.pipe_with(
                    filter_program("enabled" if network else "restricted", os.uname().machine)
                ),
            )
            env = request.env if network else {**request.env, NETWORK_DISABLED: "1"}
            loading = {name: value for name, value in env.items() if name.startswith("LD_")}
            arguments = bwrap_arguments(box, request.argv, held.nothing, loading)
        except BaseException:
            held.started()
            held.ended()
            raise
        return Launch(
            argv=(self._binary.path, *arguments),
            env={name: value for name, value in env.items() if name not in loading},
            arg0="bwrap",
            sandbox_type="linuxSeccomp",
            descriptors=tuple(held.descriptors),
            started=held.started,
            ended=held.ended,
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
