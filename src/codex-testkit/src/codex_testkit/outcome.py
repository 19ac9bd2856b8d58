"""What a client saw of one turn, for assertions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field

from codex_hookspecs.types.notifications import (
    ErrorNotice,
    HookCompleted,
    HookRun,
    ItemCompleted,
    Notification,
    WarningNotice,
)

if TYPE_CHECKING:
    from codex_hookspecs.ports.threads import LoadedThread
    from codex_hookspecs.types.items import Item
    from codex_hookspecs.types.threads import Turn


@define
class SeenRun:
    """One finished run of a hook, as a client saw it."""

    run: HookRun

    @property
    def status(self) -> str:
        """``completed``, ``failed``, ``blocked`` or ``stopped``."""
        return self.run.status

    @property
    def blocked_with(self) -> str | None:
        """The feedback that it blocked with, or ``None``."""
        return next((entry.text for entry in self.run.entries if entry.kind == "feedback"), None)

    @property
    def entries(self) -> list[str]:
        """All it had to show."""
        return [entry.text for entry in self.run.entries]


@define
class TurnOutcome:
    """What a client saw of one turn."""

    thread: LoadedThread
    turn: Turn
    notifications: list[Notification] = field(factory=list)

    @property
    def items(self) -> list[Item]:
        """Finished items, in order."""
        return [each.item for each in self.notifications if isinstance(each, ItemCompleted)]

    @property
    def final_message(self) -> str | None:
        """The last thing the model said."""
        from codex_hookspecs.types.items import AgentMessage

        said = [item.text for item in self.items if isinstance(item, AgentMessage)]
        return said[-1] if said else None

    @property
    def warnings(self) -> list[str]:
        """Warnings that the user saw."""
        return [each.message for each in self.notifications if isinstance(each, WarningNotice)]

    @property
    def error(self) -> str | None:
        """Why the turn failed, or ``None``."""
        failed = [each.error.message for each in self.notifications if isinstance(each, ErrorNotice)]
        return failed[-1] if self.turn.error and failed else None

    def hooks(self, event: str) -> list[SeenRun]:
        """Return the finished runs of a hook, named as its specification is."""
        head, *rest = event.split("_")
        wire = head + "".join(part.capitalize() for part in rest)
        completed = [each.run for each in self.notifications if isinstance(each, HookCompleted)]
        return [SeenRun(run) for run in completed if run.event_name == wire]
