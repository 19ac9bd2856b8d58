"""What a sandbox launcher does."""

from __future__ import annotations

from typing import Protocol

from codex_hookspecs.types.sandbox import Launch, LaunchRequest


class SandboxLauncher(Protocol):
    """Holds policies on this platform."""

    @property
    def name(self) -> str:
        """Name for messages, e.g. ``bwrap``."""
        ...

    def launch(self, request: LaunchRequest) -> Launch:
        """Return how to run a command so that its policy holds.

        :raises SandboxUnavailable: when the policy can't be held here; names the reason and the remedy.
        """
        ...
