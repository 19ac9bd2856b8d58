"""Read and apply ``shell_environment_policy``, which selects the environment variables of a command."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from codex_hookspecs.types.environment import EnvironPolicy

CORE = frozenset({"HOME", "LOGNAME", "PATH", "SHELL", "USER", "USERNAME", "TMPDIR", "TEMP", "TMP"})
SECRETS = ("*KEY*", "*SECRET*", "*TOKEN*")
_OWN = ("CODEX_API_KEY", "CODEX_ACCESS_TOKEN", "OPENAI_API_KEY")


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


def read_environ_policy(config: Mapping[str, Any]) -> EnvironPolicy:
    """Read the policy for environment variables of commands.

    :param config: effective configuration; ``shell_environment_policy`` is a table with ``inherit`` (``all``, ``core``,
        ``none``), ``ignore_default_excludes``, ``exclude``, ``set`` and ``include_only``; patterns are globs that
        ignore case. Variables whose name looks like a secret's, and this program's own credentials, are excluded
        unless ``ignore_default_excludes = true``.
    """
    found = config.get("shell_environment_policy")
    policy = found if isinstance(found, dict) else {}
    inherit, given, ignored = policy.get("inherit"), policy.get("set"), policy.get("ignore_default_excludes")
    own = () if ignored is True else _own_credentials(config)
    return EnvironPolicy(
        inherit=inherit if inherit in ("core", "none") else "all",
        ignore_default_excludes=ignored is True,
        exclude=(*_patterns(policy, "exclude"), *own),
        set={str(name): str(value) for name, value in given.items()} if isinstance(given, dict) else {},
        include_only=tuple(_patterns(policy, "include_only")),
    )


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


def _own_credentials(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield the variables with this program's own credentials: for models, MCP servers and remote environments."""
    yield from _OWN
    for table in ("model_providers", "mcp_servers", "environments"):
        entries = config.get(table)
        for entry in entries.values() if isinstance(entries, dict) else ():
            if not isinstance(entry, dict):
                continue
            headers = entry.get("env_http_headers")
            named = [entry.get(key) for key in ("env_key", "bearer_token_env_var", "token_env_var")]
            named += headers.values() if isinstance(headers, dict) else ()
            yield from (name for name in named if isinstance(name, str) and name)


def _patterns(policy: Mapping[str, Any], key: str) -> list[str]:
    found = policy.get(key)
    return [str(pattern) for pattern in found] if isinstance(found, list | tuple) else []
