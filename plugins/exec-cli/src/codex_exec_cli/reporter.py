"""The interface of reporters, which show a turn to the user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from codex_hookspecs.protocol import Notification, ThreadForkResponse, ThreadStartResponse


class Reporter(Protocol):
    """Shows one run of the command."""

    def remark(self, text: str) -> None:
        """Show a line about the session to come."""
        ...

    def begin(self, opened: ThreadStartResponse | ThreadForkResponse, prompt: str | None) -> None:
        """Show the session.

        :param opened: result of ``thread/start``, ``thread/resume`` or ``thread/fork``.
        :param prompt: text of the turn; ``None`` if none is run.
        """
        ...

    def warn(self, text: str) -> None:
        """Show a warning."""
        ...

    def show(self, notification: Notification) -> None:
        """Show a notification of the thread."""
        ...

    def end(self, final_message: str | None, *, completed: bool) -> None:
        """Show the end of the turn."""
        ...
