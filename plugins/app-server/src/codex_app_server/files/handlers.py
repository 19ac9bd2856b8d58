"""Handlers of the methods for files."""

from __future__ import annotations

from codex_app_server.files.access import FileAccess
from codex_app_server.files.content import FileContent
from codex_app_server.files.entries import FileEntries
from codex_app_server.files.watches import FileWatches


class Files:
    """The file methods for all clients."""

    def __init__(self) -> None:
        access = FileAccess()
        self.content = FileContent(access)
        self.entries = FileEntries(access)
        self.watches = FileWatches(access)
