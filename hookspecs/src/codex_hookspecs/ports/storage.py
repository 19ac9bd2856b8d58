"""What a thread store does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from codex_hookspecs.types.storage import Record, StoredThread, ThreadMeta, ThreadPage, ThreadQuery
from codex_hookspecs.types.threads import Thread


class ThreadWriter(Protocol):
    """The one writer of a thread."""

    @property
    def path(self) -> str | None:
        """File that the thread is kept in, known from the start, or ``None``; it exists once something was appended."""
        ...

    async def begin(self) -> None:
        """Have what was given so far kept where ``path`` says, also before the first item or message: others read it.

        :raises StorageError: as :meth:`append` does.
        """
        ...

    async def append(self, records: Sequence[Record]) -> str | None:
        """Keep records, in order; they have left the process when it returns and survive its death.

        What precedes the first item or message of a thread may be held back until there is one.

        :return: what the user should know of what became of the thread's file, usually ``None``.
        :raises StorageError: when they can't be kept. They need not be given again: a writer keeps them with the next
            ones, as soon as that works.
        """
        ...

    async def aclose(self) -> None:
        """Let go of the thread; may be called twice."""
        ...


class ThreadStore(Protocol):
    """Keeps threads; every method raises ``StorageError`` when the store itself fails."""

    async def create(self, meta: ThreadMeta) -> ThreadWriter:
        """Begin a new thread; nothing is visible before its first item or message."""
        ...

    async def open(self, thread_id: str, *, cli_version: str) -> tuple[StoredThread, ThreadWriter]:
        """Read a thread and take over writing it.

        :raises ThreadNotFound: when there is none.
        :raises ThreadBusy: when another process writes it.
        """
        ...

    async def read(self, thread_id: str) -> StoredThread:
        """Read a thread without writing it.

        :raises ThreadNotFound: when there is none.
        """
        ...

    async def show(self, thread_id: str, *, turns: bool) -> Thread:
        """Return a thread as clients see it; cheaper than :meth:`read` where what the model was sent is large.

        :param turns: its turns are wanted too; they are left empty without.
        :raises ThreadNotFound: when there is none.
        """
        ...

    async def list(self, query: ThreadQuery) -> ThreadPage:
        """Return one page of threads.

        :raises StorageError: for an invalid cursor.
        """
        ...

    async def find(self, name_or_id: str, *, cwd: str | None = None) -> str | None:
        """Return the id of the newest thread with this id or name, or ``None``.

        :param cwd: only threads of this directory.
        """
        ...

    async def archive(self, thread_id: str) -> None:
        """Put a thread away."""
        ...

    async def unarchive(self, thread_id: str) -> Thread:
        """Bring an archived thread back."""
        ...

    async def set_name(self, thread_id: str, name: str) -> None:
        """Name a thread."""
        ...

    async def aclose(self) -> None:
        """Close the store; may be called twice."""
        ...
