"""The sandbox launcher that wraps commands in bwrap."""

from __future__ import annotations

from codex_hookspecs.sandbox import Launch, LaunchRequest
from codex_sandbox_bwrap.binary import Binary
from codex_sandbox_bwrap.watchdog import Watchdog
from codex_sandbox_bwrap.wrap import wrap_command
from codex_sandboxing.devices import devices_there
from codex_sandboxing.requests import enforced, resolved


class BwrapLauncher:
    """Wraps commands in bwrap.

    :param home: ``$CODEX_HOME``.
    :param watchdog: cleans up if this process is killed; shared by all launches.
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
        """Return how to run a command so that its policy is enforced.

        :raises SandboxUnavailable: when the policy can't be enforced here.
        """
        wrapped = wrap_command(
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
            argv=wrapped.argv,
            env=wrapped.env,
            arg0=wrapped.arg0,
            sandbox_type="linuxSeccomp",
            descriptors=wrapped.descriptors,
            on_started=wrapped.started,
            on_ended=wrapped.close,
            interrupt=wrapped.interrupt,
        )
