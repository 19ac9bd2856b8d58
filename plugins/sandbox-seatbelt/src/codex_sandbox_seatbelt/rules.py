"""Write parts of policies in the language of the macOS sandbox (SBPL): later rules win over earlier ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Parameters = list[tuple[str, str]]
"""Names and values that are passed separately, so that no path is part of the policy's text."""


def quote(text: str) -> str:
    """Return a text as a string literal."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def rule(verb: str, operations: str | Sequence[str], filters: Iterable[str] = ()) -> str:
    """Return one rule; without filters it matches everything, with several it matches if any of them does.

    :param verb: ``allow`` or ``deny``.
    """
    names = operations if isinstance(operations, str) else " ".join(operations)
    lines = list(filters)
    if len(lines) <= 1:
        return f"({verb} {' '.join([names, *lines])})"
    return "\n".join([f"({verb} {names}", *(f"  {line}" for line in lines)]) + ")"


def named(kind: str, names: Iterable[str]) -> list[str]:
    """Return filters of one kind for some names, e.g. ``(sysctl-name "hw.ncpu")``."""
    return [f"({kind} {quote(name)})" for name in names]


def tree(parameter: str, excluded: Sequence[str] = (), further: Sequence[str] = ()) -> str:
    """Return the filter for a tree without some of its paths; all paths are given as names of parameters.

    The filter excludes both the path itself and everything below it, so that nothing can be created there.

    :param further: filters for further exclusions.
    """
    without = [f"(require-not ({kind} (param {quote(name)})))" for name in excluded for kind in ("literal", "subpath")]
    without += (f"(require-not {each})" for each in further)
    if not without:
        return f'(subpath (param "{parameter}"))'
    return f'(require-all (subpath (param "{parameter}")) {" ".join(without)})'


def pattern(regex: str) -> str:
    """Return the filter for paths that match a regular expression."""
    return f'(regex #"{regex.replace(chr(34), ".")}")'
