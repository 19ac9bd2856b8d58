"""Methods for the program: configuration, models, account, features."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from codex_app_server.paging import paginate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from codex_hookspecs.host import Config, ConfigLayer, Feature
    from codex_hookspecs.protocol import (
        ConfigReadParams,
        ExperimentalFeatureListParams,
        GetAccountParams,
        JsonObject,
        ModelListParams,
    )
    from codex_hookspecs.surface import RpcContext

_STAGES = {
    "under development": "underDevelopment",
    "experimental": "beta",
    "stable": "stable",
    "deprecated": "deprecated",
    "removed": "removed",
}
_EFFORTS = (("low", "Quick answers"), ("medium", "Balanced"), ("high", "Thorough"), ("xhigh", "Most thorough"))


async def read_config(params: ConfigReadParams, context: RpcContext) -> JsonObject:
    """Return the effective configuration and the origin of each value."""
    config = context.host.config
    if params.cwd is not None:
        config = config.for_directory(params.cwd)
    view: JsonObject = {"config": dict(config.table), "origins": _origins(config)}
    if params.include_layers:
        view["layers"] = [
            {"name": _layer_name(layer), "version": _version(layer), "config": layer.table}
            | ({"disabledReason": layer.disabled_reason} if layer.disabled_reason else {})
            for layer in reversed(config.layers)
        ]
    return view


async def list_models(params: ModelListParams, context: RpcContext) -> JsonObject:
    """List the configured model, which is the default."""
    model = context.host.config.get("model") or "gpt-5.2-codex"
    effort = context.host.config.get("model_reasoning_effort") or "medium"
    entry = {
        "id": model,
        "model": model,
        "upgrade": None,
        "upgradeInfo": None,
        "availabilityNux": None,
        "displayName": model,
        "description": "The configured model.",
        "hidden": False,
        "supportedReasoningEfforts": [{"reasoningEffort": word, "description": text} for word, text in _EFFORTS],
        "defaultReasoningEffort": effort,
        "inputModalities": ["text", "image"],
        "supportsPersonality": False,
        "isDefault": True,
    }
    return paginate([entry], params.cursor, params.limit)


async def read_account(_params: GetAccountParams, context: RpcContext) -> JsonObject:
    """Return the account of the model provider: an API key, or none."""
    config, environ = context.host.config, context.host.environ
    provider = config.get("model_provider") or "openai"
    required = bool(config.get(f"model_providers.{provider}.requires_openai_auth", provider == "openai"))
    keyed = required and bool(environ.get("CODEX_API_KEY") or environ.get("OPENAI_API_KEY"))
    return {"account": {"type": "apiKey"} if keyed else None, "requiresOpenaiAuth": required}


async def list_features(params: ExperimentalFeatureListParams, context: RpcContext) -> JsonObject:
    """List the feature switches."""
    features = context.host.features
    return paginate(
        [_feature(feature, enabled=features.enabled(feature.key)) for feature in features.all()],
        params.cursor,
        params.limit,
    )


def _feature(feature: Feature, *, enabled: bool) -> JsonObject:
    return {
        "name": feature.key,
        "stage": _STAGES[feature.stage],
        "displayName": feature.display_name,
        "description": feature.description,
        "announcement": feature.announcement,
        "enabled": enabled,
        "defaultEnabled": feature.default,
    }


def _origins(config: Config) -> JsonObject:
    """Return the highest layer that sets a value, for each key of the configuration."""
    origins: JsonObject = {}
    for layer in config.layers:
        if layer.disabled_reason is None:
            metadata = {"name": _layer_name(layer), "version": _version(layer)}
            origins |= dict.fromkeys(_leaves(layer.table), metadata)
    return origins


def _leaves(table: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def _layer_name(layer: ConfigLayer) -> JsonObject:
    if layer.kind in ("user", "system", "profile"):
        return {"type": "system" if layer.kind == "system" else "user", "file": layer.file}
    if layer.kind == "project":
        return {"type": "project", "dotCodexFolder": layer.folder}
    return {"type": "sessionFlags"}


def _version(layer: ConfigLayer) -> str:
    text = json.dumps(layer.table, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
