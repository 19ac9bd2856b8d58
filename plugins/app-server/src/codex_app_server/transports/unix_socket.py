"""Unix sockets: where they are, binding one that nobody else serves, removing it."""

from __future__ import annotations

import fcntl
import os
import socket
import stat
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from codex_hookspecs.errors import ConfigError
from codex_listener.sockets import BACKLOG

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER: Final = "app-server-control"
NAME: Final = "app-server-control.sock"
_MAX_PATH: Final = 107 if sys.platform == "linux" else 103
"""Bytes of a socket's path that the system allows."""
_DESCRIPTORS: Final = "/proc/self/fd"
_ALIVE_SECONDS: Final = 2.0


def default_path(codex_home: str) -> str:
    """Return the path of ``unix://`` without a path, that of Codex 0.169."""
    return os.path.join(codex_home, FOLDER, NAME)


class UnixListener:
    """A listening socket in the file system, for its owner only.

    :param path: absolute path; a socket there whose server is dead is replaced.
    :raises ConfigError: when another server uses it, or there is something else.
    :raises OSError: when it can't be made.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with _locked(os.path.dirname(path), path), _shortened(path) as short:
                _remove_dead(path)
                mask = os.umask(0o177)
                try:
                    self.socket.bind(short)
                finally:
                    os.umask(mask)
                self._identity = _identity(path)
                self.socket.listen(BACKLOG)
                self.socket.setblocking(False)
        except BaseException:
            self.socket.close()
            raise

    def remove(self) -> None:
        """Remove the file, unless it is another server's by now."""
        with suppress(OSError):
            if _identity(self.path) == self._identity:
                os.unlink(self.path)


def connect_socket(path: str, seconds: float) -> socket.socket:
    """Connect to a server's socket.

    :param seconds: how long that may take.
    :raises ConfigError: when the path is too long for this system.
    :raises OSError: when no server answers.
    """
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(seconds)
        with _shortened(path) as short:
            connection.connect(short)
        connection.settimeout(None)
    except BaseException:
        connection.close()
        raise
    return connection


def make_folder(path: str) -> None:
    """Make the directory of the default socket, for its owner only."""
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)


@contextmanager
def _shortened(path: str) -> Iterator[str]:
    """Give a path that a socket can have: a long one by way of its directory's descriptor, where the system has that.

    :raises ConfigError: when it is too long otherwise.
    """
    if len(os.fsencode(path)) <= _MAX_PATH:
        yield path
        return
    name = os.path.basename(path)
    if not os.path.isdir(_DESCRIPTORS) or len(os.fsencode(name)) > _MAX_PATH - len(_DESCRIPTORS) - 12:
        raise ConfigError(f"the path of a Unix socket has at most {_MAX_PATH} bytes: {path}")
    descriptor = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"{_DESCRIPTORS}/{descriptor}/{name}"
    finally:
        os.close(descriptor)


@contextmanager
def _locked(folder: str, path: str) -> Iterator[None]:
    """Keep other servers from replacing the socket meanwhile."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(f"another app-server is starting at {path}") from None
        yield
    finally:
        os.close(descriptor)


def _remove_dead(path: str) -> None:
    try:
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            raise ConfigError(f"app-server control socket path exists and is not a socket: {path}")
    except FileNotFoundError:
        with suppress(FileNotFoundError):
            if stat.S_ISLNK(os.lstat(path).st_mode):  # to a socket that is gone, as Codex makes it
                os.unlink(path)
        return
    try:
        connect_socket(path, _ALIVE_SECONDS).close()
    except ConnectionRefusedError:
        os.unlink(path)
    except OSError as error:  # e.g. its backlog is full
        raise ConfigError(f"app-server control socket is already in use at {path} ({error})") from error
    else:
        raise ConfigError(f"app-server control socket is already in use at {path}")


def _identity(path: str) -> tuple[int, int]:
    found = os.lstat(path)
    return found.st_dev, found.st_ino
