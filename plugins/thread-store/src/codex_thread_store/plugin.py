"""Hooks of the thread store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_hookspecs.markers import hookimpl
from codex_hookspecs.ports.host import Host
from codex_hookspecs.ports.storage import ThreadStore

if TYPE_CHECKING:
    from codex_hookspecs.ports.environment import FileSystem


@hookimpl
def thread_store(host: Host) -> ThreadStore:
    """Keep threads in rollout files below ``$CODEX_HOME``."""
    from codex_thread_store.store import RolloutStore

    async def files() -> FileSystem:
        return (await host.environments.get()).files

    return RolloutStore(host.codex_home, warn=host.logger("thread-store").warning, files=files)
