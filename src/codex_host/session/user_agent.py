"""Build the User-Agent header of model requests."""

from __future__ import annotations

import os
from collections.abc import Mapping


def user_agent(originator: str, version: str, client_version: str, environ: Mapping[str, str]) -> str:
    """Return the User-Agent: ``<originator>/<version> (<os> <version>; <arch>) <terminal> (<client>; <version>)``."""
    system = os.uname()
    client = originator.replace("_", "-")
    name, release = _distribution() if system.sysname == "Linux" else (system.sysname, system.release)
    terminal = _header_safe(environ.get("TERM_PROGRAM") or environ.get("TERM") or "unknown")
    return (
        f"{originator}/{version} ({name} {release}; {system.machine}) {terminal} "
        f"({client}; {client_version or version})"
    )


def _header_safe(text: str) -> str:
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_./") else "_" for c in text)


def _distribution() -> tuple[str, str]:
    facts: dict[str, str] = {}
    try:
        with open("/etc/os-release", encoding="utf-8") as file:
            for line in file:
                key, _, value = line.strip().partition("=")
                facts[key] = value.strip('"')
    except (OSError, UnicodeDecodeError):
        return "Linux", "unknown"
    version = facts.get("VERSION_ID", "unknown")
    return facts.get("NAME", "Linux").partition(" ")[0], version if "." in version else f"{version}.0"
