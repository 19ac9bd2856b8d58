"""The local date and the name of the local time zone."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping

_ZONE_LINK = "/etc/localtime"
_ZONE_FILE = "/etc/timezone"
_DEFAULT = "Etc/UTC"


def local_date() -> str:
    """Return today's local date as ``2026-03-25``."""
    return time.strftime("%Y-%m-%d")


def local_timezone(environ: Mapping[str, str]) -> str:
    """Return the name of the local time zone, ``Etc/UTC`` if it is unknown.

    :param environ: environment variables; ``TZ`` takes precedence over the system's setting.
    """
    variable = environ.get("TZ", "").removeprefix(":")
    if variable and not variable.startswith("/"):
        return variable
    target = os.path.realpath(variable or _ZONE_LINK)
    _, found, name = target.partition("/zoneinfo/")
    if found:
        return name
    try:
        with open(_ZONE_FILE, encoding="utf-8") as file:
            return file.read().strip() or _DEFAULT
    except (OSError, UnicodeDecodeError):
        return _DEFAULT
