"""Find the directories of this program's code and settings: what a command writes there would later run unsandboxed."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_real: dict[str, str] = {}
_FOLDER = ".codex"
_LINE_BYTES = 16 * 1024
_trusted: dict[str, tuple[tuple[int, int, int], tuple[str, ...]]] = {}


def libraries() -> tuple[str, ...]:
    """Return the directories that modules are imported from, links resolved."""
    return tuple(dict.fromkeys(found for path in sys.path if os.path.isdir(found := _resolved(path))))


def own_places(home: str | None = None) -> tuple[str, ...]:
    """Return the directories that stay read-only where they are inside of a writable root.

    Links are resolved, except in a name of ``$CODEX_HOME`` whose links must not be replaced. The ``.codex`` directories
    of all projects that the user trusts are among them.

    :param home: ``$CODEX_HOME``.
    """
    places = {_resolved(path): None for path in (sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix)}
    places |= dict.fromkeys(libraries())
    if home is not None:
        real = os.path.realpath(home)
        places |= dict.fromkeys(
            (
                real,
                *_links_to(real),
                os.path.realpath(f"{home}/plugins"),
                *_settings_of_trusted_projects(home),
            )
        )
    return tuple(places)


def _links_to(home: str) -> list[str]:
    """Return how the user names the program's home, where that leads to it through links."""
    named = os.environ.get("CODEX_HOME") or os.path.join(os.environ.get("HOME") or "/", ".codex")
    spelled = os.path.abspath(named)
    return [spelled] if spelled != home and os.path.realpath(spelled) == home else []


def is_closed(root: str, named: Iterable[str], imported: Iterable[str]) -> bool:
    """Tell whether a directory stays read-only although work is done there: modules are imported from it.

    :param root: absolute, links resolved.
    :param named: directories that the policy names itself, links resolved; those are opened.
    :param imported: what :func:`libraries` says where the root lies.
    """
    below = f"{root.rstrip(os.sep)}{os.sep}"
    return root not in named and any(below.startswith(f"{place.rstrip(os.sep)}{os.sep}") for place in imported)


def _resolved(path: str) -> str:
    """Return a path with its links resolved as they were when it was first asked for."""
    if not os.path.isabs(path):
        return ""
    found = _real.get(path)
    if found is None:
        found = _real[path] = os.path.realpath(path)
    return found


def _settings_of_trusted_projects(home: str) -> Iterator[str]:
    """Yield the ``.codex`` of every project that the user's ``config.toml`` trusts, and of its linked work trees.

    A work tree counts while git lists it, also when it is gone, for it would be trusted if it came back.

    :param home: ``$CODEX_HOME``.
    """
    for project in _trusted_projects(f"{home}/config.toml"):
        if os.path.isdir(project):
            yield f"{project}/{_FOLDER}"
            for tree in _work_trees(f"{project}/.git/worktrees"):
                yield f"{tree}/{_FOLDER}"


def _trusted_projects(file: str) -> tuple[str, ...]:
    """Return the directories that a file says are trusted, links resolved; none where it can't be read.

    It is read again when it has changed.
    """
    try:
        found = os.stat(file)
    except OSError:
        return ()
    state = (found.st_mtime_ns, found.st_size, found.st_ino)
    known = _trusted.get(file)
    if known is None or known[0] != state:
        known = _trusted[file] = (state, tuple(_parsed(file)))
    return known[1]


def _parsed(file: str) -> Iterator[str]:
    from codex_hookspecs.errors import ConfigError
    from codex_hookspecs.file_reading import parse_toml, read_text

    try:
        text = read_text(file) or ""
        projects = parse_toml(text).get("projects") if "trust_level" in text else None
    except (ConfigError, ValueError):
        return
    for path, entry in projects.items() if isinstance(projects, dict) else ():
        if isinstance(entry, dict) and entry.get("trust_level") == "trusted" and os.path.isabs(path):
            yield os.path.realpath(path)


def _work_trees(folder: str) -> Iterator[str]:
    """Yield the linked work trees that git lists in a repository."""
    from codex_hookspecs.errors import ConfigError
    from codex_hookspecs.file_reading import read_bytes

    try:
        names = os.listdir(folder)
    except OSError:
        return
    for name in names:
        try:
            line = os.fsdecode(read_bytes(f"{folder}/{name}/gitdir", limit=_LINE_BYTES, follow=False) or b"").strip()
        except ConfigError:
            continue
        if line and "\0" not in line:
            yield os.path.realpath(os.path.dirname(os.path.join(folder, name, line)))
