"""Return the policy of a launch request in the forms that launchers enforce."""

from __future__ import annotations

from codex_hookspecs.errors import ConfigError, SandboxUnavailable
from codex_hookspecs.types.permissions import Permissions
from codex_hookspecs.types.sandbox import LaunchRequest
from codex_sandboxing.legacy import to_split
from codex_sandboxing.resolved import PolicyContext, ResolvedPolicy


def enforced(request: LaunchRequest) -> Permissions:
    """Return the permissions of a request: its own, or what its legacy policy stands for."""
    return request.permissions if request.permissions is not None else to_split(request.policy)


def resolved(request: LaunchRequest) -> ResolvedPolicy:
    """Return the file system policy of a request, resolved for the machine and directory of the command.

    :raises SandboxUnavailable: when it can't be resolved there.
    """
    try:
        place = PolicyContext.of(request.policy_cwd or request.cwd, request.env, request.project_roots)
        return ResolvedPolicy(enforced(request).file_system, place)
    except ConfigError as error:
        raise SandboxUnavailable(f"the command was not run: {error}") from error
