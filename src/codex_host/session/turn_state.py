"""The state of one turn."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from codex_hookspecs.errors import ModelError
from codex_hookspecs.ids import uuid4
from codex_hookspecs.types.items import UserMessage
from codex_hookspecs.types.notifications import PlanUpdated, TurnDiffUpdated
from codex_hookspecs.types.storage import Observed
from codex_host.session.response_items import user_message
from codex_host.session.settings import permission_mode

if TYPE_CHECKING:
    from codex_hookspecs.types.json import JsonObject
    from codex_hookspecs.types.models import ModelInfo
    from codex_hookspecs.types.notifications import Notification
    from codex_host.session.hook_scope import ThreadScope
    from codex_host.session.thread_state import ThreadState

CURRENT_TURN: ContextVar[tuple[str, str] | None] = ContextVar("codex_turn", default=None)
"""Ids of the thread and the turn that the running code works for, for the log."""


class TurnInterrupted(Exception):
    """Raised to interrupt a turn, when a client cancelled it in answer to a request for approval."""


class TurnState:
    """One turn, with the interface for its calls, hooks and responses.

    :param review: what it reviews, if it is a review, for which ``session_start`` and ``stop`` hooks are not called.
    :ivar ids: its id, and those that were given out for inputs that joined it.
    :ivar entered_review: whether clients know that it is a review.
    :ivar settings: settings at its start.
    :ivar pending: user inputs that are not in the history yet.
    :ivar injected: items for the history before the next model request.
    :ivar instructions: base instructions of its requests.
    :ivar last_message: the last agent message.
    :ivar diff: diff of all file changes so far, if any.
    :ivar stop_blocks: how often stop hooks continued the turn.
    :ivar provider_state: state of the model provider, passed from request to request.
    """

    def __init__(self, thread: ThreadState, turn_id: str, *, review: str | None = None) -> None:
        self.thread = thread
        self.id = turn_id
        self.ids = {turn_id}
        self.review = review
        self.entered_review = False
        self.settings = thread.settings
        self.pending: list[Sequence[JsonObject]] = []
        self.injected: list[JsonObject] = []
        self.instructions = ""
        self.last_message: str | None = None
        self.diff: TurnDiffUpdated | None = None
        self.stop_blocks = 0
        self.provider_state: dict[str, str] = {}
        self._plans = 0
        self._model_info: ModelInfo | None = None

    @property
    def model_info(self) -> ModelInfo:
        """The provider's facts about the model.

        :raises ModelError: when the provider fails.
        """
        if self._model_info is None:
            thread = self.thread
            try:
                self._model_info = thread.model.info(self.settings.model)
            except Exception as error:
                message = thread.failures.report("the model provider", thread.model_owner, error, thread.model.info)
                raise ModelError(message) from error
        return self._model_info

    def scope(self) -> ThreadScope:
        """Return the scope for a hook call."""
        from codex_host.session.hook_scope import ThreadScope  # not needed in many turns

        return ThreadScope(self.thread, self.id)

    def event_fields(self) -> dict[str, Any]:
        """Return the common fields of the turn's lifecycle events."""
        return {
            "session_id": self.thread.id,
            "turn_id": self.id,
            "transcript_path": self.thread.path,
            "cwd": self.settings.cwd,
            "model": self.settings.model,
            "permission_mode": permission_mode(self.settings),
        }

    def next_plan_id(self) -> str:
        """Return the id of the next plan that is proposed in the turn."""
        self._plans += 1
        return f"{self.id}-plan" if self._plans == 1 else f"{self.id}-plan-{self._plans}"

    async def emit(self, notification: Notification) -> None:
        """Send a notification to clients; the latest plan and diff are kept for clients that subscribe later."""
        if isinstance(notification, TurnDiffUpdated):
            self.diff = notification
        if isinstance(notification, (PlanUpdated, TurnDiffUpdated)):
            await self.thread.record(Observed(self.id, notification))
        await self.thread.notify(notification)

    async def add_prompt(self, content: Sequence[JsonObject]) -> None:
        """Add user inputs to the history and notify clients of the message."""
        item = UserMessage(id=uuid4(), content=tuple(_shown(part) for part in content))
        await self.thread.start_item(self.id, item)
        await self.thread.remember(self.id, user_message(await _with_images(content)))
        await self.thread.complete_item(self.id, item)


async def _with_images(content: Sequence[JsonObject]) -> Sequence[JsonObject]:
    if not any(part["type"] == "localImage" for part in content):
        return content
    from codex_host.session.images import with_images

    return await with_images(content)


def _shown(part: JsonObject) -> JsonObject:
    return {"text_elements": [], **part} if part["type"] == "text" else part
