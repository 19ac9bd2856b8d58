"""Write the rules for reading and writing files and for denied paths."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence

from codex_sandbox_seatbelt.globs import regexes
from codex_sandbox_seatbelt.rules import Parameters, pattern, rule, tree
from codex_sandboxing.globs import literal
from codex_sandboxing.own_places import is_closed, libraries, own_places
from codex_sandboxing.protected_paths import PROTECTED, protected_paths
from codex_sandboxing.resolved import ResolvedPolicy, is_below

Canonical = Callable[[str], str]


def read_rules(policy: ResolvedPolicy, parameters: Parameters, canonical: Canonical = os.path.realpath) -> str:
    """Return the rules for reading, and add the parameters they use."""
    if policy.full_read or (policy.access("/") != "none" and not policy.unreadable_roots):
        return rule("allow", "file-read*")
    denied = _spelled_and_resolved(policy.unreadable_roots, canonical)
    filters = [
        _tree_without(f"READABLE_ROOT_{index}", root, denied, parameters)
        for index, root in enumerate(_resolved(policy.readable_roots, canonical))
    ]
    if not filters:
        return ""
    ancestors = [f'(path-ancestors (param "READABLE_ROOT_{index}"))' for index in range(len(filters))]
    return "\n".join([
        rule("allow", ["file-read*", "file-test-existence"], filters),
        rule("allow", "file-read-metadata", ancestors),
    ])  # fmt: skip


def write_rules(
    policy: ResolvedPolicy, parameters: Parameters, canonical: Canonical = os.path.realpath, home: str | None = None
) -> str:
    """Return the rules for writing, and add the parameters they use.

    :param home: ``$CODEX_HOME``, which commands can't write unless the policy names it or a path in it.
    """
    if policy.full_write and policy.writable_roots in {(), ("/",)}:
        return rule("allow", "file-write*", [pattern("^/")])
    named = _resolved(policy.named_roots, canonical)
    roots = _resolved(policy.writable_roots, canonical)
    roots = [root for root in roots if not is_closed(root, named, libraries())]
    read_only = [path for root in roots if root != "/" for path in protected_paths(root, named) if path not in roots]
    if "/" not in roots:
        read_only += [] if home is None or canonical(home) in roots else [home]
        read_only += (place for place in own_places(home) if canonical(place) not in roots)
    read_only += (each.path for each in policy.rules if each.access == policy.access(each.path) != "write")
    read_only = _spelled_and_resolved(read_only, canonical)
    filters = [
        _tree_without(f"WRITABLE_ROOT_{index}", root, read_only, parameters, _any_case_filters(root, roots))
        for index, root in enumerate(roots)
    ]
    return rule("allow", "file-write*", filters) if filters else ""


def _any_case_filters(root: str, roots: list[str]) -> list[str]:
    """Return filters for the protected names of a root in any case, since file systems of macOS ignore case."""
    if root == "/":
        return []
    names = [name for name in PROTECTED if f"{root}/{name}" not in roots]
    spelled = (
        "".join(f"[{each}{each.upper()}]" if each.isalpha() else literal(each) for each in name) for name in names
    )
    return [pattern(f"^{literal(root)}/{name}(/.*)?$") for name in spelled]


def deny_rules(policy: ResolvedPolicy, parameters: Parameters, canonical: Canonical = os.path.realpath) -> str:
    """Return the rules that take precedence over all others; they belong at the end.

    They deny what matches denied patterns, and denied paths that the rules for the platform would allow.
    """
    filters = [pattern(regex) for glob in policy.globs for regex in regexes(glob, canonical)]
    if policy.platform_defaults:
        reopened = _spelled_and_resolved((each.path for each in policy.rules if each.access != "none"), canonical)
        for index, path in enumerate(_spelled_and_resolved(policy.unreadable_roots, canonical)):
            filters.append(_tree_without(f"DENIED_{index}", path, reopened, parameters))
    if not filters:
        return ""
    return "\n".join([rule("deny", "file-read*", filters), rule("deny", "file-write*", filters)])


def _tree_without(
    name: str, root: str, read_only: Iterable[str], parameters: Parameters, further: Sequence[str] = ()
) -> str:
    """Return the filter for a root without the excluded paths strictly below it.

    :param further: filters for further exclusions.
    """
    parameters.append((name, root))
    excluded: list[str] = []
    for path in read_only:
        if path != root and is_below(path, root):
            excluded.append(f"{name}_EXCLUDED_{len(excluded)}")
            parameters.append((excluded[-1], path))
    return tree(name, excluded, further)


def _resolved(paths: Iterable[str], canonical: Canonical) -> list[str]:
    return list(dict.fromkeys(canonical(path) for path in paths))


def _spelled_and_resolved(paths: Iterable[str], canonical: Canonical) -> list[str]:
    """Return each path twice: with only its parent directory resolved, and resolved completely."""
    found: dict[str, None] = {}
    for path in paths:
        folder, _, name = path.rpartition("/")
        found[f"{canonical(folder or '/').rstrip('/')}/{name}"] = None
        found[canonical(path)] = None
    return list(found)
