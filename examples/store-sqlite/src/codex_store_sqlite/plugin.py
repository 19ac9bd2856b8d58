"""Keeps threads in ``threads.sqlite`` in ``$CODEX_HOME``, in place of rollout files."""

from pathlib import Path

from codex_hookspecs.host import Host
from codex_hookspecs.storage import ThreadStore, hookimpl


@hookimpl
def thread_store(host: Host) -> ThreadStore:
    from codex_store_sqlite.store import SqliteStore

    file = host.config.get("plugins.store-sqlite.file", "threads.sqlite")
    return SqliteStore(Path(host.codex_home) / file)
