"""Sinks for analytics events."""

from __future__ import annotations

from codex_hookspecs._lazy import exported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codex_hookspecs.markers import hookimpl as hookimpl
    from codex_hookspecs.ports.analytics import AnalyticsSink as AnalyticsSink

__all__, __getattr__, __dir__ = exported(
    __name__,
    {
        "markers": "hookimpl",
        "ports.analytics": "AnalyticsSink",
    },
)
