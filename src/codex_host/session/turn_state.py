"""Hold the state of one turn: what it was given, what came of it so far."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from codex_hookspecs.errors import ModelError
from codex_hookspecs.types.notifications import PlanUpdated, TurnDiffUpdated
from codex_hookspecs.types.storage import Observed
from codex_host.session.hook_scope import ThreadScope
from codex_host.session.settings import permission_mode

if TYPE_CHECKING:
    from codex_hookspecs.types.json import JsonObject
    from codex_hookspecs.types.models import ModelInfo
    from codex_hookspecs.types.notifications import Notification
    from codex_host.session.thread_state import ThreadState


class TurnState:
    """One turn, as the calls, hooks and responses in it see it; it goes with the turn.

    :param reviews: it is a review, which begins no session and is not sent back to work.
    :ivar settings: those it began with.
    :ivar pending: user inputs that came since and that the model has not been given.
    :ivar instructions: base instructions of its requests.
    :ivar last_message: the last thing the agent said.
    :ivar diff: all changes of files so far, if any.
    :ivar stop_blocks: how often stop hooks sent the agent back to work.
    :ivar provider_state: the model provider's own, from request to request.
    """

    def __init__(self, thread: ThreadState, turn_id: str, *, reviews: bool = False) -> None:
        self.thread = thread
        self.id = turn_id
        self.reviews = reviews
        self.settings = thread.settings
        self.pending: list[Sequence[JsonObject]] = []
        self.instructions = ""
        self.last_message: str | None = None
        self.diff: TurnDiffUpdated | None = None
        self.stop_blocks = 0
        self.provider_state: dict[str, str] = {}
        self._model_info: ModelInfo | None = None

    @property
    def model_info(self) -> ModelInfo:
        """What the provider knows of the model.

        :raises ModelError: when it fails to tell.
        """
        if self._model_info is None:
            thread = self.thread
            try:
                self._model_info = thread.model.info(self.settings.model)
            except Exception as error:
                told = thread.failures.report("the model provider", thread.model_owner, error, thread.model.info)
                raise ModelError(told) from error
        return self._model_info

    def scope(self) -> ThreadScope:
        """Return the scope for a hook call."""
        return ThreadScope(self.thread, self.id)

    def event_fields(self) -> dict[str, Any]:
        """Return what every lifecycle event of the turn tells."""
        return {
            "session_id": self.thread.id,
            "turn_id": self.id,
            "transcript_path": self.thread.path,
            "cwd": self.settings.cwd,
            "model": self.settings.model,
            "permission_mode": permission_mode(self.settings),
        }

    async def emit(self, notification: Notification) -> None:
        """Tell clients something of the turn; its plan and its diff are kept for those who come later."""
        if isinstance(notification, TurnDiffUpdated):
            self.diff = notification
        if isinstance(notification, (PlanUpdated, TurnDiffUpdated)):
            await self.thread.record(Observed(self.id, notification))
        await self.thread.notify(notification)
