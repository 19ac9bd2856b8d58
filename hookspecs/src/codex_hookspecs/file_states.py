"""Tell whether files changed: by time and size, and by a hash over their content."""

from __future__ import annotations

import os
from collections.abc import Iterable

_SKIPPED = ("__pycache__", ".git", ".venv", "node_modules")


def states_of(paths: Iterable[str]) -> dict[str, list[int] | None]:
    """Return modification time and size by path, ``None`` for what is not there."""
    states: dict[str, list[int] | None] = {}
    for path in paths:
        try:
            found = os.stat(path or ".")
            states[path] = [found.st_mtime_ns, found.st_size]
        except OSError:
            states[path] = None
    return states


def files_below(folder: str) -> dict[str, list[int] | None]:
    """Return the state of every file of a folder, by path relative to it; what programs leave behind is left out."""
    paths: list[str] = []
    for directory, names, files in os.walk(folder):
        names[:] = sorted(name for name in names if name not in _SKIPPED)
        paths += [os.path.join(directory, name) for name in sorted(files)]
    return {os.path.relpath(path, folder): state for path, state in states_of(paths).items()}


def digest_of(folder: str, names: Iterable[str], *, seed: str = "") -> str:
    """Return the SHA-256 over names and content of files, in hexadecimal digits; what can't be read counts as empty.

    :param names: paths relative to the folder.
    :param seed: what else the hash is to depend on.
    """
    from hashlib import sha256

    digest = sha256(seed.encode())
    for name in sorted(names):
        try:
            with open(os.path.join(folder, name), "rb") as file:
                content = file.read()
        except OSError:
            content = b""
        digest.update(f"\0{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()
