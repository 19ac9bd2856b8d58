"""Configuration layers and features, as plugins see them."""

from __future__ import annotations

from typing import Literal

from attrs import field

from codex_hookspecs.types.json import JsonObject
from codex_hookspecs.values import frozen

LayerKind = Literal["system", "user", "profile", "project", "sessionFlags", "managed"]
Stage = Literal["under development", "experimental", "stable", "deprecated", "removed"]


@frozen(kw_only=True)
class ConfigLayer:
    """One source of configuration.

    :param kind: where it comes from.
    :param folder: directory that holds the layer's files (``config.toml``, ``hooks.json`` …), or ``None``.
    :param file: the layer's ``config.toml``, whether it exists or not, or ``None``.
    :param table: parsed content, empty when there is no file.
    :param disabled_reason: why the layer does not count (an untrusted project), or ``None`` when it does.
    :param nested: it is a project's, but lies below the project's root, where commands in a sandbox may have made it:
        it may tighten what holds and never loosen it.
    :param ignored: keys of the file that do not count and are not in ``table``.
    """

    kind: LayerKind
    folder: str | None = None
    file: str | None = None
    table: JsonObject = field(factory=dict)
    disabled_reason: str | None = None
    nested: bool = False
    ignored: tuple[str, ...] = ()


@frozen(kw_only=True)
class Feature:
    """A switch of the program.

    :param key: name in ``[features]``.
    :param stage: how far it is.
    :param default: whether it is on unless configured.
    :param aliases: older keys that still work.
    :param implies: features that are on when this one is.
    :param display_name: name for people, or ``None``.
    :param description: what it does, for people, or ``None``.
    :param announcement: what people are told once it is there, or ``None``.
    """

    key: str
    stage: Stage
    default: bool = False
    aliases: tuple[str, ...] = ()
    implies: tuple[str, ...] = ()
    display_name: str | None = None
    description: str | None = None
    announcement: str | None = None
