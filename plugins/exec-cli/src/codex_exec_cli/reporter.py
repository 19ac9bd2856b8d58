"""What shows a turn to whoever ran the command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from codex_hookspecs.protocol import Notification, ThreadStartResponse


class Reporter(Protocol):
    """Shows one run of the command, from its beginning to its end."""

    def begin(self, opened: ThreadStartResponse, prompt: str) -> None:
        """Show the session: the answer to ``thread/start`` or ``thread/resume``."""
        ...

    def warn(self, text: str) -> None:
        """Show something that is no failure."""
        ...

    def show(self, notification: Notification) -> None:
        """Show a notification of the thread."""
        ...

    def end(self, final_message: str | None, *, completed: bool) -> None:
        """Show what comes last."""
        ...
