"""Compute the delay before a retry."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

FIRST_WAIT: Final = 0.2
LONGEST_BACKOFF: Final = 60.0
LONGEST_DELAY: Final = 300.0
"""Longest delay requested by a server after which a request is still retried."""

_AMOUNT: Final = r"(\d+(?:\.\d+)?)\s*(milliseconds?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|h)(?![a-z])\s*"
_AGAIN_IN: Final = rf"try again in\s*(?:{_AMOUNT})+"


def backoff(attempt: int, jitter: float) -> float:
    """Return the seconds before an attempt.

    :param attempt: 1 for the first retry; the delay doubles with each.
    :param jitter: random number in [0, 1), for a factor of 0.9 to 1.1.
    """
    return min(FIRST_WAIT * 2.0 ** min(attempt - 1, 40) * (0.9 + 0.2 * jitter), LONGEST_BACKOFF)


def delay_in_text(message: str) -> float | None:
    """Return the seconds in a text like ``Please try again in 1m30s``, ``None`` if there are none."""
    found = re.search(_AGAIN_IN, message, re.IGNORECASE)
    if not found:
        return None
    amounts = re.findall(_AMOUNT, found[0], re.IGNORECASE)
    return sum(float(number) * _seconds_of(unit.lower()) for number, unit in amounts)


def _seconds_of(unit: str) -> float:
    if unit.startswith(("ms", "milli")):
        return 0.001
    return {"s": 1.0, "m": 60.0, "h": 3600.0}[unit[0]]


def delay_in_headers(headers: Mapping[str, str], now: float) -> float | None:
    """Return the seconds of ``Retry-After``, which is a number or a date (RFC 9110).

    :param headers: names in lower case.
    :param now: seconds since the epoch.
    :return: ``None`` if the header is missing or invalid.
    """
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d+(\.\d+)?", value, re.ASCII):
        return float(value)
    if not value:
        return None
    from email.utils import parsedate_to_datetime  # only on a failure with a date in it

    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now)
    except (ValueError, OverflowError):
        return None
