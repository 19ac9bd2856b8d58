"""Sinks for analytics events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_hookspecs.markers import offer

if TYPE_CHECKING:
    from codex_hookspecs.ports.analytics import AnalyticsSink
    from codex_hookspecs.ports.host import Host


@offer(requires=("record",), not_called_yet=True)
def analytics_sink(host: Host) -> AnalyticsSink | None:
    """Offer a sink for analytics events.

    :param host: the running program.
    :return: a sink that receives every event, or ``None``.

    To be called once, before the first event. All sinks receive all events; one that raises is removed.

    Example::

        from codex_hookspecs import hookimpl
        from codex_testkit import RecordingSink

        @hookimpl
        def analytics_sink():
            return RecordingSink()
    """
