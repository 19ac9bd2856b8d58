"""The thread store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from codex_hookspecs.types.storage import Record, StoredThread, ThreadMeta, ThreadPage, ThreadQuery
from codex_hookspecs.types.threads import Thread


class ThreadWriter(Protocol):
    """The single writer of a thread."""

    @property
    def path(self) -> str | None:
        """File that the thread is stored in, or ``None``; known from the start, created when something is appended."""
        ...

    async def begin(self) -> None:
        """Create the file now with all records so far, even before the first item or message, for other readers.

        :raises StorageError: as :meth:`append` does.
        """
        ...

    async def append(self, records: Sequence[Record]) -> str | None:
        """Store records in order; when it returns, they survive a crash of the process.

        Records before the first item or message of a thread may be buffered until there is one.

        :return: a warning for the user about the thread's file, usually ``None``.
        :raises StorageError: when they can't be stored. The caller need not repeat them: the writer stores them with
            the next ones, as soon as that succeeds.
        """
        ...

    async def aclose(self) -> None:
        """Release the thread; may be called twice."""
        ...


class ThreadStore(Protocol):
    """Stores threads; every method raises ``StorageError`` when the store itself fails."""

    async def create(self, meta: ThreadMeta) -> ThreadWriter:
        """Create a thread; it is listed only after its first item or message."""
        ...

    async def open(self, thread_id: str, *, cli_version: str) -> tuple[StoredThread, ThreadWriter]:
        """Read a thread and become its writer.

        :param cli_version: version of the program that becomes the writer, for stores that record it.
        :raises ThreadNotFound: when there is no such thread.
        :raises ThreadBusy: when it has a writer, in whatever process.
        """
        ...

    async def fork(self, thread_id: str, meta: ThreadMeta) -> tuple[StoredThread, ThreadWriter]:
        """Copy a thread, read the copy and become its writer.

        The copy has all records of the thread so far and does not depend on it: it keeps its turns and its history
        when the other one is continued, rolled back, archived or deleted.

        :param thread_id: the thread to copy; another process may be its writer.
        :param meta: metadata of the copy; ``forked_from`` is ``thread_id``.
        :raises ThreadNotFound: when there is no such thread, or it is archived.
        """
        ...

    async def identify(self, path: str) -> str:
        """Return the id of the thread that is stored in a file.

        :raises ThreadNotFound: when the file is none of this store, or the store has no files.
        """
        ...

    async def read(self, thread_id: str) -> StoredThread:
        """Read a thread.

        :raises ThreadNotFound: when there is no such thread.
        """
        ...

    async def show(self, thread_id: str, *, turns: bool) -> Thread:
        """Return a thread in the form for clients; cheaper than :meth:`read` if its model history is large.

        :param turns: whether to include its turns.
        :raises ThreadNotFound: when there is no such thread.
        """
        ...

    async def list(self, query: ThreadQuery) -> ThreadPage:
        """Return one page of threads.

        :raises StorageError: for an invalid cursor.
        """
        ...

    async def find(self, name_or_id: str, *, cwd: str | None = None) -> str | None:
        """Return the id of the newest thread with this id or name that is not archived, or ``None``.

        :param cwd: restrict to threads of this directory.
        """
        ...

    async def archive(self, thread_id: str) -> None:
        """Archive a thread.

        :raises ThreadNotFound: when there is no such thread, or it is archived already.
        :raises ThreadBusy: when it has a writer.
        """
        ...

    async def unarchive(self, thread_id: str) -> Thread:
        """Unarchive a thread.

        :raises ThreadNotFound: when none is archived.
        """
        ...

    async def set_name(self, thread_id: str, name: str) -> None:
        """Set the name of a thread."""
        ...

    async def update_git(self, thread_id: str, changes: Mapping[str, str | None]) -> Thread:
        """Change the state of the work tree that is shown of a thread.

        :param changes: attributes of :class:`~codex_hookspecs.types.threads.GitInfo` with their new values; others
            are kept.
        :return: the thread without its turns.
        :raises ThreadNotFound: when there is no such thread.
        """
        ...

    async def aclose(self) -> None:
        """Close the store; may be called twice."""
        ...
