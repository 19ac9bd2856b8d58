"""List the installed plugins through stevedore, without importing them, and resolve conflicts of names."""

from __future__ import annotations

import os
import re
from importlib.metadata import Distribution, EntryPoint, distributions
from importlib.util import find_spec
from typing import Any

import attrs
from stevedore.extension import Extension, ExtensionManager

from codex_hookspecs.errors import ManifestError
from codex_host.plugins.manifest import FILE_NAME, FoundPlugin, read_manifest

GROUP = "codex.plugins"

HOST = "codex-host"
_PLUGINS_EXTRA = re.compile(r"\s*([\w.-]+).*;.*\bextra\s*==\s*['\"]plugins['\"]")


class Listing(ExtensionManager[FoundPlugin]):
    """The installed entry points, each with a :class:`FoundPlugin` in place of the loaded object.

    stevedore's cache is bypassed: it misses changes for up to two minutes.

    :ivar files: files that the listing depends on, besides ``sys.path``.
    """

    def __init__(self) -> None:
        self._distributions = _installed()
        self._first_party = first_party_distributions(self._distributions)
        self._broken: list[FoundPlugin] = []
        self.files: list[str] = []
        super().__init__(GROUP, conflict_resolver=self._resolve_conflict)

    def list_entry_points(self) -> list[EntryPoint]:
        """Return the entry points of plugins sorted by name; those of one name in the order of ``sys.path``."""
        points: list[EntryPoint] = []
        for distribution in self._distributions:
            try:
                found = _entry_points(distribution)
            except Exception as error:
                if isinstance(error, UnicodeDecodeError) and GROUP.encode() not in error.object:
                    continue
                found = []
                name = _name(distribution)
                problem = "its entry_points.txt can't be read"
                self._broken.append(attrs.evolve(self._facts(name, "", distribution), problem=problem))
                self.files.append(f"{_info(distribution)}/entry_points.txt")
            if found:
                points += found
                self.files.append(f"{_info(distribution)}/entry_points.txt")
            if _normal(_name(distribution)) == HOST:
                self.files.append(f"{_info(distribution)}/METADATA")
        return sorted(points, key=lambda point: point.name)

    def plugins(self) -> list[FoundPlugin]:
        """Return all plugins, sorted by name."""
        chosen = {name: _described(self[name]) for name in self.names()}
        found = list(chosen.values())
        found += (plugin for plugin in self._broken if plugin.name not in chosen)
        for extension in self:
            plugin, owner = _described(extension), chosen[extension.name]
            if owner.first_party and not plugin.first_party:
                name = f"{plugin.name}@{plugin.distribution}"
                problem = f"its name {plugin.name} belongs to {owner.distribution}; it is left out"
                found.append(attrs.evolve(plugin, name=name, manifest=None, problem=problem))
        self.files += [f"{plugin.folder}/{FILE_NAME}" for plugin in found if plugin.folder]
        return sorted(found, key=lambda plugin: plugin.name)

    def _load_one_plugin(self, ep: EntryPoint, *_options: Any) -> Extension[FoundPlugin]:
        """Describe a plugin instead of importing it."""
        assert ep.dist is not None
        return Extension(ep.name, ep, FoundPlugin, _with_manifest(self._facts(ep.name, ep.value, ep.dist)))

    def _facts(self, name: str, value: str, distribution: Distribution) -> FoundPlugin:
        found = _name(distribution)
        return FoundPlugin(
            name=name,
            value=value,
            distribution=found,
            version=_version(distribution),
            info=_info(distribution),
            first_party=_normal(found) in self._first_party and _normal(found) == f"codex-{name}",
        )

    @staticmethod
    def _resolve_conflict(_group: str, name: str, claims: list[Extension[FoundPlugin]]) -> Extension[FoundPlugin]:
        """Resolve a name conflict; a first-party plugin can't be displaced by taking its name."""
        own = [claim for claim in claims if _described(claim).first_party]
        if len(own) == 1:
            return own[0]
        claims = own or claims
        both = " and ".join(sorted(f"{plugin.distribution} {plugin.version}" for plugin in map(_described, claims)))
        problem = f"the name is taken by two distributions: {both}; uninstall one"
        refused = attrs.evolve(_described(claims[0]), folder="", manifest=None, problem=problem)
        return Extension(name, claims[0].entry_point, FoundPlugin, refused)


def first_party_distributions(installed: list[Distribution]) -> frozenset[str]:
    """Return the distributions that the host's metadata lists in its extra ``plugins``.

    If several distributions of one folder have the host's name, only what all of them list.
    """
    named = [
        frozenset(_normal(found[1]) for text in _requirements(distribution) if (found := _PLUGINS_EXTRA.match(text)))
        for distribution in installed
        if _normal(_name(distribution)) == HOST
    ]
    return frozenset.intersection(*named) if named else frozenset()


def _installed() -> list[Distribution]:
    """Return the effective distributions: of those with the same name, all in the first folder of ``sys.path``."""
    folders: dict[str, str] = {}
    found = []
    for distribution in distributions():
        folder, info = os.path.split(_info(distribution))
        if info.startswith("~"):  # leftover of an interrupted pip uninstall
            continue
        if folders.setdefault(_normal(_name(distribution)), folder) == folder:
            found.append(distribution)
    return found


def _entry_points(distribution: Distribution) -> list[EntryPoint]:
    if GROUP not in (distribution.read_text("entry_points.txt") or ""):
        return []
    # If a distribution defines a name twice, the last definition is used.
    return list({point.name: point for point in distribution.entry_points if point.group == GROUP}.values())


def _requirements(distribution: Distribution) -> list[str]:
    try:
        return distribution.requires or []
    except Exception:
        return []


def _described(extension: Extension[FoundPlugin]) -> FoundPlugin:
    assert extension.obj is not None
    return extension.obj


def _info(distribution: Distribution) -> str:
    return str(getattr(distribution, "_path", ""))


def _name(distribution: Distribution) -> str:
    """Return the name of a distribution, taken from its folder if the metadata is broken."""
    try:
        found = distribution.metadata["Name"]
    except Exception:
        found = None
    return str(found or os.path.basename(_info(distribution)).partition("-")[0] or "unknown")


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _version(distribution: Distribution) -> str:
    try:
        return str(distribution.metadata["Version"] or "unknown")
    except Exception:
        return "unknown"


def _with_manifest(plugin: FoundPlugin) -> FoundPlugin:
    if not plugin.value:
        return attrs.evolve(plugin, problem="its entry_points.txt can't be read")
    folder = _package_folder(plugin.value.partition(":")[0])
    if folder is None:
        return attrs.evolve(plugin, problem=f"its package {plugin.value.partition('.')[0]} can't be found")
    try:
        manifest = read_manifest(os.path.join(folder, FILE_NAME), plugin=plugin.name)
    except ManifestError as error:
        return attrs.evolve(plugin, folder=folder, problem=str(error))
    return attrs.evolve(plugin, folder=folder, manifest=manifest)


def _package_folder(module: str) -> str | None:
    try:
        spec = find_spec(module.partition(".")[0])
    except (ImportError, ValueError):
        return None
    locations = list(spec.submodule_search_locations or ()) if spec else []
    if locations:
        return locations[0]
    return os.path.dirname(spec.origin) if spec and spec.origin else None
