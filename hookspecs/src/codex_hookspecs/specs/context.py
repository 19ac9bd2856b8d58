"""Standing texts that precede a conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_hookspecs.markers import event

if TYPE_CHECKING:
    from collections.abc import Sequence

    from codex_hookspecs.ports.host import Host
    from codex_hookspecs.ports.threads import AgentThread
    from codex_hookspecs.types.context import Fragment
    from codex_hookspecs.types.threads import ThreadSettings


@event(timeout=30.0, merge="concat", requires=("key", "place", "text", "order"))
async def instruction_fragments(thread: AgentThread, settings: ThreadSettings, host: Host) -> Sequence[Fragment] | None:
    """Offer the standing texts of a turn; asked at the beginning of every turn.

    :param thread: the thread.
    :param settings: settings of the turn: directory, policies, model.
    :param host: the running program.
    :return: fragments, or ``None`` for none.

    Fragments of all plugins are sorted by place and order; one is sent when its text differs from the last time. A
    failure or time-out is shown and the turn goes on without that plugin's texts.

    Example::

        from codex_hookspecs import Fragment, hookimpl

        @hookimpl
        async def instruction_fragments(settings):
            return [Fragment(key="motto", place="developer", text="Measure twice, cut once.", order=60)]
    """
