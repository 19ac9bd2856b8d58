"""The outcome of one turn as seen by a client, for assertions."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING

from attrs import define, field

from codex_hookspecs.markers import policy_of
from codex_hookspecs.specs import lifecycle
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
    """One completed hook run, as seen by a client."""

    run: HookRun

    @property
    def status(self) -> str:
        """``completed``, ``failed``, ``blocked`` or ``stopped``."""
        return self.run.status

    @property
    def blocked_with(self) -> str | None:
        """The feedback of a blocking run, or ``None``."""
        return next((entry.text for entry in self.run.entries if entry.kind == "feedback"), None)

    @property
    def entries(self) -> list[str]:
        """The texts of its entries."""
        return [entry.text for entry in self.run.entries]


@define
class TurnOutcome:
    """The notifications of one turn."""

    thread: LoadedThread
    turn: Turn
    notifications: list[Notification] = field(factory=list)

    @property
    def items(self) -> list[Item]:
        """Completed items, in order."""
        return [each.item for each in self.notifications if isinstance(each, ItemCompleted)]

    @property
    def final_message(self) -> str | None:
        """The last message of the model."""
        from codex_hookspecs.types.items import AgentMessage

        said = [item.text for item in self.items if isinstance(item, AgentMessage)]
        return said[-1] if said else None

    @property
    def warnings(self) -> list[str]:
        """Warnings to the user."""
        return [each.message for each in self.notifications if isinstance(each, WarningNotice)]

    @property
    def error(self) -> str | None:
        """Why the turn failed, or ``None``."""
        failed = [each.error.message for each in self.notifications if isinstance(each, ErrorNotice)]
        return failed[-1] if self.turn.error and failed else None

    def hooks(self, event: str) -> list[SeenRun]:
        """Return the completed runs of a hook, by the name of its specification.

        :raises LookupError: when no hook of that name has runs.
        """
        known = _hooks_with_runs()
        if event not in known:
            near = get_close_matches(event, known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"those that have are {', '.join(known)}"
            raise LookupError(f"no hook {event!r} has runs; {hint}")
        head, *rest = event.split("_")
        wire = head + "".join(part.capitalize() for part in rest)
        completed = [each.run for each in self.notifications if isinstance(each, HookCompleted)]
        return [SeenRun(run) for run in completed if run.event_name == wire]


@cache
def _hooks_with_runs() -> tuple[str, ...]:
    """Return the names of the hooks whose runs clients see."""
    return tuple(
        name for name, spec in vars(lifecycle).items() if hasattr(spec, "codex_policy") and not policy_of(spec).many
    )
