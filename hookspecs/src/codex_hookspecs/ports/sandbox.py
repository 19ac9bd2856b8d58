"""The sandbox launcher."""

from __future__ import annotations

from typing import Protocol

from codex_hookspecs.types.sandbox import Launch, LaunchRequest


class SandboxLauncher(Protocol):
    """Enforces sandbox policies on this platform."""

    @property
    def name(self) -> str:
        """Name for messages, e.g. ``bwrap``."""
        ...

    def launch(self, request: LaunchRequest) -> Launch:
        """Return how to run a command with its policy enforced.

        :raises SandboxUnavailable: when the policy can't be enforced; names the reason and the remedy.
        """
        ...
