"""Instruction fragments that precede a conversation."""

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
    """Offer instruction fragments; called at the start of every turn.

    :param thread: the thread.
    :param settings: settings of the turn.
    :param host: the running program.
    :return: fragments, or ``None``.

    Fragments of all plugins are sorted by place and order; one is sent when its text has changed since it was last
    sent. A failure or timeout is shown, and the turn continues without that plugin's fragments.

    Example::

        from codex_hookspecs import Fragment, hookimpl

        @hookimpl
        async def instruction_fragments(settings):
            return [Fragment(key="motto", place="developer", text="Measure twice, cut once.", order=60)]
    """
