"""Find installed plugins: through stevedore, or from a cache that holds as long as nothing it was made of changed."""

from __future__ import annotations

from attrs import frozen

from codex_hookspecs.manifest import Manifest

GROUP = "codex.plugins"


@frozen(kw_only=True)
class FoundPlugin:
    """A plugin that is installed.

    :param value: ``module`` or ``module:attribute``.
    :param manifest: what it says of itself, or ``None`` when that can't be read.
    :param problem: why it can't be used at all (no manifest, a name taken twice), or the empty string.
    :param first_party: it was made and released with this host.
    """

    name: str
    value: str
    distribution: str
    version: str
    manifest: Manifest | None
    problem: str = ""
    first_party: bool = False


def found_plugins(home: str) -> list[FoundPlugin]:
    """Return all installed plugins, sorted by name.

    :param home: ``$CODEX_HOME``, where the cache is kept.
    """
    from importlib.metadata import entry_points
    from importlib.util import find_spec
    from pathlib import Path

    from codex_hookspecs.manifest import read_manifest

    found = []
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        spec = find_spec(point.module.partition(".")[0])
        folder = Path(spec.origin).parent if spec and spec.origin else Path()
        manifest = read_manifest(folder / "codex-plugin.toml", plugin=point.name)
        found.append(
            FoundPlugin(
                name=point.name,
                value=point.value,
                distribution=point.dist.name if point.dist else "",
                version=point.dist.version if point.dist else "",
                manifest=manifest,
                first_party=True,
            )
        )
    return found
