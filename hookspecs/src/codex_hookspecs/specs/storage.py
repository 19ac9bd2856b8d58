"""The thread store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_hookspecs.markers import choose

if TYPE_CHECKING:
    from codex_hookspecs.ports.host import Host
    from codex_hookspecs.ports.storage import ThreadStore


@choose(requires=("create", "open", "read", "aclose"))
def thread_store(host: Host) -> ThreadStore | None:
    """Choose the thread store; called once. Ephemeral threads are not stored.

    :param host: the running program.
    :return: a store, or ``None``.

    The first answer is used; with none, all threads are ephemeral and the user is warned.

    Example::

        from codex_hookspecs import hookimpl
        from codex_testkit import MemoryThreadStore

        @hookimpl
        def thread_store():
            return MemoryThreadStore()
    """
