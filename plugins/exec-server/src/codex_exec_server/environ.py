"""Build the environment variables of a child process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from codex_exec_server.decoding import REQUIRED, boolean, mapping, sequence, string, struct, variant
from codex_hookspecs.environments import EnvironPolicy, apply_policy
from codex_hookspecs.errors import ExecError

read_policy = struct(
    "ExecEnvPolicy",
    {
        "inherit": (variant("core", "all", "none"), REQUIRED),
        "ignoreDefaultExcludes": (boolean, REQUIRED),
        "exclude": (sequence(string), REQUIRED),
        "set": (mapping, REQUIRED),
        "includeOnly": (sequence(string), REQUIRED),
    },
)


def build_child_environ(
    server: Mapping[str, str], env: dict[str, str], policy: dict[str, Any] | None
) -> dict[str, str]:
    """Build the environment variables of a child process.

    :param server: variables of the server.
    :param env: without a policy the exact environment; with one, variables that are added to the inherited ones.
    :param policy: what to inherit from the server, or ``None`` to inherit nothing.
    :raises ExecError: when a variable contains a NUL character.
    """
    if policy is not None:
        wanted = EnvironPolicy(
            inherit=policy["inherit"],
            ignore_default_excludes=policy["ignoreDefaultExcludes"],
            exclude=tuple(policy["exclude"]),
            set=policy["set"],
            include_only=tuple(policy["includeOnly"]),
        )
        env = {**apply_policy(server, wanted), **env}
    if any("\0" in name or "\0" in value for name, value in env.items()):
        raise ExecError("data provided contains a nul byte")
    if not any("=" in name for name in env):
        return env
    made = {}
    for name, value in env.items():
        head, equals, rest = name.partition("=")
        if head:
            made[head] = f"{rest}={value}" if equals else value
    return made
