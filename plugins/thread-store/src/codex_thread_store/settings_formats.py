"""Encode and decode settings for rollouts (``turn_context`` and ``session_meta`` of 0.118)."""

from __future__ import annotations

from typing import Any

from codex_hookspecs.errors import ConfigError, WireError
from codex_hookspecs.protocol import ApprovalPolicy, JsonObject, ThreadSettings
from codex_hookspecs.sandbox import SandboxPolicy
from codex_hookspecs.storage import TurnBegan
from codex_hookspecs.wire import decode, encode
from codex_sandboxing.core_form import read_policy, write_policy

_TRUNCATION = 10_000
_OPTIONAL = ("verbosity", "approvals_reviewer", "environment")
"""Settings beyond those of 0.118, stored in ``turn_context`` under their own names."""


def encode_turn_context(record: TurnBegan) -> dict[str, Any]:
    """Build the payload of the ``turn_context`` line of a turn."""
    payload: dict[str, Any] = {
        "turn_id": record.turn_id,
        "cwd": record.settings.cwd,
        "current_date": record.current_date,
        "timezone": record.timezone,
    }
    payload |= encode_settings(record.settings)
    mode = "tokens" if record.counts_tokens else "bytes"
    payload["truncation_policy"] = {"mode": mode, "limit": _TRUNCATION}
    return payload


def encode_settings(settings: ThreadSettings) -> dict[str, Any]:
    """Build the payload of a ``turn_context`` line outside of a turn."""
    payload: dict[str, Any] = {
        "cwd": settings.cwd,
        "approval_policy": encode(settings.approval_policy),
        "sandbox_policy": write_policy(settings.sandbox, empty_roots=True),
        "model": settings.model,
        "personality": settings.personality,
        "collaboration_mode": settings.collaboration_mode
        or {
            "mode": "default",
            "settings": {
                "model": settings.model,
                "reasoning_effort": settings.reasoning_effort,
                "developer_instructions": None,
            },
        },
        "realtime_active": False,
        "service_tier": settings.service_tier,
    }
    if settings.reasoning_effort is not None:
        payload["effort"] = settings.reasoning_effort
    payload["summary"] = settings.reasoning_summary or "auto"
    if settings.developer_instructions is not None:
        payload["developer_instructions"] = settings.developer_instructions
    payload.update((key, getattr(settings, key)) for key in _OPTIONAL if getattr(settings, key) is not None)
    return payload


def decode_turn_context(payload: JsonObject) -> dict[str, Any]:
    """Decode the settings of a ``turn_context`` line, by attribute of ``ThreadSettings``."""
    found: dict[str, Any] = {}
    for key, name in (
        ("cwd", "cwd"),
        ("approval_policy", "approval_policy"),
        ("approvals_reviewer", "approvals_reviewer"),
        ("model", "model"),
        ("personality", "personality"),
        ("collaboration_mode", "collaboration_mode"),
        ("effort", "reasoning_effort"),
        ("summary", "reasoning_summary"),
        ("developer_instructions", "developer_instructions"),
        ("service_tier", "service_tier"),
        ("verbosity", "verbosity"),
        ("environment", "environment"),
    ):
        kind = dict if key == "collaboration_mode" else str
        if isinstance(payload.get(key), kind):
            found[name] = payload[key]
    if "service_tier" in payload and payload["service_tier"] is None:  # It was cleared.
        found["service_tier"] = None
    if isinstance(payload.get("approval_policy"), dict):
        found["approval_policy"] = _decode_granular(payload["approval_policy"])
    if "model_provider_id" in payload and isinstance(payload["model_provider_id"], str):
        found["model_provider"] = payload["model_provider_id"]
    if payload.get("sandbox_policy") is not None:
        try:
            found["sandbox"] = read_policy(payload["sandbox_policy"])
        except ConfigError:  # A policy of another release: nothing may be written rather than too much.
            found["sandbox"] = SandboxPolicy("readOnly")
    return found


def _decode_granular(payload: JsonObject) -> ApprovalPolicy:
    """Decode an approval policy that is an object; one that can't be read asks more rather than less."""
    from codex_hookspecs.protocol import GranularApprovalPolicy

    try:
        return decode(GranularApprovalPolicy, payload)
    except WireError:
        return "untrusted"


def encode_source(source: str | JsonObject) -> str | JsonObject:
    """Encode a thread's source for rollouts."""
    if isinstance(source, str):
        return "mcp" if source == "appServer" else source
    return {"subagent" if key == "subAgent" else key: value for key, value in source.items()}


def decode_source(form: Any) -> str | JsonObject:
    """Decode a thread's source to the form that clients see."""
    if isinstance(form, str):
        return "appServer" if form == "mcp" else form
    if isinstance(form, dict):
        return {"subAgent" if key == "subagent" else key: value for key, value in form.items()}
    return "unknown"


def to_snake_case(info: Any) -> Any:
    """Convert an error's kind to the form of rollouts: strings and keys in snake case."""
    return _rename_keys(info, lambda word: "".join(f"_{c.lower()}" if c.isupper() else c for c in word))


def to_camel_case(info: Any) -> Any:
    """Convert an error's kind to the form that clients see: strings and keys in camel case."""
    return _rename_keys(info, _camel)


def _camel(word: str) -> str:
    head, *rest = word.split("_")
    return head + "".join(part.capitalize() for part in rest)


def _rename_keys(info: Any, rename: Any) -> Any:
    if isinstance(info, str):
        return rename(info)
    if isinstance(info, dict):
        return {
            rename(key): value if isinstance(value, str) else _rename_keys(value, rename) for key, value in info.items()
        }
    return info
