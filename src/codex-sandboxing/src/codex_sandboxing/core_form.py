"""The ``SandboxPolicy`` of Codex 0.118: tag ``type`` in kebab case, members in snake case.

Rollouts carry it as ``sandbox_policy`` of ``turn_context``, ``codex-linux-sandbox`` takes it as ``--sandbox-policy``,
and the Windows runner as ``policy_json_or_preset``. ``config.toml`` spells it as well: the tag is ``sandbox_mode``, the
members stand in ``[sandbox_workspace_write]``.
"""

from __future__ import annotations

import os

from codex_hookspecs.errors import ConfigError
from codex_hookspecs.types.sandbox import SandboxPolicy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from codex_hookspecs.types.json import JsonObject
    from codex_hookspecs.types.sandbox import PolicyKind

_WHAT = "the sandbox policy"
_TABLE = "sandbox_workspace_write"
_READ_ACCESS = "read access of the sandbox policy"
_KINDS: dict[str, PolicyKind] = {
    "danger-full-access": "dangerFullAccess",
    "read-only": "readOnly",
    "workspace-write": "workspaceWrite",
    "external-sandbox": "externalSandbox",
}
_WORDS = {kind: word for word, kind in _KINDS.items()}
_MODES = ("read-only", "workspace-write", "danger-full-access")
_NETWORK = ("restricted", "enabled")


def read_policy(document: Any) -> SandboxPolicy:
    """Read a policy.

    :raises ConfigError: when it is none.
    """
    from codex_sandboxing import _checks

    policy = _checks.mapping(document, _WHAT)
    kind = _KINDS[_checks.word(policy, "type", tuple(_KINDS), _WHAT)]
    if kind == "externalSandbox":
        network = policy.get("network_access", "restricted")
        if network not in _NETWORK:
            raise ConfigError(f"network_access of {_WHAT} is {network!r}, allowed: {', '.join(_NETWORK)}")
        return SandboxPolicy(kind, network == "enabled")
    if kind == "dangerFullAccess":
        return SandboxPolicy(kind)
    readable, defaults = _read_access(policy.get("access" if kind == "readOnly" else "read_only_access"))
    network_access = _checks.flag(policy, "network_access", _WHAT)
    if kind == "readOnly":
        return SandboxPolicy(kind, network_access, readable_roots=readable, platform_defaults=defaults)
    return SandboxPolicy(
        kind,
        network_access,
        writable_roots=_checks.absolute_paths(policy, "writable_roots", _WHAT),
        exclude_slash_tmp=_checks.flag(policy, "exclude_slash_tmp", _WHAT),
        exclude_tmpdir_env_var=_checks.flag(policy, "exclude_tmpdir_env_var", _WHAT),
        readable_roots=readable,
        platform_defaults=defaults,
    )


def write_policy(policy: SandboxPolicy, *, empty_roots: bool = False) -> JsonObject:
    """Write a policy.

    :param empty_roots: write ``writable_roots`` of ``workspace-write`` even without any, as rollouts have it.
    """
    document: JsonObject = {"type": _WORDS[policy.kind]}
    if policy.kind == "externalSandbox":
        document["network_access"] = "enabled" if policy.network_access else "restricted"
    if policy.kind == "readOnly":
        if policy.readable_roots is not None:
            document["access"] = _access_document(policy)
        if policy.network_access:
            document["network_access"] = True
    if policy.kind == "workspaceWrite":
        if policy.writable_roots or empty_roots:
            document["writable_roots"] = list(policy.writable_roots)
        if policy.readable_roots is not None:
            document["read_only_access"] = _access_document(policy)
        document["network_access"] = policy.network_access
        document["exclude_tmpdir_env_var"] = policy.exclude_tmpdir_env_var
        document["exclude_slash_tmp"] = policy.exclude_slash_tmp
    return document


def configured_policy(mode: str, options: Mapping[str, Any]) -> SandboxPolicy:
    """Return the policy of a mode with what ``[sandbox_workspace_write]`` says.

    :param options: that table.
    :raises ConfigError: when the mode is not known, or a value of the table is wrong.
    """
    from codex_sandboxing import _checks

    if mode not in _MODES:
        raise ConfigError(f"sandbox mode {mode!r}, allowed is one of {', '.join(_MODES)}")
    if mode != "workspace-write":
        return SandboxPolicy(_KINDS[mode])
    roots = options.get("writable_roots", ())
    if not isinstance(roots, list | tuple) or not all(isinstance(root, str) for root in roots):
        raise ConfigError(f"{_TABLE}.writable_roots is {roots!r}, expected a list of absolute paths")
    wrong = [root for root in roots if not os.path.isabs(root) or "\0" in root]
    if wrong:
        raise ConfigError(f"{_TABLE}.writable_roots has {wrong[0]!r}, allowed are absolute paths")
    return SandboxPolicy(
        "workspaceWrite",
        _checks.flag(options, "network_access", _TABLE),
        writable_roots=tuple(roots),
        exclude_slash_tmp=_checks.flag(options, "exclude_slash_tmp", _TABLE),
        exclude_tmpdir_env_var=_checks.flag(options, "exclude_tmpdir_env_var", _TABLE),
    )


def sandbox_of(table: Mapping[str, Any], cwd: str) -> SandboxPolicy:
    """Return the policy that a configuration sets for a directory; without a setting it is read-only.

    :param table: effective configuration of the directory.
    :raises ConfigError: when a value is invalid.
    """
    mode: SandboxPolicy | str | None = table.get("sandbox_mode")
    if mode is None and table.get("default_permissions") is not None:
        from codex_sandboxing.profiles import default_policy

        mode = default_policy(table["default_permissions"], table.get("permissions", {}), cwd)
    if isinstance(mode, SandboxPolicy):
        return mode
    return configured_policy(mode or "read-only", table.get("sandbox_workspace_write", {}))


def _read_access(document: Any) -> tuple[tuple[str, ...] | None, bool]:
    from codex_sandboxing import _checks

    if document is None:
        return None, True
    access = _checks.mapping(document, _READ_ACCESS)
    if _checks.word(access, "type", ("full-access", "restricted"), _READ_ACCESS) == "full-access":
        return None, True
    defaults = _checks.flag(access, "include_platform_defaults", _WHAT, default=True)
    return _checks.absolute_paths(access, "readable_roots", _WHAT), defaults


def _access_document(policy: SandboxPolicy) -> JsonObject:
    return {
        "type": "restricted",
        "include_platform_defaults": policy.platform_defaults,
        "readable_roots": list(policy.readable_roots or ()),
    }
