"""Decide whether a matcher hits (rules of Codex 0.169)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

_WORDS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_|")
_ALIASES = {"apply_patch": ("apply_patch", "Write", "Edit")}


def subjects_of(tool_name: str) -> tuple[str, ...]:
    """Return the names under which matchers know a tool: its own, then its aliases."""
    return _ALIASES.get(tool_name, (tool_name,))


def fault_of(matcher: str | None) -> str | None:
    """Say what is wrong with a matcher.

    :return: the fault, or ``None`` when the matcher can be used.
    """
    if matcher is None or _matches_always(matcher) or _lists_names(matcher):
        return None
    try:
        _compiled(matcher)
    except ValueError as fault:
        return str(fault)
    return None


def unknown_in(matcher: str | None) -> str | None:
    """Say what in a matcher is right and not known here: it hits everything, so that no gate is missed."""
    if matcher is None or _matches_always(matcher) or _lists_names(matcher):
        return None
    found = _compiled(matcher)
    return found if isinstance(found, str) else None


def hits(matcher: str | None, subjects: Iterable[str] | None) -> bool:
    """Tell whether a matcher without fault hits one of the subjects.

    :param subjects: what the event is about; ``None`` when the event does not look at matchers.
    """
    if matcher is None or subjects is None or _matches_always(matcher):
        return True
    if _lists_names(matcher):
        names = matcher.split("|")
        return any(subject in names for subject in subjects)
    pattern = _compiled(matcher)
    return isinstance(pattern, str) or any(pattern.search(subject) for subject in subjects)


def _matches_always(matcher: str) -> bool:
    return matcher in {"", "*"}


def _lists_names(matcher: str) -> bool:
    return _WORDS.issuperset(matcher)


@lru_cache(maxsize=256)
def _compiled(matcher: str) -> re.Pattern[str] | str:
    """Return the pattern, or what of it is not known here.

    :raises ValueError: when it is none.
    """
    from .rust_patterns import NotKnown, translated

    try:
        return re.compile(translated(matcher))
    except NotKnown as unknown:
        return str(unknown)
    except (re.error, RecursionError, OverflowError) as fault:
        raise ValueError(str(fault)) from fault
