"""The environment variables of commands (``shell_environment_policy``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from codex_hookspecs.environments import EnvironPolicy

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


def fixed_variables(thread_id: str) -> dict[str, str]:
    """Return the variables that are set for every command, in addition to those that the policy allows."""
    return {"CODEX_THREAD_ID": thread_id, **_OVERLAY}


def read_policy(config: Mapping[str, Any]) -> EnvironPolicy:
    """Read the policy for environment variables of commands.

    :param config: effective configuration; ``shell_environment_policy`` is a table with ``inherit`` (``all``, ``core``,
        ``none``), ``ignore_default_excludes``, ``exclude``, ``set`` and ``include_only``; patterns are globs that
        ignore case. Variables whose name looks like a secret's, and this program's own credentials, are excluded
        unless ``ignore_default_excludes = true``.
    """
    found = config.get("shell_environment_policy")
    policy = found if isinstance(found, dict) else {}
    inherit, given, ignored = policy.get("inherit"), policy.get("set"), policy.get("ignore_default_excludes")
    own = () if ignored is True else own_credentials(config)
    return EnvironPolicy(
        inherit=inherit if inherit in ("core", "none") else "all",
        ignore_default_excludes=ignored is True,
        exclude=(*_patterns(policy, "exclude"), *own),
        set={str(name): str(value) for name, value in given.items()} if isinstance(given, dict) else {},
        include_only=tuple(_patterns(policy, "include_only")),
    )


def own_credentials(config: Mapping[str, Any]) -> Iterator[str]:
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
