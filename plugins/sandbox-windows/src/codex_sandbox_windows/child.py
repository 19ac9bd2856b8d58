"""The interface of a running command that the runner uses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, TypeAlias

from codex_sandbox_windows.messages import SpawnRequest, Stream


class SpawnError(Exception):
    """Raised when a command can't be started; the text says why."""


class Child(Protocol):
    """A running command."""

    @property
    def process_id(self) -> int:
        """Process id."""
        ...

    @property
    def outputs(self) -> Mapping[Stream, Callable[[], bytes]]:
        """Functions that read the next bytes of a stream, empty at EOF; a pseudo console has only ``stdout``."""
        ...

    def write(self, data: bytes) -> None:
        """Write to its stdin; does nothing when that is closed."""
        ...

    def close_stdin(self) -> None:
        """Close its stdin."""
        ...

    def resize(self, rows: int, columns: int) -> None:
        """Change the size of its pseudo console, if it has one."""
        ...

    def terminate(self, exit_code: int) -> None:
        """Kill it and everything it started."""
        ...

    def wait(self, seconds: float | None) -> int | None:
        """Wait for its exit code; ``None`` on timeout."""
        ...

    def release(self) -> None:
        """Kill its background processes, so that its outputs reach EOF."""
        ...

    def close(self) -> None:
        """Close all handles."""
        ...


Spawner: TypeAlias = Callable[[SpawnRequest], Child]
