"""Resolve a path part by part, and record the symbolic links on the way."""

from __future__ import annotations

import errno
import os
import stat

from codex_hookspecs.light import NamedTuple
from codex_sandboxing.linux.cleanup import is_marked

_MOST_LINKS = 40


class Traced(NamedTuple):
    """A resolved path.

    :param place: real path of the part that exists.
    :param rest: parts behind it that do not exist, or can't be looked up.
    :param links: symbolic links on the way, each by the real path of its directory.
    :param blocked: the first part of the rest may exist, but the user has no search permission for the place.
    """

    place: str
    rest: tuple[str, ...]
    links: tuple[str, ...]
    blocked: bool = False

    @property
    def end(self) -> str:
        """The whole path, with its links resolved as far as it exists."""
        return below(self.place, "/".join(self.rest)) if self.rest else self.place


def trace(path: str) -> Traced:
    """Resolve an absolute path; a placeholder counts as missing.

    :raises OSError: for a loop of links.
    """
    place = "/"
    links: list[str] = []
    ahead = path.split("/")[::-1]
    while ahead:
        part = ahead.pop()
        if part in ("", "."):
            continue
        if part == "..":
            place = os.path.dirname(place)
            continue
        current = below(place, part)
        try:
            mode = os.lstat(current).st_mode
        except (FileNotFoundError, NotADirectoryError):
            mode = None
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.ENAMETOOLONG):
                raise
            return Traced(place, (part, *reversed(ahead)), tuple(links), blocked=True)
        if mode is None or (is_marked(mode) and not _has_entries(current)):
            return Traced(place, (part, *(each for each in reversed(ahead) if each not in ("", "."))), tuple(links))
        if stat.S_ISLNK(mode):
            links.append(current)
            if len(links) > _MOST_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
            target = os.readlink(current)
            place = "/" if target.startswith("/") else place
            ahead += target.split("/")[::-1]
            continue
        place = current
    return Traced(place, (), tuple(links))


def below(folder: str, name: str) -> str:
    """Return the path of a name in a directory."""
    return f"{folder.rstrip('/')}/{name}"


def _has_entries(folder: str) -> bool:
    try:
        return bool(os.listdir(folder))
    except OSError:
        return False
