"""Hook implementations of thread-store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_hookspecs import hookimpl
from codex_hookspecs.host import Host
from codex_hookspecs.storage import ThreadStore

if TYPE_CHECKING:
    from codex_hookspecs.environments import FileSystem
    from codex_hookspecs.protocol import ThreadSettings


@hookimpl
def thread_store(host: Host) -> ThreadStore:
    """Store threads in rollout files below ``$CODEX_HOME``."""
    from codex_thread_store.store import RolloutStore

    async def files(settings: ThreadSettings) -> FileSystem:
        config = host.config.for_directory(settings.cwd, settings.overrides or None)
        return (await host.environments.get(config.get("environment"))).files

    return RolloutStore(host.codex_home, warn=host.logger("thread-store").warning, files=files)
