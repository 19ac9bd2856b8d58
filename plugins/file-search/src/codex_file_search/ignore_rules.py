"""Which files are left out of searches: the rules of ``.gitignore`` in repositories, and those of ``.ignore``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from codex_hookspecs.environments import project_root
from codex_hookspecs.errors import ConfigError
from codex_hookspecs.files import read_bytes

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from typing import Any

    from pathspec import GitIgnoreSpec

_MAX_BYTES: Final = 256 * 1024
_MAX_LINES: Final = 5000
_DIRECTORY_MARK: Final = "ps_d"
"""Group of the library's expressions that matches the slash after the name of a directory."""


class IgnoreRules:
    """The rules that hold in one directory: its own, and those of the directories above.

    :param specs: rules with the directory that they are relative to, the nearest last.
    :param in_repository: whether ``.gitignore`` counts.
    """

    def __init__(self, specs: Sequence[tuple[str, GitIgnoreSpec]], *, in_repository: bool) -> None:
        self._specs = specs
        self._in_repository = in_repository

    @classmethod
    def of_root(cls, root: str) -> IgnoreRules:
        """Return the rules for the root of a search, with those of the directories above it."""
        repository = project_root(root)
        specs: list[tuple[str, GitIgnoreSpec]] = []
        if repository is not None:
            specs += _read(repository, os.path.join(".git", "info", "exclude"))
        directories = [root]
        while (above := os.path.dirname(directories[-1])) != directories[-1]:
            directories.append(above)
        for directory in reversed(directories):
            inside = repository is not None and f"{directory}/".startswith(f"{repository.rstrip('/')}/")
            specs += _specs_of(directory, with_git=inside)
        return cls(specs, in_repository=repository is not None)

    def below(self, directory: str, names: Collection[str]) -> IgnoreRules:
        """Return the rules for a directory below.

        :param names: names of its entries.
        """
        if ".git" in names and not self._in_repository:
            return IgnoreRules([*self._specs, *_specs_of(directory, with_git=True)], in_repository=True)
        if ".ignore" in names or (self._in_repository and ".gitignore" in names):
            own = _specs_of(directory, with_git=self._in_repository)
            return IgnoreRules([*self._specs, *own], in_repository=self._in_repository) if own else self
        return self

    def ignores(self, path: str, *, directory: bool) -> bool:
        """Return whether an entry is left out; the rules that are nearest to it decide.

        Rules are compared with the entry alone, not with the directories that it is in: those below the root were not
        left out, and the root itself never is.
        """
        for base, spec in reversed(self._specs):
            relative = path[len(base) :] + "/" * directory
            for pattern in reversed(spec.patterns):
                if pattern.include is not None and _names(pattern, relative):
                    return pattern.include
        return False


def _names(pattern: Any, path: str) -> bool:
    """Return whether a rule is about an entry itself, and not about a directory that it is in."""
    found = pattern.match_file(path)
    if found is None:
        return False
    groups = found.match.re.groupindex
    return _DIRECTORY_MARK not in groups or found.match.start(_DIRECTORY_MARK) in (-1, len(path) - 1)


def _specs_of(directory: str, *, with_git: bool) -> list[tuple[str, GitIgnoreSpec]]:
    git = _read(directory, ".gitignore") if with_git else []
    return [*git, *_read(directory, ".ignore")]


def _read(directory: str, name: str) -> list[tuple[str, GitIgnoreSpec]]:
    """Return the rules of a file, relative to the directory; none if it can't be read."""
    try:
        data = read_bytes(os.path.join(directory, name), limit=_MAX_BYTES)
    except ConfigError:
        return []
    if not data or not data.strip():
        return []
    from pathspec import GitIgnoreSpec

    lines = data.decode("utf-8", "replace").splitlines()[:_MAX_LINES]
    try:
        return [(f"{directory.rstrip('/')}/", GitIgnoreSpec.from_lines(lines))]
    except ValueError:
        return []
