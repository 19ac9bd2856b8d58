"""One hook implementation of a plugin, as the dispatcher calls it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from attrs import define

if TYPE_CHECKING:
    from codex_hookspecs.markers import HookPolicy
    from codex_hookspecs.ports.host import Host
    from codex_host.plugins.stats_file import PluginStats


@define(eq=False, repr=False)
class BoundHook:
    """One hook implementation, with everything needed to call it.

    :param policy: policy declared by the hook's specification.
    :param order: its position in the call order.
    :param start: calls the function with those of the given named values that it takes as arguments.
    :param reports: whether the implementation reports its runs itself.
    :param enabled: predicate of ``enabled_if``, or ``None`` when it is always called.
    :param limit: time limit in seconds, or ``None`` when the implementation limits itself.
    :ivar failure: message about its last call, if that failed.
    """

    hook: str
    policy: HookPolicy
    function: Callable[..., Any]
    order: int
    start: Callable[[dict[str, Any]], Any]
    plugin: str
    stats: PluginStats
    reports: bool
    enabled: Callable[[Host, Any], bool] | None
    limit: float | None
    failure: str = ""

    @property
    def quarantined(self) -> bool:
        """Whether it is no longer called because of repeated failures."""
        return self.hook in self.stats.quarantined
