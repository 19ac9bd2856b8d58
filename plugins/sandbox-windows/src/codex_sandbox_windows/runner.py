"""The runner's side of the protocol: start one command, forward its input and output, report its exit."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

from codex_sandbox_windows.channel import Channel
from codex_sandbox_windows.child import Child, Spawner, SpawnError
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
    Stream,
    Terminate,
)

TIMED_OUT = 128 + 64
_FAILED = 1
_DRAIN_SECONDS = 10.0


def serve(channel: Channel, spawn: Spawner) -> int:
    """Run the command that a parent requests.

    :param spawn: starts the command.
    :return: exit code for the runner: that of the command, 1 when none was started.
    """
    try:
        request = channel.receive()
    except (FrameError, MessageError, OSError) as error:
        return _refuse(channel, f"the spawn request can't be read: {error}")
    if request is None:
        return _FAILED
    if not isinstance(request, SpawnRequest):
        return _refuse(channel, "expected spawn_request")
    try:
        child = spawn(request)
    except SpawnError as error:
        return _refuse(channel, str(error))
    try:
        return _Session(channel, child).run(request.timeout_ms)
    finally:
        child.close()


def _refuse(channel: Channel, message: str) -> int:
    with suppress(OSError):  # The parent may be gone.
        channel.send(Failure(message, "spawn_failed"))
    return _FAILED


class _Session:
    """A started command and its parent."""

    def __init__(self, channel: Channel, child: Child) -> None:
        self._channel = channel
        self._child = child

    def run(self, timeout_ms: int | None) -> int:
        if not self._send(lambda: self._channel.send(SpawnReady(self._child.process_id))):
            self._child.wait(_DRAIN_SECONDS)
            return _FAILED
        readers = [
            threading.Thread(target=self._forward_output, args=(stream, read), daemon=True)
            for stream, read in self._child.outputs.items()
        ]
        for reader in readers:
            reader.start()
        # A daemon thread, since it may block in a read when the process exits.
        threading.Thread(target=self._receive_messages, daemon=True).start()
        code = self._child.wait(None if timeout_ms is None else timeout_ms / 1000)
        timed_out = code is None
        if code is None:
            self._child.terminate(_FAILED)
            self._child.wait(_DRAIN_SECONDS)
            code = TIMED_OUT
        self._child.release()
        for reader in readers:
            reader.join(_DRAIN_SECONDS)
        self._send(lambda: self._channel.send(Exit(code, timed_out)))
        return code

    def _forward_output(self, stream: Stream, read: Callable[[], bytes]) -> None:
        try:
            while data := read():
                if not self._send(lambda data=data: self._channel.send(Output(data, stream))):  # type: ignore[misc]
                    return
        except OSError:
            return  # Reading from a closed pseudo console fails.

    def _receive_messages(self) -> None:
        while True:
            try:
                message = self._channel.receive()
            except MessageError:
                continue
            except FrameError:
                self._child.terminate(_FAILED)
                return
            except OSError:
                message = None
            if message is None:
                self._child.close_stdin()
                return
            try:
                self._handle(message)
            except OSError:
                continue  # The command has ended already.

    def _handle(self, message: object) -> None:
        if isinstance(message, Stdin):
            self._child.write(message.data)
        elif isinstance(message, CloseStdin):
            self._child.close_stdin()
        elif isinstance(message, Resize):
            self._child.resize(message.rows, message.columns)
        elif isinstance(message, Terminate):
            self._child.terminate(_FAILED)

    def _send(self, send: Callable[[], None]) -> bool:
        """Send a message; kill the command if the parent is gone. Return whether it was sent."""
        try:
            send()
            return True
        except OSError:
            self._child.terminate(_FAILED)
            return False
