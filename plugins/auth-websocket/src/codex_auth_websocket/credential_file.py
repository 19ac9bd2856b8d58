"""Files with tokens or secrets: read at the start, and again whenever they have changed."""

from __future__ import annotations

import os
import stat
import time
from typing import TYPE_CHECKING, Final, Generic, NamedTuple, TypeVar

from codex_hookspecs.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from logging import Logger

Credentials = TypeVar("Credentials")

MAX_BYTES: Final = 4 * 1024 * 1024
BLANKS: Final = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
"""What is removed from both ends of a file's text: the white space of Unicode, as Codex removes it."""

_SETTLED_NS: Final = 2_000_000_000
"""A file that was changed this shortly before it was read can change again without another time stamp."""
_CHUNK: Final = 64 * 1024
_FLAGS: Final = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOCTTY", 0)


class _Version(NamedTuple):
    """What tells two contents of a file apart, as far as the file system knows."""

    device: int
    inode: int
    size: int
    changed_ns: int
    modified_ns: int


class CredentialFile(Generic[Credentials]):
    """The credentials in a file, always those of its present content.

    :param path: relative paths are those of the process's current directory.
    :param parse: makes the credentials of the file's text, without blanks around it; raises ``ConfigError``.
    :param logger: told once when the file becomes unusable, and when it changes.
    :raises ConfigError: when the file can't be read, is empty, or its content is invalid.
    """

    def __init__(self, path: str, parse: Callable[[str, str], Credentials], logger: Logger) -> None:
        self.path = os.path.abspath(path)
        self._parse = parse
        self._logger = logger
        self._version: _Version | None = None
        self._credentials: Credentials | None = None
        self._faulty = False
        self._load()

    def current(self) -> Credentials | None:
        """Return the credentials, ``None`` while the file is missing or invalid; nobody is let in by older ones."""
        if self._is_unchanged():
            return self._credentials
        before = self._credentials
        try:
            self._load()
        except ConfigError as error:
            if not self._faulty:
                self._faulty = True
                self._logger.error("%s; clients are refused until it is valid again", error)  # noqa: TRY400
        else:
            if self._credentials != before:
                self._logger.info("%s has changed and was read again", self.path)
            self._faulty = False
        return self._credentials

    def _is_unchanged(self) -> bool:
        try:
            return self._version is not None and _version(os.stat(self.path)) == self._version
        except OSError:
            return False  # Reading it tells why.

    def _load(self) -> None:
        self._version = self._credentials = None
        text, self._version = read_secret(self.path)
        self._credentials = self._parse(text, self.path)


def read_secret(path: str) -> tuple[str, _Version | None]:
    """Return the text of a file without the blanks around it, and the version that was read.

    :return: the version is ``None`` when the file may be changing.
    :raises ConfigError: when it can't be read, is not UTF-8, or is empty.
    """
    try:
        data, version = _read(path)
        text = data.decode("utf-8")
    except OSError as error:
        reason = f"{error.strerror} (os error {error.errno})"
        raise ConfigError(f"failed to read websocket auth secret {path}: {reason}") from None
    except UnicodeDecodeError:
        # The error itself holds the secret.
        raise ConfigError(f"failed to read websocket auth secret {path}: stream did not contain valid UTF-8") from None
    except ValueError as error:
        raise ConfigError(f"failed to read websocket auth secret {path}: {error}") from None
    trimmed = text.strip(BLANKS)
    if not trimmed:
        raise ConfigError(f"websocket auth secret {path} must not be empty")
    return trimmed, version


def _read(path: str) -> tuple[bytes, _Version | None]:
    """Return the content of a regular file.

    :raises OSError: when it can't be read.
    :raises ValueError: when it is something else than a file, or too large.
    """
    descriptor = os.open(path, _FLAGS)
    try:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode) and not stat.S_ISDIR(before.st_mode):
            raise ValueError("it is no regular file")
        chunks = []
        left = MAX_BYTES + 1
        while left and (chunk := os.read(descriptor, min(left, _CHUNK))):
            chunks.append(chunk)
            left -= len(chunk)
        if not left:
            raise ValueError(f"it has more than {MAX_BYTES} bytes")
        settled = _version(before) == _version(os.fstat(descriptor)) and _is_settled(before)
        return b"".join(chunks), _version(before) if settled else None
    finally:
        os.close(descriptor)


def _is_settled(found: os.stat_result) -> bool:
    return time.time_ns() - max(found.st_mtime_ns, found.st_ctime_ns) > _SETTLED_NS


def _version(found: os.stat_result) -> _Version:
    return _Version(found.st_dev, found.st_ino, found.st_size, found.st_ctime_ns, found.st_mtime_ns)
