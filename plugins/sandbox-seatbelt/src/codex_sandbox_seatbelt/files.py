"""Write the rules for files: what can be read, what written, what is denied in spite of everything."""

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
    denied = _both(policy.unreadable_roots, canonical)
    filters = [
        _tree_without(f"READABLE_ROOT_{index}", root, denied, parameters)
        for index, root in enumerate(_once(policy.readable_roots, canonical))
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
    named = _once(policy.named_roots, canonical)
    roots = _once(policy.writable_roots, canonical)
    roots = [root for root in roots if not is_closed(root, named, libraries())]
    held_back = [path for root in roots if root != "/" for path in protected_paths(root, named) if path not in roots]
    if "/" not in roots:
        held_back += [] if home is None or canonical(home) in roots else [home]
        held_back += (place for place in own_places(home) if canonical(place) not in roots)
    held_back += (each.path for each in policy.rules if each.access == policy.access(each.path) != "write")
    held_back = _both(held_back, canonical)
    filters = [
        _tree_without(f"WRITABLE_ROOT_{index}", root, held_back, parameters, _in_any_case(root, roots))
        for index, root in enumerate(roots)
    ]
    return rule("allow", "file-write*", filters) if filters else ""


def _in_any_case(root: str, roots: list[str]) -> list[str]:
    """Return filters for the protected names of a root, in small and capital letters, which mean the same on a Mac."""
    if root == "/":
        return []
    names = [name for name in PROTECTED if f"{root}/{name}" not in roots]
    spelled = (
        "".join(f"[{each}{each.upper()}]" if each.isalpha() else literal(each) for each in name) for name in names
    )
    return [pattern(f"^{literal(root)}/{name}(/.*)?$") for name in spelled]


def deny_rules(policy: ResolvedPolicy, parameters: Parameters, canonical: Canonical = os.path.realpath) -> str:
    """Return the rules that no other rule may soften; they belong at the end.

    Denied patterns, and denied paths that the platform's defaults would open again.
    """
    filters = [pattern(regex) for glob in policy.globs for regex in regexes(glob, canonical)]
    if policy.platform_defaults:
        reopened = _both((each.path for each in policy.rules if each.access != "none"), canonical)
        for index, path in enumerate(_both(policy.unreadable_roots, canonical)):
            filters.append(_tree_without(f"DENIED_{index}", path, reopened, parameters))
    if not filters:
        return ""
    return "\n".join([rule("deny", "file-read*", filters), rule("deny", "file-write*", filters)])


def _tree_without(
    name: str, root: str, held_back: Iterable[str], parameters: Parameters, others: Sequence[str] = ()
) -> str:
    """Return the filter for a root without what is held back strictly below it.

    :param others: filters for what is held back, too.
    """
    parameters.append((name, root))
    excluded: list[str] = []
    for path in held_back:
        if path != root and is_below(path, root):
            excluded.append(f"{name}_EXCLUDED_{len(excluded)}")
            parameters.append((excluded[-1], path))
    return tree(name, excluded, others)


def _once(paths: Iterable[str], canonical: Canonical) -> list[str]:
    return list(dict.fromkeys(canonical(path) for path in paths))


def _both(paths: Iterable[str], canonical: Canonical) -> list[str]:
    """Return paths as they are spelled below the real place of their directory, and as they really lie."""
    found: dict[str, None] = {}
    for path in paths:
        folder, _, name = path.rpartition("/")
        found[f"{canonical(folder or '/').rstrip('/')}/{name}"] = None
        found[canonical(path)] = None
    return list(found)
