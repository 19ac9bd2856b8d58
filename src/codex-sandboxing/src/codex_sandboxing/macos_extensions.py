"""Combine what a call may use of macOS beyond files and network (March 2026 form)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from codex_hookspecs.types.grants import Automation, MacosExtensions, Preferences

_RANKS: tuple[Preferences, ...] = ("none", "read_only", "read_write")
_BUNDLE_ID = re.compile(r"[A-Za-z0-9._-]{3,}\Z")


def bundle_ids(ids: Iterable[str]) -> Automation:
    """Return the valid ones of some bundle ids, sorted and each once; ``none`` when none is."""
    valid = {name.strip() for name in ids}
    kept = tuple(sorted(name for name in valid if "." in name and _BUNDLE_ID.match(name)))
    return kept or "none"


def merge_extensions(base: MacosExtensions | None, extra: MacosExtensions | None) -> MacosExtensions | None:
    """Return the wider of two in each respect; a missing one adds nothing."""
    if base is None or extra is None:
        return base or extra
    return MacosExtensions(
        preferences=_RANKS[max(_RANKS.index(base.preferences), _RANKS.index(extra.preferences))],
        automation=_wider(base.automation, extra.automation),
        launch_services=base.launch_services or extra.launch_services,
        accessibility=base.accessibility or extra.accessibility,
        calendar=base.calendar or extra.calendar,
        reminders=base.reminders or extra.reminders,
        contacts=_RANKS[max(_RANKS.index(base.contacts), _RANKS.index(extra.contacts))],
    )


def intersect_extensions(requested: MacosExtensions | None, granted: MacosExtensions | None) -> MacosExtensions | None:
    """Return the narrower of two in each respect; ``None`` when one is missing."""
    if requested is None or granted is None:
        return None
    return MacosExtensions(
        preferences=_RANKS[min(_RANKS.index(requested.preferences), _RANKS.index(granted.preferences))],
        automation=_narrower(requested.automation, granted.automation),
        launch_services=requested.launch_services and granted.launch_services,
        accessibility=requested.accessibility and granted.accessibility,
        calendar=requested.calendar and granted.calendar,
        reminders=requested.reminders and granted.reminders,
        contacts=_RANKS[min(_RANKS.index(requested.contacts), _RANKS.index(granted.contacts))],
    )


def _wider(one: Automation, other: Automation) -> Automation:
    if "all" in (one, other):
        return "all"
    if isinstance(one, tuple) and isinstance(other, tuple):
        return bundle_ids((*one, *other))
    return other if one == "none" else one


def _narrower(requested: Automation, granted: Automation) -> Automation:
    if "none" in (requested, granted):
        return "none"
    if isinstance(requested, tuple) and isinstance(granted, tuple):
        return tuple(name for name in requested if name in granted) or "none"
    return granted if requested == "all" else requested
