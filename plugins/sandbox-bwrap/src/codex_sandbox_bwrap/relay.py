"""Relay connections to a proxy across the sandbox: Unix sockets outside of it, local ports inside.

This file is also a program for interpreters without site-packages (``-I -S``), so it must not import anything of this
project.

``outside DIRECTORY ENDPOINT...`` serves ``DIRECTORY/proxy-route-N.sock`` for each ``HOST:PORT`` until stdin ends.
``inside FILTER DIRECTORY COUNT KEY=N... -- COMMAND`` relays local ports to those sockets and runs a command.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_BYTES = 65536
_CONNECT_SECONDS = 10.0
_READY = b"."


def outside(folder: str, endpoints: list[str]) -> None:
    """Relay Unix sockets to endpoints of the host, until the process that started this one is gone (EOF on stdin)."""
    listeners = []
    targets = []
    os.chdir(folder)  # The path of a Unix socket must be short.
    for index, endpoint in enumerate(endpoints):
        host, _, port = endpoint.rpartition(":")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(f"proxy-route-{index}.sock")
        listener.listen(64)
        listeners.append(listener)
        targets.append((host, int(port)))
    os.write(1, _READY)
    os.close(1)
    relay(listeners, lambda index: _connect_tcp(targets[index]))
    while os.read(0, _BYTES):
        pass


def inside(program: bytes, folder: str, count: int, variables: list[str], command: list[str]) -> None:
    """Relay local ports to the Unix sockets and run the command; does not return."""
    listeners = []
    for _ in range(count):
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        listeners.append(listener)
    _disable_ptrace()
    ports = [listener.getsockname()[1] for listener in listeners]
    parent = os.getpid()
    if os.fork() == 0:
        _die_with_parent(parent)
        null = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(null, number)
        os.setsid()
        os.chdir(folder)
        relay(listeners, lambda index: _connect_unix(f"proxy-route-{index}.sock"))
        while True:
            signal.pause()
    for listener in listeners:
        listener.close()
    for variable in variables:
        key, _, form = variable.partition("=")
        index, before, after = form.split("\x1f")
        os.environ[key] = f"{before}127.0.0.1:{ports[int(index)]}{after}"
    pid = os.fork()
    if pid == 0:
        exec_filtered(command, program)
    _wait(pid)


def exec_filtered(command: list[str], program: bytes) -> None:
    """Apply the system call filter and exec the command; does not return."""
    _apply_filter(program)
    try:
        os.execvp(command[0], command)  # noqa: S606
    except OSError as error:
        sys.stderr.write(f"codex: {command[0]}: {error.strerror}\n")
        os._exit(127 if isinstance(error, FileNotFoundError) else 126)


def _wait(pid: int) -> None:
    """Act as the init process of the sandbox: reap orphans, exit with the command's status; does not return."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    while True:
        ended, status = os.wait()
        if ended == pid:
            code = os.waitstatus_to_exitcode(status)
            os._exit(code if code >= 0 else 128 - code)


def relay(listeners: list[socket.socket], connect: Callable[[int], socket.socket]) -> None:
    """Relay every connection to a listener to what ``connect(index)`` returns, in background threads."""
    for index, listener in enumerate(listeners):
        threading.Thread(target=_serve, args=(listener, index, connect), daemon=True).start()


def _serve(listener: socket.socket, index: int, connect: Callable[[int], socket.socket]) -> None:
    while True:
        client, _ = listener.accept()
        threading.Thread(target=_connect_streams, args=(client, index, connect), daemon=True).start()


def _connect_streams(client: socket.socket, index: int, connect: Callable[[int], socket.socket]) -> None:
    with client:
        try:
            server = connect(index)
        except OSError:
            return
        with server:
            back = threading.Thread(target=_copy_stream, args=(server, client), daemon=True)
            back.start()
            _copy_stream(client, server)
            back.join()


def _copy_stream(source: socket.socket, target: socket.socket) -> None:
    """Copy from one socket to the other until EOF, then shut down the other's writing side."""
    try:
        while data := source.recv(_BYTES):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        for each in (source, target):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


def _connect_tcp(target: tuple[str, int]) -> socket.socket:
    connected = socket.create_connection(target, _CONNECT_SECONDS)
    connected.settimeout(None)
    return connected


def _connect_unix(path: str) -> socket.socket:
    connected = socket.socket(socket.AF_UNIX)
    connected.settimeout(_CONNECT_SECONDS)
    connected.connect(path)
    connected.settimeout(None)
    return connected


def _die_with_parent(parent: int) -> None:
    """Set a parent-death signal, for calls where no pid namespace ends with the command."""
    import ctypes

    ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # The parent ended before the signal was set.
        os._exit(0)


def _disable_ptrace() -> None:
    """Make this process non-dumpable, so that the command can't ptrace the unfiltered relay; exec resets this."""
    import ctypes

    ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)


def _apply_filter(program: bytes) -> None:
    """Load a seccomp filter for this process."""
    import ctypes

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]

    buffer = ctypes.create_string_buffer(program, len(program))
    whole = Program(len(program) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(38, 1, 0, 0, 0) != 0 or libc.prctl(22, 2, ctypes.byref(whole), 0, 0) != 0:
        sys.stderr.write("codex: the command was not run: its system calls can't be filtered\n")
        os._exit(126)


def main(words: list[str]) -> None:
    """Run the subcommand that the first word names."""
    if words[0] == "outside":
        outside(words[1], words[2:])
        return
    end = words.index("--")
    inside(bytes.fromhex(words[1]), words[2], int(words[3]), words[4:end], words[end + 1 :])


if __name__ == "__main__":
    main(sys.argv[1:])
