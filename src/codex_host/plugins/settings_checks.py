"""Find settings of plugins that no plugin has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from codex_hookspecs.errors import ConfigError

if TYPE_CHECKING:
    from codex_hookspecs.types.config import ConfigLayer
    from codex_host.plugins.manifest import FoundPlugin

_TABLE = "plugins"
_MAX_COMPARED = 50
"""Most entries of one table for which a suggestion is searched."""


def settings_warnings(layers: Iterable[ConfigLayer], plugins: Iterable[FoundPlugin], *, strict: bool) -> list[str]:
    """Return warnings about settings that a plugin does not have, and about names that are nearly a plugin's.

    Other names may be those of plugins that are not installed here. Tables of bundles (``[plugins."NAME@MARKET"]``)
    belong to other programs.

    :param strict: reject what no plugin has, and unknown names.
    :raises ConfigError: when strict.
    """
    settings = {plugin.name: plugin.manifest.settings if plugin.manifest else {} for plugin in plugins}
    warnings = []
    for layer in layers:
        # The table of a profile stands in the file of the user, too.
        if layer.disabled_reason is not None or (layer.kind == "profile" and layer.file is None):
            continue
        for table, prefix in _tables(layer.table):
            source = layer.file or "command line"
            for text, counts in _unknown(table, settings, prefix):
                if strict:
                    raise ConfigError(f"{text} (refused because of --strict-config)", source=source)
                if counts:
                    warnings.append(f"{source}: {text}")
    return list(dict.fromkeys(warnings))


def _tables(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[Mapping[str, Any], str]]:
    """Yield the settings of plugins in a layer and in its profiles, each with its key."""
    if isinstance(found := table.get(_TABLE), Mapping):
        yield found, f"{prefix}{_TABLE}."
    profiles = table.get("profiles")
    for name, profile in profiles.items() if isinstance(profiles, Mapping) and not prefix else ():
        if isinstance(profile, Mapping):
            yield from _tables(profile, f"profiles.{name}.")


def _unknown(
    table: Mapping[str, Any], settings: Mapping[str, Mapping[str, str]], prefix: str
) -> Iterator[tuple[str, bool]]:
    """Yield what is unknown, and whether it is a mistake beyond doubt."""
    for number, (name, entry) in enumerate(table.items()):
        if "@" in name:
            continue
        if name not in settings:
            # Searching for a suggestion is slow, and so many slips are not to be expected.
            near = _near(name, settings) if number < _MAX_COMPARED else None
            meant = f"; did you mean {prefix}{near}?" if near else ""
            yield f"{prefix}{name} is ignored: no plugin has that name{meant}", near is not None
            continue
        if not settings[name] or not isinstance(entry, Mapping):
            continue
        known = {"enabled", *(key.partition(".")[0] for key in settings[name])}
        for number_of_key, key in enumerate(entry):
            if key not in known:
                near = _near(key, known) if number_of_key < _MAX_COMPARED else None
                hint = f"did you mean {prefix}{name}.{near}?" if near else f"it has: {', '.join(sorted(known))}"
                yield f"{prefix}{name}.{key} is ignored: plugin {name} has no such setting; {hint}", True


def _near(word: str, known: Iterable[str]) -> str | None:
    from codex_host.usage import near

    return near(word, known)
