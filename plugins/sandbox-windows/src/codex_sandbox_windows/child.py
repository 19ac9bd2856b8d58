"""What the runner needs of a command that it started."""

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
        """Number of the process."""
        ...

    @property
    def outputs(self) -> Mapping[Stream, Callable[[], bytes]]:
        """Reads the next bytes of a stream, nothing at its end; a pseudo console has only ``stdout``."""
        ...

    def write(self, data: bytes) -> None:
        """Write to its input; does nothing when that is closed."""
        ...

    def close_stdin(self) -> None:
        """Close its input."""
        ...

    def resize(self, rows: int, columns: int) -> None:
        """Change the size of its pseudo console, if it has one."""
        ...

    def terminate(self, exit_code: int) -> None:
        """End it with everything it started."""
        ...

    def wait(self, seconds: float | None) -> int | None:
        """Wait for its end; ``None`` when the time is over first."""
        ...

    def release(self) -> None:
        """End what it left behind, so that its outputs end."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...


Spawner: TypeAlias = Callable[[SpawnRequest], Child]
