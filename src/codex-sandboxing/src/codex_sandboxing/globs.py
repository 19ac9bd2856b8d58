"""Read patterns of denied paths, and find what they match on the disk.

``*`` and ``?`` stay within one part of a path, ``**/`` stands for any number of parts, ``[…]`` for a class, ``[!…]``
for its opposite; an unclosed bracket means itself. A match stands for its whole tree.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from codex_hookspecs.errors import ConfigError

META = frozenset("*?[")
"""Characters that make a path a pattern."""

MOST_ENTRIES = 200_000
MOST_MATCHES = 1000
_SPECIAL = frozenset(r".^$*+?()[]{}|\\")
_OF_THE_KERNEL = ("/proc", "/sys", "/dev")


def expression(pattern: str) -> str:
    """Return the regular expression for a pattern, without anchors; a subset that all engines read alike."""
    made, at = "", 0
    while at < len(pattern):
        piece, at = _piece(pattern, at)
        made += piece
    return made


def fixed_part(pattern: str) -> str:
    """Return the deepest directory that all matches of a pattern are below; the path itself if it is no pattern."""
    parts = pattern.split("/")
    fixed = next((at for at, part in enumerate(parts) if META & set(part)), len(parts))
    return "/".join(parts[:fixed]) or "/"


class Search:
    """Finds the paths that patterns match, within bounds for all of them together.

    :param most: how many directory entries may be looked at.
    """

    def __init__(self, most: int = MOST_ENTRIES) -> None:
        self._left = self._most = most
        self._found = 0

    def matches(self, pattern: str) -> Iterator[str]:
        """Yield the existing paths that match, parents before children, nothing below a match; ``**`` follows no links.

        A directory that can't be listed is yielded as a whole.

        :raises ConfigError: when there is too much to search, or the pattern can't be enforced.
        """
        start = os.path.realpath(fixed_part(pattern))
        if any(start == tree or start.startswith(f"{tree}/") for tree in _OF_THE_KERNEL):
            raise ConfigError(f"the pattern {pattern!r} is for a file system of the kernel; deny the paths themselves")
        parts = pattern[len(fixed_part(pattern)) :].strip("/").split("/")
        if parts == [""]:
            if os.path.lexists(start):
                yield start
            return
        try:
            shape = _Shape(start, parts)
        except re.error as error:
            raise ConfigError(f"the pattern {pattern!r} is not valid: {error}") from error
        for path in self._walk(shape, start, pattern):
            self._found += 1
            if self._found > MOST_MATCHES:
                raise ConfigError(
                    f"the pattern {pattern!r} matches too much, more than {MOST_MATCHES} paths are denied; "
                    "deny the directories that contain them"
                )
            yield path

    def _walk(self, shape: _Shape, start: str, pattern: str) -> Iterator[str]:
        waiting = [(start, 0)]
        for folder, depth in waiting:  # It grows meanwhile.
            try:
                with os.scandir(folder) as listing:
                    entries = list(listing)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError:
                yield folder
                continue
            self._left -= len(entries)
            if self._left < 0:
                raise ConfigError(
                    f"the pattern {pattern!r} requires searching more than {self._most} paths; "
                    "begin it with a narrower directory"
                )
            for entry in entries:
                path = f"{folder.rstrip('/')}/{entry.name}"
                if shape.whole.fullmatch(path):
                    yield path
                elif shape.leads_on(entry, depth) and path not in _OF_THE_KERNEL:
                    waiting.append((path, depth + 1))


class _Shape:
    """What a walk compares with.

    :raises re.error: for a class that is none.
    """

    def __init__(self, start: str, parts: list[str]) -> None:
        self.whole = re.compile(f"{re.escape(start.rstrip('/'))}/{expression('/'.join(parts))}", re.DOTALL)
        self._deep = next((at for at, part in enumerate(parts) if "**" in part), None)
        self._names = [re.compile(expression(part), re.DOTALL) for part in parts[: self._deep]]

    def leads_on(self, entry: os.DirEntry[str], depth: int) -> bool:
        """Tell whether there can be matches below an entry."""
        if depth < len(self._names):
            more = self._deep is not None or depth + 1 < len(self._names)
            return more and self._names[depth].fullmatch(entry.name) is not None and _is_directory(entry, follow=True)
        return self._deep is not None and _is_directory(entry, follow=False)


def _is_directory(entry: os.DirEntry[str], *, follow: bool) -> bool:
    try:
        return entry.is_dir(follow_symlinks=follow)
    except OSError:
        return False


def _piece(pattern: str, at: int) -> tuple[str, int]:
    """Return the expression for the token at a position, and the position behind it."""
    if pattern.startswith("**/", at):
        return "(.*/)?", at + 3
    if pattern.startswith("**", at):
        return ".*", at + 2
    character = pattern[at]
    if character == "*":
        return "[^/]*", at + 1
    if character == "?":
        return "[^/]", at + 1
    if character == "[":
        return _class(pattern, at)
    return literal(character), at + 1


def _class(pattern: str, at: int) -> tuple[str, int]:
    negated = pattern.startswith("!", at + 1)
    begin = at + 1 + negated
    end = pattern.find("]", begin + 1)
    if end < 0 or "/" in pattern[begin:end]:
        return r"\[", at + 1
    members = "".join(f"\\{member}" if member in "\\[]^" else member for member in pattern[begin:end])
    return f"[{'^/' if negated else ''}{members}]", end + 1


def literal(text: str) -> str:
    """Return the expression for a text itself."""
    return "".join(f"\\{character}" if character in _SPECIAL else character for character in text)
