"""Read the command line of ``codex-linux-sandbox``, by which clients name a policy (Codex 0.118 and 0.169)."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from codex_hookspecs.errors import ConfigError
from codex_hookspecs.json_text import parse_json
from codex_hookspecs.types.permissions import Permissions
from codex_hookspecs.types.sandbox import SandboxPolicy
from codex_sandboxing.core_form import read_policy
from codex_sandboxing.legacy import to_legacy, to_split
from codex_sandboxing.protected_paths import PROTECTED
from codex_sandboxing.resolved import PolicyContext, ResolvedPolicy
from codex_sandboxing.split_form import read_file_system, read_network, read_profile

HELPER = "codex-linux-sandbox"
_VALUED = (
    "--sandbox-policy-cwd",
    "--command-cwd",
    "--sandbox-policy",
    "--file-system-sandbox-policy",
    "--network-sandbox-policy",
    "--permission-profile",
    "--proxy-route-spec",
)
_FLAGS = ("--use-legacy-landlock", "--allow-network-for-proxy", "--no-proc", "--apply-seccomp-then-exec")


class HelperCall(NamedTuple):
    """A command and the policy that is to be enforced.

    :param policy: the legacy policy that is nearest to the permissions.
    :param policy_cwd: workspace of the policy.
    :param cwd: working directory of the command, if it is given.
    :param managed: of the network, only the proxies that the environment names can be reached.
    :param inner: files and network are restricted already; only the filter of system calls is left to apply.
    :param routes: variables that name proxies, and the sockets inside of the sandbox that lead to them.
    """

    policy: SandboxPolicy
    permissions: Permissions
    policy_cwd: str
    cwd: str | None
    command: tuple[str, ...]
    managed: bool = False
    inner: bool = False
    routes: tuple[tuple[str, str], ...] = ()


def is_helper(program: str) -> bool:
    """Tell whether a program is the helper, by its name."""
    return os.path.basename(program) == HELPER


def read_helper_call(words: Sequence[str], cwd: str, env: Mapping[str, str]) -> HelperCall:
    """Read a command line.

    :param words: what follows the helper's name.
    :param cwd: where the helper runs.
    :param env: the command's environment.
    :raises ConfigError: when it is wrong.
    """
    values, flags, command = _options(words)
    policy_cwd = values.get("--sandbox-policy-cwd", cwd)
    for name in ("--sandbox-policy-cwd", "--command-cwd"):
        if not os.path.isabs(values.get(name, "/")):
            raise ConfigError(f"{HELPER} has {name} {values[name]!r}, allowed are absolute paths")
    place = PolicyContext.of(policy_cwd, env)
    policy, permissions = _policies(values, place)
    if "--use-legacy-landlock" in flags and not _is_expressible(permissions, place):
        raise ConfigError("a policy that has no legacy form cannot be used with --use-legacy-landlock")
    return HelperCall(
        policy=policy,
        permissions=permissions,
        policy_cwd=policy_cwd,
        cwd=values.get("--command-cwd"),
        command=command,
        managed="--allow-network-for-proxy" in flags,
        inner="--apply-seccomp-then-exec" in flags,
        routes=_routes(values.get("--proxy-route-spec")),
    )


def _options(words: Sequence[str]) -> tuple[dict[str, str], set[str], tuple[str, ...]]:
    values: dict[str, str] = {}
    flags: set[str] = set()
    rest = list(words)
    while rest and rest[0].startswith("-"):
        word = rest.pop(0)
        if word == "--":
            break
        name, equals, value = word.partition("=")
        if word in _FLAGS:
            flags.add(word)
        elif name in _VALUED:
            if not equals and not rest:
                raise ConfigError(f"{HELPER} has {name} without a value")
            values[name] = value if equals else rest.pop(0)
        else:
            raise ConfigError(f"{HELPER} has the unexpected argument {word!r}")
    if not rest:
        raise ConfigError(f"{HELPER} got no command to run")
    return values, flags, tuple(rest)


def _policies(values: Mapping[str, str], place: PolicyContext) -> tuple[SandboxPolicy, Permissions]:
    legacy = values.get("--sandbox-policy")
    files, network = values.get("--file-system-sandbox-policy"), values.get("--network-sandbox-policy")
    profile = values.get("--permission-profile")
    if (files is None) != (network is None):
        raise ConfigError("file-system and network sandbox policies must be provided together")
    policy = read_policy(_document(legacy, "--sandbox-policy")) if legacy is not None else None
    if profile is not None:
        permissions = read_profile(_document(profile, "--permission-profile"))
    elif files is not None and network is not None:
        permissions = Permissions(
            read_file_system(_document(files, "--file-system-sandbox-policy")),
            read_network(_document(network, "--network-sandbox-policy")),
        )
    elif policy is not None:
        return policy, to_split(policy)
    else:
        raise ConfigError("missing sandbox policy configuration")
    if policy is not None and not _agree(to_split(policy), permissions, place) and _is_expressible(permissions, place):
        raise ConfigError("legacy sandbox policy must match split sandbox policies")
    return policy or _nearest(permissions, place), permissions


def _document(text: str, option: str) -> Any:
    try:
        return parse_json(text)
    except ValueError as error:
        raise ConfigError(f"{option} is not valid JSON: {error}") from error


def _nearest(permissions: Permissions, place: PolicyContext) -> SandboxPolicy:
    try:
        return to_legacy(permissions, place)
    except ConfigError:
        return SandboxPolicy("readOnly", permissions.network == "enabled")


def _is_expressible(permissions: Permissions, place: PolicyContext) -> bool:
    """Tell whether a legacy policy can express a policy."""
    try:
        return _agree(to_split(to_legacy(permissions, place)), permissions, place)
    except ConfigError:
        return False


def _agree(one: Permissions, other: Permissions, place: PolicyContext) -> bool:
    """Tell whether two policies mean the same, except for protected paths."""
    return one.network == other.network and _meaning(one, place) == _meaning(other, place)


def _meaning(permissions: Permissions, place: PolicyContext) -> Any:
    found = ResolvedPolicy(permissions.file_system, place)
    if not found.restricted:
        return permissions.file_system.kind
    closed = {
        rule.path
        for root in found.writable_roots
        for rule in found.read_only_subpaths(root)
        if rule.access == "none" or os.path.basename(rule.path) not in PROTECTED
    }
    readable = {path for path in found.readable_roots if os.path.basename(path) not in PROTECTED}
    return found.full_read, set(found.writable_roots), readable, set(found.unreadable_roots), closed, found.globs


def _routes(text: str | None) -> tuple[tuple[str, str], ...]:
    if text is None:
        return ()
    document = _document(text, "--proxy-route-spec")
    routes = document.get("routes") if isinstance(document, dict) else None
    if isinstance(routes, list) and all(isinstance(each, dict) for each in routes):
        found = [(each.get("env_key"), each.get("uds_path")) for each in routes]
        if all(isinstance(key, str) and isinstance(path, str) and os.path.isabs(path) for key, path in found):
            return tuple((str(key), str(path)) for key, path in found)
    raise ConfigError('--proxy-route-spec takes {"routes":[{"env_key":NAME,"uds_path":PATH}, …]}')
