"""A command on POSIX pipes or a pseudo-terminal, in place of one on Windows."""

from __future__ import annotations

import os
import signal
import subprocess
import termios
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress

from codex_sandbox_windows.child import SpawnError
from codex_sandbox_windows.messages import SpawnRequest, Stream


class PosixChild:
    def __init__(self, request: SpawnRequest) -> None:
        self._tty = request.tty
        self._lock = threading.Lock()
        if request.tty:
            master, slave = os.openpty()
            termios.tcsetwinsize(slave, (24, 80))
            ends, self._stdin = (slave, slave, slave), os.dup(master)
            self._reading: dict[Stream, int] = {"stdout": master}
            theirs = {slave}
        else:
            (in_r, in_w), (out_r, out_w), (err_r, err_w) = os.pipe(), os.pipe(), os.pipe()
            ends, self._stdin = (in_r, out_w, err_w), in_w
            self._reading = {"stdout": out_r, "stderr": err_r}
            theirs = set(ends)
        try:
            self._popen = subprocess.Popen(
                request.command, cwd=request.cwd, env=request.env, stdin=ends[0], stdout=ends[1], stderr=ends[2],
                start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            self.close_stdin()
            for descriptor in self._reading.values():
                os.close(descriptor)
            raise SpawnError(f"{request.command[0]}: {error.strerror}") from error
        finally:
            for descriptor in theirs:
                os.close(descriptor)
        if not (request.stdin_open or request.tty):
            self.close_stdin()

    @property
    def process_id(self) -> int:
        return self._popen.pid

    @property
    def outputs(self) -> Mapping[Stream, Callable[[], bytes]]:
        return {name: lambda handle=handle: os.read(handle, 65536) for name, handle in self._reading.items()}

    def write(self, data: bytes) -> None:
        with self._lock:
            if self._stdin is not None:
                os.write(self._stdin, data)

    def close_stdin(self) -> None:
        with self._lock:
            if self._stdin is not None:
                os.close(self._stdin)
                self._stdin = None

    def resize(self, rows: int, columns: int) -> None:
        if self._tty:
            termios.tcsetwinsize(self._reading["stdout"], (rows, columns))

    def terminate(self, exit_code: int) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._popen.pid, signal.SIGKILL)

    def wait(self, seconds: float | None) -> int | None:
        try:
            return self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def release(self) -> None:
        self.terminate(1)

    def close(self) -> None:
        self.close_stdin()
        for descriptor in self._reading.values():
            os.close(descriptor)
        self._reading = {}


class SocketTransport:
    """A transport over one end of a socket pair."""

    def __init__(self, connection) -> None:
        self._connection = connection

    def read(self, size: int) -> bytes:
        return self._connection.recv(size)

    def write(self, data: bytes) -> None:
        self._connection.sendall(data)

    def wait_readable(self, seconds: float) -> bool:
        import select

        return bool(select.select([self._connection], [], [], seconds)[0])

    def close(self) -> None:
        self._connection.close()
