"""Decide which environment variables a command gets (``shell_environment_policy``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_CORE = frozenset({"HOME", "LOGNAME", "PATH", "SHELL", "USER", "USERNAME", "TMPDIR", "TEMP", "TMP"})
_SECRETS = ("*KEY*", "*SECRET*", "*TOKEN*")
_OWN = ("CODEX_API_KEY", "CODEX_ACCESS_TOKEN", "OPENAI_API_KEY")
_OVERLAY = {
    "NO_COLOR": "1",
    "TERM": "dumb",
    "LANG": "C.UTF-8",
    "LC_CTYPE": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "COLORTERM": "",
    "PAGER": "cat",
    "GIT_PAGER": "cat",
    "GH_PAGER": "cat",
    "CODEX_CI": "1",
}


def command_environment(environ: Mapping[str, str], config: Mapping[str, Any], thread_id: str) -> dict[str, str]:
    """Return the complete environment of a command.

    :param environ: variables of the program.
    :param config: effective configuration of the thread.
    """
    policy = config.get("shell_environment_policy")
    chosen = apply_policy(environ, policy if isinstance(policy, dict) else {}, own=tuple(own_credentials(config)))
    return {**chosen, "CODEX_THREAD_ID": thread_id, **_OVERLAY}


def apply_policy(environ: Mapping[str, str], policy: Mapping[str, Any], own: Sequence[str] = ()) -> dict[str, str]:
    """Return the variables that a policy lets through.

    :param policy: table with ``inherit`` (``all``, ``core``, ``none``), ``ignore_default_excludes``, ``exclude``,
        ``set`` and ``include_only``; patterns are globs that ignore case. ``ignore_default_excludes = false`` drops
        what looks like a secret, ``true`` drops nothing by itself.
    :param own: names left out when the policy does not say how secrets are to be treated.
    """
    chosen = _inherited(environ, policy.get("inherit", "all"))
    excluded = [*_patterns(policy, "exclude")]
    ignored = policy.get("ignore_default_excludes")
    if ignored is None:
        excluded += own
    elif not ignored:
        excluded += _SECRETS
    if excluded:
        chosen = {name: value for name, value in chosen.items() if not _matches(name, excluded)}
    given = policy.get("set")
    if isinstance(given, dict):
        chosen.update((str(name), str(value)) for name, value in given.items())
    only = _patterns(policy, "include_only")
    if only:
        chosen = {name: value for name, value in chosen.items() if _matches(name, only)}
    return chosen


def own_credentials(config: Mapping[str, Any]) -> Iterator[str]:
    """Name the variables that hold this program's own credentials."""
    yield from _OWN
    providers = config.get("model_providers")
    for provider in providers.values() if isinstance(providers, dict) else ():
        name = provider.get("env_key") if isinstance(provider, dict) else None
        if isinstance(name, str) and name:
            yield name


def _inherited(environ: Mapping[str, str], inherit: Any) -> dict[str, str]:
    if inherit == "none":
        return {}
    if inherit == "core":
        return {name: value for name, value in environ.items() if name.upper() in _CORE}
    return dict(environ)


def _patterns(policy: Mapping[str, Any], key: str) -> list[str]:
    found = policy.get(key)
    return [str(pattern) for pattern in found] if isinstance(found, list | tuple) else []


def _matches(name: str, patterns: Sequence[str]) -> bool:
    from fnmatch import fnmatchcase

    upper = name.upper()
    return any(fnmatchcase(upper, pattern.upper()) for pattern in patterns)
