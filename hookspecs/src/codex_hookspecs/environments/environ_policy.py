"""Apply ``shell_environment_policy``: select the environment variables of a command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from codex_hookspecs.types.environment import EnvironPolicy

CORE = frozenset({"HOME", "LOGNAME", "PATH", "SHELL", "USER", "USERNAME", "TMPDIR", "TEMP", "TMP"})
SECRETS = ("*KEY*", "*SECRET*", "*TOKEN*")


def apply_policy(environ: Mapping[str, str], policy: EnvironPolicy) -> dict[str, str]:
    """Return the variables after applying a policy, in the order: inherit, exclude, set, include only."""
    chosen = _inherited(environ, policy.inherit)
    excluded = [*policy.exclude, *(() if policy.ignore_default_excludes else SECRETS)]
    if excluded:
        chosen = {name: value for name, value in chosen.items() if not _matches(name, excluded)}
    chosen.update(policy.set)
    if policy.include_only:
        chosen = {name: value for name, value in chosen.items() if _matches(name, policy.include_only)}
    return chosen


def _inherited(environ: Mapping[str, str], inherit: str) -> dict[str, str]:
    if inherit == "none":
        return {}
    if inherit == "core":
        return {name: value for name, value in environ.items() if name.upper() in CORE}
    return dict(environ)


def _matches(name: str, patterns: Sequence[str]) -> bool:
    from fnmatch import fnmatchcase

    upper = name.upper()
    return any(fnmatchcase(upper, pattern.upper()) for pattern in patterns)
