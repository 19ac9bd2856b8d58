"""Give launchers the policy of a request in the form they enforce."""

from __future__ import annotations

from codex_hookspecs.errors import ConfigError, SandboxUnavailable
from codex_hookspecs.types.permissions import Permissions
from codex_hookspecs.types.sandbox import LaunchRequest
from codex_sandboxing.legacy import to_split
from codex_sandboxing.resolved import PolicyContext, ResolvedPolicy


def enforced(request: LaunchRequest) -> Permissions:
    """Return the policy of a request in the split form: its own one, or what its legacy policy means."""
    return request.permissions if request.permissions is not None else to_split(request.policy)


def resolved(request: LaunchRequest) -> ResolvedPolicy:
    """Return the file system policy of a request as it holds where the command runs.

    :raises SandboxUnavailable: when it makes no sense there, in words for people.
    """
    try:
        place = PolicyContext.of(request.policy_cwd or request.cwd, request.env, request.project_roots)
        return ResolvedPolicy(enforced(request).file_system, place)
    except ConfigError as error:
        raise SandboxUnavailable(f"the command was not run: {error}") from error
