"""Configuration layers and features."""

from __future__ import annotations

from typing import Any, Literal

from attrs import field

from codex_hookspecs.types.json import JsonObject
from codex_hookspecs.values import frozen

LayerKind = Literal["system", "user", "profile", "project", "sessionFlags", "managed"]
Stage = Literal["under development", "experimental", "stable", "deprecated", "removed"]


@frozen(kw_only=True)
class ConfigLayer:
    """One source of configuration.

    :param kind: kind of the source.
    :param folder: directory with the layer's files (``config.toml``, ``hooks.json`` …), or ``None``.
    :param file: path of the layer's ``config.toml``, which may not exist, or ``None``.
    :param table: parsed content, empty if there is no file.
    :param disabled_reason: why the layer is disabled (an untrusted project), or ``None``.
    :param disabled_on_purpose: whether the user has decided that, so that no warning is needed.
    :param nested: whether it is a project layer below the project's root, where sandboxed commands may have written it;
        such a layer can only make restrictions stricter.
    :param ignored: keys of the file that are ignored, and not in ``table``.
    :param derived: whether ``table`` repeats a part of another layer with a higher precedence: the table of a profile,
        or the settings of one project.
    """

    kind: LayerKind
    folder: str | None = None
    file: str | None = None
    table: JsonObject = field(factory=dict)
    disabled_reason: str | None = None
    disabled_on_purpose: bool = False
    nested: bool = False
    ignored: tuple[str, ...] = ()
    derived: bool = False

    @property
    def version(self) -> str:
        """Version of the content: the hash of the table as compact JSON with sorted keys, as in 0.118."""
        import hashlib
        import json

        text = json.dumps(self.table, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
        return f"sha256:{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"


@frozen(kw_only=True)
class ConfigChange:
    """What a change of the user's ``config.toml`` led to.

    :param version: the new version of the file.
    :param overridden_by: the highest layer above the file that has another value for a changed key, or ``None``.
    :param effective_value: the effective value of that key.
    """

    version: str
    overridden_by: ConfigLayer | None = None
    effective_value: Any = None


@frozen(kw_only=True)
class Feature:
    """A feature flag.

    :param key: name in ``[features]``.
    :param stage: its stage of development.
    :param default: whether it is enabled by default.
    :param aliases: older keys that are still accepted.
    :param implies: features that it enables.
    :param display_name: name for users, or ``None``.
    :param description: description for users, or ``None``.
    :param announcement: text that announces it to users, or ``None``.
    """

    key: str
    stage: Stage
    default: bool = False
    aliases: tuple[str, ...] = ()
    implies: tuple[str, ...] = ()
    display_name: str | None = None
    description: str | None = None
    announcement: str | None = None
