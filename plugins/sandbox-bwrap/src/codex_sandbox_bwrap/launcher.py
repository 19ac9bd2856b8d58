"""Hold the policies of a running program with one bwrap."""

from __future__ import annotations

from codex_hookspecs.sandbox import Launch, LaunchRequest
from codex_sandbox_bwrap.binary import Binary
from codex_sandbox_bwrap.boxing import box_command
from codex_sandbox_bwrap.watchdog import Watchdog
from codex_sandboxing.devices import devices_there
from codex_sandboxing.requests import enforced, resolved


class BwrapLauncher:
    """Wraps commands.

    :param home: ``$CODEX_HOME``.
    :param watchdog: clears up if this program is killed; shared by all launches of a program.
    """

    def __init__(self, binary: Binary, watchdog: Watchdog, home: str) -> None:
        self._binary = binary
        self._home = home
        self._watchdog = watchdog

    @property
    def name(self) -> str:
        """Name for messages."""
        return "bwrap"

    def launch(self, request: LaunchRequest) -> Launch:
        """Return how to run a command so that its policy holds.

        :raises SandboxUnavailable: when the policy can't be held here.
        """
        boxed = box_command(
            self._binary,
            self._watchdog,
            request.argv,
            request.env,
            resolved(request),
            enforced(request).network,
            mode=request.policy.mode,
            tty=request.tty,
            proxy_home=self._home if request.managed_network else None,
            home=self._home,
            devices=devices_there(request.devices) if request.devices else (),
        )
        return Launch(
            argv=boxed.argv,
            env=boxed.env,
            arg0=boxed.arg0,
            sandbox_type="linuxSeccomp",
            descriptors=boxed.descriptors,
            started=boxed.started,
            ended=boxed.ended,
            interrupt=boxed.interrupt,
        )
