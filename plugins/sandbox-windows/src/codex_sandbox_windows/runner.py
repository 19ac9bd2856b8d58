"""Run one command for a parent: start it, carry what goes in and out, tell how it ended."""

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
    """Serve one parent.

    :param spawn: starts the command.
    :return: exit code of the runner: that of the command, 1 when none was started.
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
    with suppress(OSError):  # Somebody may be left to be told.
        channel.send(Failure(message, "spawn_failed"))
    return _FAILED


class _Session:
    """A started command and its parent."""

    def __init__(self, channel: Channel, child: Child) -> None:
        self._channel = channel
        self._child = child

    def run(self, timeout_ms: int | None) -> int:
        if not self._sent(lambda: self._channel.send(SpawnReady(self._child.process_id))):
            self._child.wait(_DRAIN_SECONDS)
            return _FAILED
        readers = [
            threading.Thread(target=self._carry, args=(stream, read), daemon=True)
            for stream, read in self._child.outputs.items()
        ]
        for reader in readers:
            reader.start()
        # Ends with the process: it may be waiting for a parent that says nothing more.
        threading.Thread(target=self._listen, daemon=True).start()
        code = self._child.wait(None if timeout_ms is None else timeout_ms / 1000)
        timed_out = code is None
        if code is None:
            self._child.terminate(_FAILED)
            self._child.wait(_DRAIN_SECONDS)
            code = TIMED_OUT
        self._child.release()
        for reader in readers:
            reader.join(_DRAIN_SECONDS)
        self._sent(lambda: self._channel.send(Exit(code, timed_out)))
        return code

    def _carry(self, stream: Stream, read: Callable[[], bytes]) -> None:
        try:
            while data := read():
                if not self._sent(lambda data=data: self._channel.send(Output(data, stream))):  # type: ignore[misc]
                    return
        except OSError:
            return  # A pseudo console ends so.

    def _listen(self) -> None:
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
                self._obey(message)
            except OSError:
                continue  # The command is over already.

    def _obey(self, message: object) -> None:
        if isinstance(message, Stdin):
            self._child.write(message.data)
        elif isinstance(message, CloseStdin):
            self._child.close_stdin()
        elif isinstance(message, Resize):
            self._child.resize(message.rows, message.columns)
        elif isinstance(message, Terminate):
            self._child.terminate(_FAILED)

    def _sent(self, send: Callable[[], None]) -> bool:
        """Send; a parent that is gone takes the command with it."""
        try:
            send()
            return True
        except OSError:
            self._child.terminate(_FAILED)
            return False
