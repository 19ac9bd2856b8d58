"""Find installed plugins: through stevedore, or from a cache that holds as long as nothing it was made of changed."""

from __future__ import annotations

import json
import os
import sys
import zlib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from codex_hookspecs.errors import ConfigError, ManifestError
from codex_hookspecs.file_reading import read_bytes
from codex_hookspecs.file_states import states_of
from codex_hookspecs.json_text import parse_json
from codex_hookspecs.manifest import FILE_NAME, Manifest, read_manifest
from codex_hookspecs.state_file import replace_file
from codex_hookspecs.values import frozen

if TYPE_CHECKING:
    from importlib.metadata import Distribution

    Claim = tuple[str, Distribution]

GROUP = "codex.plugins"
_FORMAT = 2
FIRST_PARTY = frozenset(
    (
        "app-server",
        "exec-cli",
        "exec-local",
        "exec-remote",
        "exec-server",
        "hooks-command",
        "instructions",
        "model-responses",
        "model-scripted",
        "sandbox-bwrap",
        "sandbox-landlock",
        "sandbox-seatbelt",
        "sandbox-windows",
        "thread-store",
        "tool-apply-patch",
        "tool-exec",
        "tool-plan",
        "tool-view-image",
    )
)
"""Plugins made and released with this host, each by the distribution ``codex-<name>``; they need no trust."""


@frozen(kw_only=True)
class FoundPlugin:
    """A plugin that is installed.

    :param value: ``module`` or ``module:attribute``.
    :param info: folder of what the installer says of its distribution, or the empty string.
    :param manifest: what it says of itself, or ``None`` when that can't be read.
    :param folder: directory of its top-level package, or the empty string.
    :param problem: why it can't be used at all (no manifest, a name taken twice), or the empty string.
    """

    name: str
    value: str
    distribution: str
    version: str
    folder: str = ""
    info: str = ""
    manifest: Manifest | None = None
    problem: str = ""

    @property
    def first_party(self) -> bool:
        """Whether it was made and released with this host."""
        return self.name in FIRST_PARTY and self.distribution == f"codex-{self.name}"


def found_plugins(home: str, *, refresh: bool = False) -> list[FoundPlugin]:
    """Return all installed plugins, sorted by name; nothing of them is imported.

    :param home: ``$CODEX_HOME``, where the cache is kept.
    :param refresh: look again even if nothing seems to have changed.
    """
    key = zlib.crc32("\0".join([sys.version, *sys.path]).encode())
    cache = Path(home, "plugins", f"found-{key:08x}.json")
    if not refresh:
        cached = _from_cache(cache)
        if cached is not None:
            return cached
    before = states_of(sys.path)
    plugins, files = _scan()
    _write_cache(cache, plugins, before | states_of(files))
    return plugins


def _scan() -> tuple[list[FoundPlugin], list[str]]:
    """Look at all installed distributions; return the plugins and the files that the answer depends on."""
    from importlib.metadata import distributions

    owners: dict[str, list[Claim]] = {}
    files: list[str] = []
    seen: set[str] = set()
    for distribution in distributions():
        name = _name(distribution).lower().replace("_", "-")
        points = {} if name in seen else _entry_points(distribution)
        seen.add(name)
        for point, value in points.items():
            owners.setdefault(point, []).append((value, distribution))
        if points:
            files.append(f"{distribution._path}/entry_points.txt")  # type: ignore[attr-defined]
    plugins = [plugin for name, claims in sorted(owners.items()) for plugin in _settled(name, claims)]
    listed = _listed_by_stevedore(owners)
    files += [f"{plugin.folder}/{FILE_NAME}" for plugin in plugins if plugin.folder]
    return [plugin for plugin in plugins if plugin.name.partition("@")[0] in listed], files


def _entry_points(distribution: Distribution) -> dict[str, str]:
    """Return what a distribution offers, name to value; a broken file offers a plugin without value."""
    try:
        if GROUP not in (distribution.read_text("entry_points.txt") or ""):
            return {}
        return {point.name: point.value for point in distribution.entry_points if point.group == GROUP}
    except UnicodeDecodeError:
        return {}
    except Exception:
        return {_name(distribution): ""}


def _name(distribution: Distribution) -> str:
    """Return the name of a distribution, or the one that its folder has: a broken installation keeps none."""
    try:
        found = distribution.metadata["Name"]
    except Exception:
        found = None
    return str(found or os.path.basename(str(getattr(distribution, "_path", ""))).partition("-")[0] or "unknown")


def _version(distribution: Distribution) -> str:
    try:
        return str(distribution.metadata["Version"] or "unknown")
    except Exception:
        return "unknown"


def _listed_by_stevedore(owners: dict[str, Any]) -> set[str]:
    """Return the names that stevedore lists, and those that are too new for its cache."""
    from stevedore.named import NamedExtensionManager

    try:
        manager = NamedExtensionManager[object](GROUP, names=[], warn_on_missing_entrypoint=False)
        return {point.name for point in manager.list_entry_points()} | set(owners)
    except Exception:  # some distribution's entry points are broken
        return set(owners)


def _settled(name: str, claims: list[Claim]) -> list[FoundPlugin]:
    """Describe who gets a name; nobody can push a first-party plugin out by taking its name."""
    own = [claim for claim in claims if name in FIRST_PARTY and _name(claim[1]) == f"codex-{name}"]
    if not own or len(claims) == len(own):
        return [_described(name, claims)]
    strangers = [
        attrs.evolve(
            _described(name, [claim]),
            name=f"{name}@{_name(claim[1])}",
            manifest=None,
            problem=f"its name {name} belongs to codex-{name}; it is left out",
        )
        for claim in claims
        if claim not in own
    ]
    return [_described(name, own), *strangers]


def _described(name: str, claims: list[Claim]) -> FoundPlugin:
    value, distribution = claims[0]
    facts: dict[str, Any] = {
        "name": name,
        "value": value,
        "distribution": _name(distribution),
        "version": _version(distribution),
        "info": str(getattr(distribution, "_path", "")),
    }
    if len(claims) > 1:
        both = " and ".join(sorted(f"{_name(each)} {_version(each)}" for _, each in claims))
        return FoundPlugin(**facts, problem=f"the name is taken by two distributions: {both}; uninstall one")
    if not value:
        return FoundPlugin(**facts, problem="its entry_points.txt can't be read")
    folder = _package_folder(value.partition(":")[0])
    if folder is None:
        return FoundPlugin(**facts, problem=f"its package {value.partition('.')[0]} can't be found")
    try:
        manifest = read_manifest(Path(folder, FILE_NAME), plugin=name)
    except ManifestError as error:
        return FoundPlugin(**facts, folder=folder, problem=str(error))
    return FoundPlugin(**facts, folder=folder, manifest=manifest)


def _package_folder(module: str) -> str | None:
    from importlib.util import find_spec

    try:
        spec = find_spec(module.partition(".")[0])
    except (ImportError, ValueError):
        return None
    locations = list(spec.submodule_search_locations or ()) if spec else []
    if locations:
        return locations[0]
    return os.path.dirname(spec.origin) if spec and spec.origin else None


def _from_cache(cache: Path) -> list[FoundPlugin] | None:
    try:
        kept = parse_json(read_bytes(str(cache)) or b"{}")
        if kept["format"] != _FORMAT or states_of(list(kept["states"])) != kept["states"]:
            return None
        return [FoundPlugin(**{**plugin, "manifest": _manifest(plugin["manifest"])}) for plugin in kept["plugins"]]
    except (ConfigError, ValueError, KeyError, TypeError):
        return None


def _manifest(facts: dict[str, Any] | None) -> Manifest | None:
    if facts is None:
        return None
    lists = {key: tuple(facts[key]) for key in ("platforms", "hooks", "needs")}
    return Manifest(**{**facts, **lists})


def _write_cache(cache: Path, plugins: list[FoundPlugin], states: dict[str, list[int] | None]) -> None:
    kept = {"format": _FORMAT, "states": states, "plugins": [attrs.asdict(plugin) for plugin in plugins]}
    with suppress(OSError):
        replace_file(cache, json.dumps(kept))
