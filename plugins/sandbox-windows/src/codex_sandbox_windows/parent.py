"""The parent's side of the runner protocol."""

from __future__ import annotations

from collections.abc import Iterator

from codex_hookspecs.errors import SandboxUnavailable
from codex_sandbox_windows.channel import Channel
from codex_sandbox_windows.frames import FrameError
from codex_sandbox_windows.messages import (
    CloseStdin,
    Exit,
    Failure,
    MessageError,
    Output,
    Resize,
    SpawnReady,
    SpawnRequest,
    Stdin,
    Terminate,
)

HANDSHAKE_SECONDS = 15.0
_CHUNK = 1 << 20


class RunnerSession:
    """A command that a runner runs.

    :param channel: connected to the runner.
    :ivar process_id: pid of the command, once it was started.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self.process_id = 0

    def start(self, request: SpawnRequest, seconds: float = HANDSHAKE_SECONDS) -> None:
        """Have the runner start the command.

        :param seconds: timeout for the runner's answer.
        :raises SandboxUnavailable: when the command was not started.
        """
        try:
            self._channel.send(request)
            answer = self._channel.receive(seconds)
        except TimeoutError:
            raise _unavailable(f"the runner did not answer within {seconds:g} s") from None
        except (FrameError, MessageError, OSError) as error:
            raise _unavailable(f"the runner can't be understood: {error}") from error
        if answer is None:
            raise _unavailable("runner pipe closed before spawn_ready")
        if isinstance(answer, Failure):
            raise _unavailable(f"runner error: {answer.message}")
        if not isinstance(answer, SpawnReady):
            raise _unavailable("expected spawn_ready from runner")
        self.process_id = answer.process_id

    def events(self) -> Iterator[Output | Exit]:
        """Iterate over the output of the command; the last event is its exit.

        :raises SandboxUnavailable: when the connection to the runner is lost before that.
        """
        while True:
            try:
                message = self._channel.receive()
            except (FrameError, MessageError, OSError) as error:
                raise SandboxUnavailable(f"the runner of the command was lost: {error}") from error
            if message is None:
                raise SandboxUnavailable("the runner of the command was lost: it ended without saying how")
            if isinstance(message, Output):
                yield message
            elif isinstance(message, Exit):
                yield message
                return

    def write(self, data: bytes) -> None:
        """Write to the command's stdin."""
        for at in range(0, len(data), _CHUNK):
            self._channel.send(Stdin(data[at : at + _CHUNK]))

    def close_stdin(self) -> None:
        """Close the command's stdin."""
        self._channel.send(CloseStdin())

    def resize(self, rows: int, columns: int) -> None:
        """Change the size of the command's pseudo console."""
        self._channel.send(Resize(rows, columns))

    def terminate(self) -> None:
        """Kill the command."""
        self._channel.send(Terminate())


def _unavailable(reason: str) -> SandboxUnavailable:
    return SandboxUnavailable(f"the command was not run: sandbox-windows: {reason}")
