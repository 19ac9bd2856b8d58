"""Read rate limits from response headers, in the wire form of ``account/rateLimits/updated``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from codex_hookspecs.protocol import JsonObject

_FAMILY: Final = "codex"
_SUFFIX: Final = "-primary-used-percent"
_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}


def read_rate_limits(headers: Mapping[str, str]) -> list[JsonObject]:
    """Read the rate limits of a response: those of ``codex`` always, other families when present.

    :param headers: names in lower case.
    """
    families = (name[2 : -len(_SUFFIX)] for name in headers if name.startswith("x-") and name.endswith(_SUFFIX))
    others = sorted({family for family in families if family and family != _FAMILY})
    return [
        _snapshot(headers, _FAMILY),
        *(found for family in others if (found := _snapshot(headers, family))["primary"]),
    ]


def _snapshot(headers: Mapping[str, str], family: str) -> JsonObject:
    return {
        "limitId": family.replace("-", "_"),
        "limitName": headers.get(f"x-{family}-limit-name", "").strip() or None,
        "primary": _window(headers, f"x-{family}-primary"),
        "secondary": _window(headers, f"x-{family}-secondary"),
        "credits": _credits(headers),
        "planType": None,
    }


def _window(headers: Mapping[str, str], prefix: str) -> JsonObject | None:
    try:
        used = float(headers[f"{prefix}-used-percent"])
    except (KeyError, ValueError):
        return None
    minutes = _to_int(headers.get(f"{prefix}-window-minutes"))
    resets_at = _to_int(headers.get(f"{prefix}-reset-at"))
    if not math.isfinite(used) or not (used or minutes or resets_at is not None):
        return None
    return {"usedPercent": math.floor(used + 0.5), "windowDurationMins": minutes, "resetsAt": resets_at}


def _credits(headers: Mapping[str, str]) -> JsonObject | None:
    has: Any = _BOOLEANS.get(headers.get("x-codex-credits-has-credits", "").lower())
    unlimited: Any = _BOOLEANS.get(headers.get("x-codex-credits-unlimited", "").lower())
    if has is None or unlimited is None:
        return None
    balance = headers.get("x-codex-credits-balance", "").strip() or None
    return {"hasCredits": has, "unlimited": unlimited, "balance": balance}


def _to_int(text: str | None) -> int | None:
    try:
        return int(text or "")
    except ValueError:
        return None
