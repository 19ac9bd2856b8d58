"""Company rules for commands and patches: requests and decisions."""

from __future__ import annotations

from codex_hookspecs._lazy import exported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codex_hookspecs.markers import enabled_if as enabled_if
    from codex_hookspecs.markers import hookimpl as hookimpl
    from codex_hookspecs.markers import time_limit as time_limit
    from codex_hookspecs.types.grants import AdditionalPermissions as AdditionalPermissions
    from codex_hookspecs.types.policy import PolicyDecision as PolicyDecision
    from codex_hookspecs.types.policy import PolicyRequest as PolicyRequest
    from codex_hookspecs.types.sandbox import SandboxPolicy as SandboxPolicy
    from codex_hookspecs.types.threads import ThreadSettings as ThreadSettings

__all__, __getattr__, __dir__ = exported(
    __name__,
    {
        "markers": "enabled_if hookimpl time_limit",
        "types.grants": "AdditionalPermissions",
        "types.policy": "PolicyDecision PolicyRequest",
        "types.sandbox": "SandboxPolicy",
        "types.threads": "ThreadSettings",
    },
)
