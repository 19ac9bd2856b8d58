"""Process the events of a model response: items for clients and history, tool calls for the turn."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import attrs

from codex_hookspecs.errors import ModelError
from codex_hookspecs.ids import uuid4
from codex_hookspecs.types.items import AgentMessage
from codex_hookspecs.types.models import (
    Completed,
    ItemAdded,
    ItemDone,
    ModelEvent,
    ModelWarning,
    RateLimits,
    ReasoningDelta,
    Retrying,
    SummaryDelta,
    SummaryPartAdded,
    TextDelta,
)
from codex_hookspecs.types.notifications import ErrorNotice, RateLimitsUpdated
from codex_hookspecs.types.threads import TurnError
from codex_host.plugins.signatures import InvalidResult
from codex_host.session.item_mapping import completed_item, started_item
from codex_host.session.response_items import tool_call, with_call_id

if TYPE_CHECKING:
    from codex_hookspecs.types.json import JsonObject
    from codex_hookspecs.types.tools import ToolCall
    from codex_host.session.proposed_plans import PlanReader
    from codex_host.session.turn_state import TurnState

_DELTAS: dict[type, str] = {
    TextDelta: "AgentMessageDelta",
    SummaryPartAdded: "ReasoningSummaryPartAdded",
    SummaryDelta: "ReasoningSummaryTextDelta",
    ReasoningDelta: "ReasoningTextDelta",
}
"""Notification for each kind of delta."""


class ResponseReader:
    """Processes one response.

    :ivar calls: tool calls of the response, in order.
    :ivar failure: error while an event was handled, if it was not the provider's fault.
    """

    def __init__(self, turn: TurnState) -> None:
        self.calls: list[ToolCall] = []
        self._turn = turn
        self._thread = turn.thread
        self.failure: Exception | None = None
        self._closed = False
        self._open: set[str] = set()
        self._unnamed = ""
        self._limits: RateLimitsUpdated | None = None
        self._plans = (turn.settings.collaboration_mode or {}).get("mode") == "plan"
        self._plan: PlanReader | None = None
        self._handlers: dict[type, Callable[[Any], Awaitable[None]]] = {
            ItemAdded: self._added,
            ItemDone: self._done,
            Completed: self._completed,
            **dict.fromkeys(_DELTAS, self._delta),
            Retrying: self._retrying,
            RateLimits: self._rate_limits,
            ModelWarning: self._warning,
        }

    async def handle(self, event: ModelEvent) -> None:
        """Handle one event.

        :raises InvalidResult: when it is not a model event.
        :raises ModelError: when the reader is closed.
        """
        if self._closed:
            raise ModelError("the response is not read any more")
        handler = self._handlers.get(type(event))
        if handler is None:
            raise InvalidResult(f"sent {type(event).__name__}, which is no model event")
        try:
            await handler(event)
        except Exception as error:
            self.failure = error
            raise

    def close(self) -> None:
        """Reject further events, from a provider that was abandoned."""
        self._closed = True

    def _named(self, item: JsonObject, *, final: bool) -> JsonObject:
        """Return the item with an id; a generated id stays the same from start to completion."""
        if item.get("id"):
            return item
        name = self._unnamed or uuid4()
        self._unnamed = "" if final else name
        return {**item, "id": name}

    async def _added(self, event: ItemAdded) -> None:
        item = self._named(event.item, final=False)
        client_item = started_item(item)
        if self._plans and isinstance(client_item, AgentMessage):
            self._begin_plan(client_item)
        elif client_item is not None:
            self._open.add(client_item.id)
            await self._thread.start_item(self._turn.id, client_item)

    async def _done(self, event: ItemDone) -> None:
        call = tool_call(event.item)
        if call is not None:
            item = with_call_id(event.item)
            self.calls.append(call if item is event.item else attrs.evolve(call, call_id=item["call_id"]))
            await self._thread.remember(self._turn.id, item)
            return
        item = self._named(event.item, final=True) if event.item.get("type") in ("message", "reasoning") else event.item
        await self._thread.remember(self._turn.id, item)
        client_item = completed_item(item)
        if client_item is None:
            return
        if isinstance(client_item, AgentMessage):
            self._turn.last_message = client_item.text
            if self._plans:
                await (self._plan or self._begin_plan(client_item)).finish(client_item)
                self._plan = None
                return
        if client_item.id not in self._open:
            await self._thread.start_item(self._turn.id, started_item(item) or client_item)
        self._open.discard(client_item.id)
        await self._thread.complete_item(self._turn.id, client_item)

    async def _completed(self, event: Completed) -> None:
        if event.usage is not None:
            await self._thread.count(self._turn.id, event.usage)
        if self._limits is not None:  # Sent again with the usage (0.118).
            await self._thread.notify(self._limits)

    def _begin_plan(self, message: AgentMessage) -> PlanReader:
        from codex_host.session.proposed_plans import PlanReader

        self._plan = PlanReader(self._turn, attrs.evolve(message, text=""))
        return self._plan

    async def _delta(self, event: Any) -> None:
        if self._plan is not None and isinstance(event, TextDelta):
            await self._plan.feed(event.delta)
            return
        from codex_hookspecs.types import notifications

        kind = getattr(notifications, _DELTAS[type(event)])
        fields = vars(event) | {"item_id": event.item_id or self._unnamed}
        await self._thread.notify(kind(thread_id=self._thread.id, turn_id=self._turn.id, **fields))

    async def _retrying(self, event: Retrying) -> None:
        self.calls.clear()
        self._open.clear()
        self._plan = None
        self._unnamed = ""
        # Calls of an incomplete response are not run; the history gets an aborted output for each.
        self.calls.clear()
        error = TurnError(event.message, event.info, additional_details=event.details)
        await self._thread.notify(
            ErrorNotice(error=error, will_retry=True, thread_id=self._thread.id, turn_id=self._turn.id)
        )

    async def _rate_limits(self, event: RateLimits) -> None:
        self._limits = RateLimitsUpdated(rate_limits=event.rate_limits)
        await self._thread.notify(self._limits)

    async def _warning(self, event: ModelWarning) -> None:
        await self._thread.warn(event.message)
