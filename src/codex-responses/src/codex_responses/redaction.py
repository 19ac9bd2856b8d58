"""Redact secrets in external text before it is shown, logged or stored."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

HIDDEN: Final = "[redacted]"

_SHORTEST: Final = 8
"""Shortest value to search for; shorter ones would hide ordinary words."""

_SHAPES: Final = (
    r"\b(?:sk|pk|rk)-[A-Za-z0-9_-]{16,}",  # OpenAI, Anthropic and others
    r"\b(?:sk|pk|rk)_(?:live|test)_[A-Za-z0-9]{16,}",  # Stripe
    r"\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_[A-Za-z0-9_]{20,}",
    r"\bglpat-[A-Za-z0-9_-]{16,}",
    r"\bhf_[A-Za-z0-9]{20,}",
    r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}",  # Slack
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",  # AWS
    r"\bAIza[A-Za-z0-9_-]{30,}",  # Google
    r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",  # JSON web tokens
    r"(?<=\b[Bb]earer )[A-Za-z0-9._~+/=-]{8,}",
    r"(?<=\b[Bb]asic )[A-Za-z0-9+/=]{12,}",
    r"(?<=://)[^\s/@:]*:[^\s/@]+(?=@)",  # user and password of an address
)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Return a text without secrets.

    :param secrets: known values, also searched for as encoded in JSON, URLs and Base64.
    """
    for form in sorted({form for secret in secrets for form in _forms(secret)}, key=len, reverse=True):
        text = text.replace(form, HIDDEN)
    for shape in _SHAPES:
        text = re.sub(shape, HIDDEN, text)
    return text


def _forms(secret: str) -> tuple[str, ...]:
    if len(secret) < _SHORTEST:
        return ()
    import base64
    import json
    from urllib.parse import quote

    return (
        secret,
        json.dumps(secret)[1:-1],
        quote(secret, safe=""),
        base64.b64encode(secret.encode("utf-8", "surrogatepass")).decode().rstrip("="),
    )
