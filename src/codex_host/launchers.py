"""Wrap sandbox launchers, so that a failure names the plugin and the command is not run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_hookspecs.errors import CodexError, SandboxUnavailable
from codex_host.plugins.order import asked
from codex_host.plugins.signatures import InvalidResult
from codex_host.process.signals import SIGNALS

if TYPE_CHECKING:
    from codex_hookspecs.ports.sandbox import SandboxLauncher
    from codex_hookspecs.types.sandbox import Launch, LaunchRequest
    from codex_host.plugins.failures import Failures


class NamedLauncher:
    """A launcher with the plugin that it belongs to."""

    def __init__(self, launcher: SandboxLauncher, plugin: str, failures: Failures) -> None:
        self._launcher = launcher
        self._plugin = plugin
        self._failures = failures

    @property
    def name(self) -> str:
        """Name of the launcher."""
        return self._launcher.name

    def launch(self, request: LaunchRequest) -> Launch:
        """Return how to run a command so that its policy is enforced.

        :raises SandboxUnavailable: when the launcher can't enforce it, or fails.
        """
        from codex_hookspecs.types.sandbox import Launch

        try:
            with asked("sandbox_launcher", self._plugin):
                launch = self._launcher.launch(request)
            if not isinstance(launch, Launch):
                raise InvalidResult(f"returned {type(launch).__name__}, not Launch")
        except CodexError:
            raise
        except BaseException as error:
            if SIGNALS.is_interrupt(error):
                raise
            message = self._failures.report("the sandbox launcher", self._plugin, error)
            raise SandboxUnavailable(f"the command was not run: {message}") from error
        return launch
