"""Find installed plugins, through stevedore or from a cache that is valid while its inputs are unchanged."""

from __future__ import annotations

import json
import os
import sys
import zlib
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import attrs

from codex_hookspecs.errors import ConfigError
from codex_hookspecs.file_reading import read_bytes
from codex_hookspecs.json_text import parse_json
from codex_hookspecs.state_file import replace_file
from codex_host.plugins.manifest import FoundPlugin, Manifest

_FORMAT = 7


def found_plugins(home: str, *, refresh: bool = False) -> list[FoundPlugin]:
    """Return all installed plugins, sorted by name, without importing them.

    :param home: ``$CODEX_HOME``, where the cache is kept.
    :param refresh: ignore the cache.
    """
    key = zlib.crc32("\0".join([sys.version, *sys.path]).encode())
    cache = os.path.join(home, "plugins", f"found-{key:08x}.json")
    if not refresh:
        cached = _from_cache(cache)
        if cached is not None:
            return cached
    before = _states_of(sys.path)
    from codex_host.plugins.listing import Listing

    listing = Listing()
    plugins = listing.plugins()
    _write_cache(cache, plugins, before | _states_of(listing.files))
    return plugins


def _from_cache(cache: str) -> list[FoundPlugin] | None:
    try:
        kept = parse_json(read_bytes(cache) or b"{}")
        if kept["format"] != _FORMAT or _states_of(list(kept["states"])) != kept["states"]:
            return None
        return [FoundPlugin(**{**plugin, "manifest": _manifest(plugin["manifest"])}) for plugin in kept["plugins"]]
    except (ConfigError, ValueError, KeyError, TypeError):
        return None


def _manifest(facts: dict[str, Any] | None) -> Manifest | None:
    if facts is None:
        return None
    lists = {key: tuple(facts[key]) for key in ("platforms", "hooks", "wordless", "needs", "before", "after")}
    return Manifest(**{**facts, **lists})


def _write_cache(cache: str, plugins: list[FoundPlugin], states: dict[str, list[int] | None]) -> None:
    kept = {"format": _FORMAT, "states": states, "plugins": [attrs.asdict(plugin) for plugin in plugins]}
    with suppress(OSError):
        replace_file(cache, json.dumps(kept))


def _states_of(paths: Iterable[str]) -> dict[str, list[int] | None]:
    """Return modification time and size by path, ``None`` for a missing file: the key that validates the cache."""
    states: dict[str, list[int] | None] = {}
    for path in paths:
        try:
            found = os.stat(path or ".")
            states[path] = [found.st_mtime_ns, found.st_size]
        except OSError:
            states[path] = None
    return states
