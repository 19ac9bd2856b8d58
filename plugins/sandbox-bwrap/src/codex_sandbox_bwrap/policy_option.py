"""Choose the policy of ``codex sandbox``: from ``--full-auto``, a named profile or the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from codex_hookspecs.errors import ConfigError
from codex_hookspecs.sandbox import Permissions, SandboxPolicy
from codex_sandbox_bwrap.options import Options
from codex_sandboxing.core_form import configured_policy
from codex_sandboxing.legacy import to_legacy, to_split
from codex_sandboxing.profiles import BUILT_IN, named_profile
from codex_sandboxing.resolved import PolicyContext

if TYPE_CHECKING:
    from codex_hookspecs.host import Config


class ChosenPolicy(NamedTuple):
    """A policy in both forms; ``policy`` is the nearest legacy form of ``permissions``."""

    policy: SandboxPolicy
    permissions: Permissions


def choose_policy(options: Options, config: Config, cwd: str) -> ChosenPolicy:
    """Return the policy that a command line asks for.

    :raises ConfigError: when the profile or the configuration is wrong.
    """
    if options.full_auto:
        return _in_both_forms(_from_config("workspace-write", config))
    name = options.profile
    if name is None and not config.get("sandbox_mode"):
        name = config.get("default_permissions")
    if name is None:
        return _in_both_forms(_from_config(config.get("sandbox_mode", "read-only"), config))
    if name in BUILT_IN:
        return _in_both_forms(_from_config(BUILT_IN[name], config))
    permissions = named_profile(name, config.get("permissions", {}))
    try:
        legacy = to_legacy(permissions, PolicyContext(cwd=cwd))
    except ConfigError:
        legacy = SandboxPolicy("readOnly", permissions.network == "enabled")
    return ChosenPolicy(legacy, permissions)


def _from_config(mode: str, config: Config) -> SandboxPolicy:
    return configured_policy(mode, config.get("sandbox_workspace_write", {}))


def _in_both_forms(policy: SandboxPolicy) -> ChosenPolicy:
    return ChosenPolicy(policy, to_split(policy))
