"""Find where this program's code and decisions lie: what a command leaves there would later run with more rights."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_real: dict[str, str] = {}


def libraries() -> tuple[str, ...]:
    """Return the directories that modules are imported from, links resolved."""
    return tuple(dict.fromkeys(found for path in sys.path if os.path.isdir(found := _resolved(path))))


def own_places(home: str | None = None) -> tuple[str, ...]:
    """Return the directories that stay as they are where they lie in what commands can write, links resolved.

    :param home: ``$CODEX_HOME``.
    """
    places = {_resolved(path): None for path in (sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix)}
    places |= dict.fromkeys(libraries())
    if home is not None:
        places |= dict.fromkeys((os.path.realpath(home), os.path.realpath(f"{home}/plugins")))
    return tuple(places)


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
