"""Sinks for facts about what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_hookspecs.markers import offer

if TYPE_CHECKING:
    from codex_hookspecs.ports.analytics import AnalyticsSink
    from codex_hookspecs.ports.host import Host


@offer(requires=("record",), not_called_yet=True)
def analytics_sink(host: Host) -> AnalyticsSink | None:
    """Offer a sink; called once, when the first fact is recorded.

    :param host: the running program.
    :return: a sink that gets every fact, or ``None`` for none.

    All sinks get all facts; one that raises is left out from then on.

    Example::

        from codex_hookspecs import hookimpl
        from codex_testkit import RecordingSink

        @hookimpl
        def analytics_sink():
            return RecordingSink()
    """
