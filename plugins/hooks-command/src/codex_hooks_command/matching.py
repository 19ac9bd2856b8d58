"""Decide whether a matcher matches (rules of Codex 0.169)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

_WORDS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_|")
_ALIASES = {"apply_patch": ("apply_patch", "Write", "Edit")}


def match_names(tool_name: str) -> tuple[str, ...]:
    """Return the names by which matchers can match a tool: its own, then its aliases."""
    return _ALIASES.get(tool_name, (tool_name,))


def matcher_error(matcher: str | None) -> str | None:
    """Return the error in a matcher.

    :return: ``None`` when the matcher is valid.
    """
    if matcher is None or _matches_always(matcher) or _lists_names(matcher):
        return None
    try:
        _compile(matcher)
    except ValueError as fault:
        return str(fault)
    return None


def unsupported_part(matcher: str | None) -> str | None:
    """Return the part of a valid matcher that is not supported here; such a matcher matches everything (fail safe)."""
    if matcher is None or _matches_always(matcher) or _lists_names(matcher):
        return None
    found = _compile(matcher)
    return found if isinstance(found, str) else None


def matches(matcher: str | None, subjects: Iterable[str] | None) -> bool:
    """Return whether a valid matcher matches one of the subjects.

    :param subjects: names that the event is about; ``None`` when the event ignores matchers.
    """
    if matcher is None or subjects is None or _matches_always(matcher):
        return True
    if _lists_names(matcher):
        names = matcher.split("|")
        return any(subject in names for subject in subjects)
    pattern = _compile(matcher)
    return isinstance(pattern, str) or any(pattern.search(subject) for subject in subjects)


def _matches_always(matcher: str) -> bool:
    return matcher in {"", "*"}


def _lists_names(matcher: str) -> bool:
    return _WORDS.issuperset(matcher)


@lru_cache(maxsize=256)
def _compile(matcher: str) -> re.Pattern[str] | str:
    """Return the compiled pattern, or the part of it that is not supported here.

    :raises ValueError: when the pattern is invalid.
    """
    from codex_hooks_command.rust_patterns import UnsupportedPattern, translate

    try:
        return re.compile(translate(matcher))
    except UnsupportedPattern as unknown:
        return str(unknown)
    except (re.error, RecursionError, OverflowError) as fault:
        raise ValueError(str(fault)) from fault
