"""Read files of people and projects, which may not be what they seem: regular files only, bounded, one clear error."""

from __future__ import annotations

import os
import stat

from codex_hookspecs.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LONGEST = 4 * 1024 * 1024
"""Bytes that a file of settings may have."""

DEEPEST = 127
"""Levels of tables and lists that a document may have, in TOML as in JSON."""


class TooDeep(ValueError):
    """Raised for a document whose tables and lists are nested too deep."""

    def __init__(self) -> None:
        super().__init__(f"nested more than {DEEPEST} levels deep")


_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOCTTY", 0)
_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFDIR: "a directory",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}
_CHUNK = 1024 * 1024


def read_bytes(path: str, *, limit: int = LONGEST, follow: bool = True) -> bytes | None:
    """Return the content of a regular file; a pipe or a device is neither waited for nor read.

    :param limit: most bytes it may have.
    :param follow: whether the path may be a link.
    :return: ``None`` when there is no such file.
    :raises ConfigError: when it is something else, too large or can't be read; names the file.
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


def read_text(path: str, *, limit: int = LONGEST, errors: str = "strict", follow: bool = True) -> str | None:
    """Return the text of a regular file, without a byte order mark.

    :param limit: most bytes that it may have.
    :param errors: what becomes of bytes that are not UTF-8, as of ``bytes.decode``.
    :param follow: whether the path may be a link.
    :return: ``None`` when there is no such file.
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
    """Return the table of a TOML document of bounded depth.

    :raises ValueError: when it is not TOML.
    :raises TooDeep: when it is nested too deep.
    """
    import tomllib

    if text.count(".") > DEEPEST:
        import re

        # Long dotted keys take the parser a time that grows with their square.
        if re.search(rf"(?<![\w\"'-])(?:[\w\"'-]+[ \t]*\.[ \t]*){{{DEEPEST}}}", text):
            raise TooDeep
    try:
        table = tomllib.loads(text)
    except RecursionError:
        raise TooDeep from None
    if is_too_deep(table):
        raise TooDeep
    return table


def is_too_deep(value: Any) -> bool:
    """Tell whether tables and lists are nested deeper than a document may be."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(DEEPEST):
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
