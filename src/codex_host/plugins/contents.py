"""Find and hash all files of a third-party plugin's distribution."""

from __future__ import annotations

import ast
import os
import re
import stat
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from codex_hookspecs.values import frozen

if TYPE_CHECKING:
    from codex_host.plugins.manifest import FoundPlugin

_BYTE_CODE = "__pycache__"
_EXCLUDED = frozenset((_BYTE_CODE, ".git", ".venv", "node_modules", ".mypy_cache", ".pytest_cache", ".ruff_cache"))
"""Folders in source trees that are not part of the package."""
_METADATA = frozenset(("METADATA", "PKG-INFO", "entry_points.txt"))
"""The metadata files that are hashed; others only record when and how the distribution was installed."""
_MODULE = re.compile(r"[^\W\d]\w*(\.py|\.[\w-]*\.?(so|pyd)|\.pyc)?")
_MAPPING = re.compile(r"^MAPPING(?:: [^=]*)? = (\{.*\})$", re.MULTILINE)
_CHUNK_BYTES = 1 << 20


@frozen
class Contents:
    """The files of a distribution.

    :param roots: absolute paths of package folders and single files; everything below them belongs to the distribution.
    :param digests: SHA-256 in hexadecimal digits, by absolute path.
    :param names: the same by path relative to the place of installation.
    :param top_levels: first words of the names of its modules.
    """

    roots: tuple[str, ...]
    top_levels: frozenset[str]
    digests: dict[str, str]
    names: dict[str, str]

    @property
    def digest(self) -> str:
        """One hash over all files."""
        from hashlib import sha256

        return sha256("\0".join(f"{name}\0{self.names[name]}" for name in sorted(self.names)).encode()).hexdigest()


def contents_of(plugin: FoundPlugin) -> Contents:
    """Return the files of a plugin's distribution: every package, module and data file that was installed.

    For an editable install these are the files importable from its source tree. Compiled byte code is left out; it is
    never used (see :mod:`codex_host.plugins.guarded_import`).
    """
    site = os.path.dirname(plugin.info)
    roots: dict[str, str] = {}
    sources: dict[str, str] = {}
    for path in _recorded(plugin.info) if plugin.info else ():
        place = os.path.normpath(os.path.join(site, path))
        if os.path.dirname(place) == plugin.info:
            if os.path.basename(place) in _METADATA:
                roots[place] = plugin.info
        elif _BYTE_CODE not in place.split(os.sep):
            roots.setdefault(_package_of(place, site), site)
            sources |= _sources_named_in(place, site)
    if plugin.folder and not any(_is_inside(plugin.folder, root) for root in (*roots, *sources)):
        module = plugin.value.partition(":")[0].partition(".")[0]
        single = os.path.join(plugin.folder, f"{module}.py")
        package = plugin.folder if os.path.basename(plugin.folder) == module else single
        roots[package] = os.path.dirname(package)
    digests: dict[str, str] = {}
    names = {"entry point": plugin.value}
    for left_out, found in ((frozenset((_BYTE_CODE,)), roots), (_EXCLUDED, sources)):
        for root, base in found.items():
            for path in _files(root, left_out):
                digests[path] = digest_of_file(path)
                names[os.path.relpath(path, base)] = digests[path]
    tops = {os.path.relpath(root, base).split(os.sep)[0].partition(".")[0] for root, base in (roots | sources).items()}
    return Contents((*roots, *sources), frozenset(filter(str.isidentifier, tops)), digests, names)


def digest_of_file(path: str) -> str:
    """Return the hash of a file's content, or a description when it is not a regular file or can't be read."""
    from hashlib import sha256

    digest = sha256()
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
        with open(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return "no regular file"
            while piece := file.read(_CHUNK_BYTES):
                digest.update(piece)
    except OSError as error:
        return f"unreadable: {error.strerror}"
    return digest.hexdigest()


def _recorded(info: str) -> Iterator[str]:
    """Yield the files listed in the installation record, relative to the site directory."""
    for name in ("RECORD", "installed-files.txt"):
        try:
            with open(os.path.join(info, name), encoding="utf-8", errors="surrogateescape", newline="") as file:
                text = file.read()
        except OSError:
            continue
        if name != "RECORD":
            yield from (os.path.join(os.path.basename(info), line) for line in text.splitlines() if line)
        elif '"' in text:
            import csv

            yield from (row[0] for row in csv.reader(text.splitlines()) if row)
        else:
            yield from (line.rsplit(",", 2)[0] for line in text.splitlines() if line)
        return
    yield from (os.path.join(os.path.basename(info), name) for name in _METADATA if os.path.exists(f"{info}/{name}"))


def _package_of(place: str, site: str) -> str:
    """Return the outermost package that contains a file, or the file itself."""
    package = place
    if _is_inside(place, site):
        parts = os.path.relpath(place, site).split(os.sep)[:-1]
        for count in range(1, len(parts) + 1):
            folder = os.path.join(site, *parts[:count])
            if os.path.exists(os.path.join(folder, "__init__.py")):
                return folder
    return package


def _sources_named_in(place: str, site: str) -> dict[str, str]:
    """Return the source folders and files of an editable install, each with the directory its names are relative to."""
    if os.path.dirname(place) != site or not place.endswith((".pth", "_finder.py")):
        return {}
    try:
        with open(place, encoding="utf-8", errors="surrogateescape") as file:
            text = file.read(_CHUNK_BYTES)
    except OSError:
        return {}
    if place.endswith(".py"):
        found = _MAPPING.search(text)
        mapping = ast.literal_eval(found[1]) if found and "__editable__" in place else {}
        return {path: os.path.dirname(path) for each in mapping.values() for path in (each, f"{each}.py")}
    lines = [line for line in text.splitlines() if line and not line.startswith(("import", "#"))]
    folders = [os.path.abspath(os.path.join(site, line)) for line in lines]
    return {
        os.path.join(folder, name): folder
        for folder in folders
        if os.path.isdir(folder)
        for name in os.listdir(folder)
        if _MODULE.fullmatch(name) and name not in _EXCLUDED
    }


def _files(root: str, left_out: Iterable[str]) -> Iterator[str]:
    """Yield the files below a root, following symbolic links as imports do, each folder once."""
    if not os.path.isdir(root):
        if os.path.lexists(root):
            yield root
        return
    seen: set[str] = set()
    for directory, names, files in os.walk(root, followlinks=True):
        real = os.path.realpath(directory)
        names[:] = [] if real in seen else sorted(name for name in names if name not in left_out)
        if real not in seen:
            yield from (os.path.join(directory, name) for name in sorted(files))
        seen.add(real)


def _is_inside(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder.rstrip(os.sep)}{os.sep}")
