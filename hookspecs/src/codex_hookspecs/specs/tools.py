"""Tools for the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_hookspecs.markers import offer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from codex_hookspecs.ports.host import Host
    from codex_hookspecs.ports.threads import AgentThread
    from codex_hookspecs.types.tools import Tool


@offer(key="name", requires=("spec", "run"))
def tools(thread: AgentThread, host: Host) -> Sequence[Tool] | None:
    """Offer tools to a thread; called once, when a loaded thread begins its first turn.

    :param thread: the thread; release the tools' resources in ``thread.on_close``.
    :param host: the running program.
    :return: tools, or ``None``.

    The model gets the tools of first-party plugins, then those of others in order of plugin name; ``plugin_order`` puts
    plugins first. Of two tools with the same name the later is left out, with a warning that names both plugins. A
    failing plugin offers nothing.

    Example::

        from codex_hookspecs import Tool, hookimpl

        def roll_dice(sides: int) -> int:
            "Roll a die with this many sides."
            return 4

        @hookimpl
        def tools(thread):
            return [Tool.from_function(roll_dice)]
    """
