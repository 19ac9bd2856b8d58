"""Methods that read the configuration."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

import attrs

from codex_hookspecs.errors import ConfigError, RpcError
from codex_hookspecs.jsonrpc import INTERNAL_ERROR
from codex_hookspecs.protocol import (
    Config,
    ConfigLayer,
    ConfigLayerMetadata,
    ConfigRequirementsReadResponse,
    ProjectConfigLayerSource,
    SessionFlagsConfigLayerSource,
    SystemConfigLayerSource,
    UserConfigLayerSource,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from codex_hookspecs import host as host_types
    from codex_hookspecs.protocol import ConfigLayerSource, ConfigReadParams, JsonObject
    from codex_hookspecs.surface import RpcContext

SWITCHABLE: Final = ("apps", "plugins", "tool_search", "tool_suggest", "tool_call_mcp_elicitation")
"""Features that clients can switch while the program runs (0.118)."""


async def read(params: ConfigReadParams, context: RpcContext) -> JsonObject:
    """Return the merged configuration of a directory, and the origin of each value."""
    host = context.host
    try:
        config = host.config.for_directory(_directory(params.cwd, host.cwd))
    except ConfigError as error:
        raise RpcError(f"failed to read configuration layers: {error}", code=INTERNAL_ERROR) from error
    layers = [layer for layer in config.layers if not layer.derived and (layer.table or layer.kind != "sessionFlags")]
    known: JsonObject = dict.fromkeys(field.name for field in attrs.fields(Config)) | {"profiles": {}}
    table: JsonObject = {}
    origins: dict[str, ConfigLayerMetadata] = {}
    for layer in layers:
        if layer.disabled_reason is None:
            table = _merge(table, layer.table)
            origins |= dict.fromkeys(_leaves(layer.table), metadata_of(layer, host.codex_home))
    switches = {key: host.features.enabled(key) for key in SWITCHABLE}
    answer: JsonObject = {
        "config": known | table | {"features": {**switches, **table.get("features", {})}},
        "origins": origins,
    }
    if params.include_layers:
        answer["layers"] = [_wire_layer(layer, host.codex_home) for layer in reversed(layers)]
    return answer


async def read_requirements(_params: None, _context: RpcContext) -> ConfigRequirementsReadResponse:
    """Return the requirements of an administrator; there is nothing that reads any."""
    return ConfigRequirementsReadResponse()


def _directory(cwd: str | None, base: str) -> str | None:
    return None if cwd is None else os.path.abspath(os.path.join(base, cwd))


def metadata_of(layer: host_types.ConfigLayer, codex_home: str) -> ConfigLayerMetadata:
    """Return the wire form of a layer's name and version."""
    return ConfigLayerMetadata(name=_source(layer, codex_home), version=layer.version)


def _wire_layer(layer: host_types.ConfigLayer, codex_home: str) -> ConfigLayer:
    return ConfigLayer(
        name=_source(layer, codex_home),
        version=layer.version,
        config=layer.table,
        disabled_reason=layer.disabled_reason,
    )


def _source(layer: host_types.ConfigLayer, codex_home: str) -> ConfigLayerSource:
    if layer.kind == "system" and layer.file is not None:
        return SystemConfigLayerSource(file=layer.file)
    if layer.kind in ("user", "profile"):
        return UserConfigLayerSource(file=layer.file or f"{codex_home}/config.toml")
    if layer.kind == "project" and layer.folder is not None:
        return ProjectConfigLayerSource(dot_codex_folder=layer.folder)
    return SessionFlagsConfigLayerSource()


def _merge(low: Mapping[str, Any], high: Mapping[str, Any]) -> JsonObject:
    merged = dict(low)
    for key, value in high.items():
        below = merged.get(key)
        merged[key] = _merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def _leaves(value: Any, path: str = "") -> Iterator[str]:
    """Yield the dotted keys of all values in a table; the elements of lists have their index as key."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if parts is None:
        yield path
        return
    for key, inner in parts:
        yield from _leaves(inner, f"{path}.{key}" if path else f"{key}")
