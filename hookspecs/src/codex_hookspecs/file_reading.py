"""Read files of users and projects safely: only regular files, of limited size and depth, with one kind of error."""

from __future__ import annotations

import os
import stat

from codex_hookspecs.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAX_FILE_BYTES = 4 * 1024 * 1024
"""Most bytes of a settings file."""

MAX_DEPTH = 127
"""Most nested levels of tables and lists in a document."""


class TooDeep(ValueError):
    """Raised for a document that is nested too deeply."""

    def __init__(self) -> None:
        super().__init__(f"nested more than {MAX_DEPTH} levels deep")


_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOCTTY", 0)
_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFDIR: "a directory",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}
_CHUNK = 1024 * 1024


def read_bytes(path: str, *, limit: int = MAX_FILE_BYTES, follow: bool = True) -> bytes | None:
    """Return the content of a regular file, without blocking on pipes or devices.

    :param limit: most bytes allowed.
    :param follow: whether the path may be a symbolic link.
    :return: ``None`` if there is no such file.
    :raises ConfigError: when it is not a regular file, too large or can't be read; names the file.
    """
    try:
        descriptor = os.open(path, _FLAGS | (0 if follow else getattr(os, "O_NOFOLLOW", 0)))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise ConfigError(f"can't be read: {getattr(error, 'strerror', None) or error}", source=path) from error
    try:
        return _content(descriptor, path, limit)
    except OSError as error:
        raise ConfigError(f"can't be read: {error.strerror or error}", source=path) from error
    finally:
        os.close(descriptor)


def read_text(path: str, *, limit: int = MAX_FILE_BYTES, errors: str = "strict", follow: bool = True) -> str | None:
    """Return the text of a regular file, without a byte order mark.

    :param limit: most bytes that it may have.
    :param errors: error handler for bytes that are not UTF-8, as of ``bytes.decode``.
    :param follow: whether the path may be a symbolic link.
    :return: ``None`` if there is no such file.
    :raises ConfigError: as :func:`read_bytes`, and when it is not UTF-8.
    """
    data = read_bytes(path, limit=limit, follow=follow)
    if data is None:
        return None
    try:
        return data.decode("utf-8", errors).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise ConfigError(f"is not UTF-8 (byte {error.start})", source=path) from error


def parse_toml(text: str) -> dict[str, Any]:
    """Return the table of a TOML document of limited depth.

    :raises ValueError: when it is not TOML.
    :raises TooDeep: when it is nested too deeply.
    """
    import tomllib

    if text.count(".") > MAX_DEPTH:
        import re

        # The parser takes quadratic time for long dotted keys.
        if re.search(rf"(?<![\w\"'-])(?:[\w\"'-]+[ \t]*\.[ \t]*){{{MAX_DEPTH}}}", text):
            raise TooDeep
    try:
        table = tomllib.loads(text)
    except RecursionError:
        raise TooDeep from None
    if is_too_deep(table):
        raise TooDeep
    return table


def is_too_deep(value: Any) -> bool:
    """Return whether tables and lists are nested deeper than ``MAX_DEPTH``."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for each in level
            for inner in (each.values() if isinstance(each, dict) else each)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def _content(descriptor: int, path: str, limit: int) -> bytes:
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        if os.path.samestat(found, os.stat(os.devnull)):
            return b""
        kind = _KINDS.get(stat.S_IFMT(found.st_mode), "something else")
        raise ConfigError(f"is {kind}, expected a file", source=path)
    chunks = []
    left = limit + 1
    while left and (chunk := os.read(descriptor, min(left, _CHUNK))):
        chunks.append(chunk)
        left -= len(chunk)
    if not left:
        size = max(found.st_size, limit + 1)
        raise ConfigError(f"has {size} bytes, allowed are at most {limit}", source=path)
    return b"".join(chunks)
