"""Keep one thread: its history, its clients, its one running turn."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from codex_hookspecs.errors import CodexError, ModelError, RpcError
from codex_hookspecs.ids import uuid4, uuid7
from codex_hookspecs.types.json import JsonObject
from codex_hookspecs.types.notifications import (
    ErrorNotice,
    ItemCompleted,
    ItemStarted,
    Notification,
    ThreadStatusChanged,
    TokenUsageUpdated,
    TurnCompleted,
    TurnStarted,
    WarningNotice,
)
from codex_hookspecs.types.storage import HistoryAppended, ItemFinished, Observed, TurnEnded, UsageCounted
from codex_hookspecs.types.threads import Thread, ThreadSettings, ThreadTokenUsage, TokenUsage, Turn, TurnError
from codex_host import __version__
from codex_host.approvals.approvals import Approvals
from codex_host.session.hook_scope import ThreadScope
from codex_host.session.response_items import mended, message, text_of
from codex_host.session.tool_calls import TurnInterrupted
from codex_host.session.turn import TurnRun
from codex_host.shutdown import CLEANUP_LIMIT, close_all

if TYPE_CHECKING:
    from codex_execpolicy.rules.matching import RuleBook
    from codex_hookspecs.ports.models import ModelProvider
    from codex_hookspecs.ports.storage import ThreadWriter
    from codex_hookspecs.ports.threads import Listener, RequestHandler
    from codex_hookspecs.types.items import Item
    from codex_hookspecs.types.storage import Record, StoredThread
    from codex_hookspecs.types.threads import TurnStatus
    from codex_hookspecs.types.tools import Tool
    from codex_host.config.effective import EffectiveConfig
    from codex_host.plugins.hooks import Hooks
    from codex_host.roles import Program

ABORTED_TEXT = (
    "<turn_aborted>\nThe user stopped the turn before it was done. Commands that were running may have taken effect "
    "in part, and those left in the background may still run.\n</turn_aborted>"
)


class HostThread:
    """One loaded thread.

    :param config: effective configuration of the thread's directory.
    :param model_owner: plugin that the model provider belongs to.
    :param writer: keeps the thread, or ``None`` for an ephemeral one.
    :param stored: what was read back of a resumed thread, or ``None`` for a new one.
    :param rules: what rules files say about commands, if there are any.
    """

    def __init__(
        self,
        *,
        thread_id: str,
        settings: ThreadSettings,
        config: EffectiveConfig,
        host: Program,
        model: ModelProvider,
        model_owner: str = "",
        writer: ThreadWriter | None,
        stored: StoredThread | None = None,
        rules: RuleBook | None = None,
    ) -> None:
        self.id = thread_id
        self.settings = settings
        self.config: Mapping[str, Any] = config.table
        self.first_warnings: Sequence[str] = (*config.warnings(), *(stored.warnings if stored else ()))
        self.host = host
        self.model = model
        self.model_owner = model_owner
        self.request_handler: RequestHandler | None = None
        self.consents = Approvals(host.codex_home, rules)
        self.tools: dict[str, Tool] = {}
        self.tool_owners: dict[str, str] = {}
        self.history: list[JsonObject] = list(stored.history) if stored else []
        self.usage = stored.usage if stored else ThreadTokenUsage(total=TokenUsage(), last=TokenUsage())
        self.fragments: dict[str, str] = dict(stored.fragments) if stored else {}
        self.start_source: str | None = "resume" if stored else "startup"
        self.pending: list[Sequence[JsonObject]] = []
        self.contexts: list[str] = []
        self.closed = False
        self._answered = 0
        self._program_folder: str | None = None
        self._writer = writer
        self._turns: list[Turn] = list(stored.thread.turns) if stored else []
        self._new_items: dict[str, list[Item]] = {}
        self._created = stored.thread.created_at if stored else int(time.time())
        self._preview = stored.thread.preview if stored else ""
        self._name = stored.thread.name if stored else None
        self._status: JsonObject = {"type": "idle"}
        self._listeners: list[Listener] = []
        self._cleanups: list[Callable[[], Awaitable[None]]] = []
        self._warned: set[str] = set()
        self._run: TurnRun | None = None
        self._work: asyncio.Task[None] | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def hooks(self) -> Hooks:
        """Hooks that plugins implement."""
        return self.host.hooks

    @property
    def path(self) -> str | None:
        """File the thread is kept in, or ``None``."""
        return self._writer.path if self._writer else None

    @property
    def active_turn_id(self) -> str | None:
        """The running turn, or ``None``."""
        return self._run.id if self._run else None

    def program_folder(self) -> str | None:
        """Return the folder with the programs that tools give to commands, laid out when it is first wanted."""
        if self._program_folder is None:
            from codex_host.session.programs import lay_out_programs

            self._program_folder = lay_out_programs(self.tools.values(), self.host.codex_home) or ""
        return self._program_folder or None

    def summary(self) -> Thread:
        """Return the thread as clients see it, without turns."""
        settings = self.settings
        return Thread(
            id=self.id,
            session_id=self.id,
            preview=self._preview,
            ephemeral=settings.ephemeral,
            model_provider=settings.model_provider,
            created_at=self._created,
            updated_at=int(time.time()),
            status=self._status,
            path=self.path,
            cwd=settings.cwd,
            cli_version=__version__,
            source=settings.source,
            name=self._name,
        )

    def turns(self) -> Sequence[Turn]:
        """Return all turns with their finished items."""
        return tuple(
            attrs.evolve(turn, items=(*turn.items, *new)) if (new := self._new_items.get(turn.id)) else turn
            for turn in self._turns
        )

    def rename(self, name: str) -> None:
        """Take over a name that was stored."""
        self._name = name

    async def submit(
        self, content: Sequence[JsonObject], *, settings: ThreadSettings | None = None, reviews: bool = False
    ) -> str:
        """Begin a turn, or steer the running one."""
        self._check_open()
        turn_id = uuid7()
        if not content:
            error = TurnError("input must not be empty", "badRequest")
            await self.notify(ErrorNotice(error=error, will_retry=False, thread_id=self.id, turn_id=turn_id))
            return turn_id
        if settings is not None:
            self.settings = settings
        if self._work is not None and self._work.done():
            await self.wait_idle()
        if self._run is not None:
            self.pending.append(content)
            return turn_id
        self._preview = self._preview or text_of(content)
        self._run = TurnRun(self, turn_id, content, reviews=reviews)
        self._work = asyncio.create_task(self._run.run(), name=f"work {turn_id}")
        self._task = asyncio.create_task(self._supervise(self._run, self._work), name=f"turn {turn_id}")
        return turn_id

    async def steer(self, content: Sequence[JsonObject], *, expected_turn_id: str) -> str:
        """Add a message to the running turn."""
        self._check_open()
        if self._run is None or self._work is None or self._work.done():
            raise RpcError("no active turn to steer")
        if self._run.id != expected_turn_id:
            raise RpcError(f"expected active turn id `{expected_turn_id}` but found `{self._run.id}`")
        if not content:
            raise RpcError("input must not be empty")
        self.pending.append(content)
        return self._run.id

    async def interrupt(self, turn_id: str | None = None) -> None:
        """End the running turn as interrupted and wait until it has ended."""
        if self._run is None or self._work is None:
            raise RpcError("no active turn to interrupt")
        if turn_id is not None and self._run.id != turn_id:
            raise RpcError(f"expected active turn id `{turn_id}` but found `{self._run.id}`")
        self._work.cancel()
        await self.wait_idle()

    async def wait_idle(self) -> None:
        """Return when no turn is running."""
        while self._task is not None and not self._task.done() and self._task is not asyncio.current_task():
            await asyncio.wait({self._task})

    async def add_context(self, text: str) -> None:
        """Give the model a developer message with its next request."""
        self.contexts.append(text)

    async def warn(self, text: str) -> None:
        """Tell the user something, once per distinct text."""
        if text not in self._warned:
            self._warned.add(text)
            await self.notify(WarningNotice(message=text, thread_id=self.id))

    async def notify(self, notification: Notification) -> None:
        """Tell all listeners something."""
        if self._run is not None and notification.METHOD in ("turn/plan/updated", "turn/diff/updated"):
            if notification is not self._run.diff:
                await self.record(Observed(self._run.id, notification))
            if notification.METHOD == "turn/diff/updated":
                self._run.diff = notification
        for listener in tuple(self._listeners):
            try:
                await listener(notification)
            except Exception:
                self.host.logger("host").warning("a listener failed at %s", notification.METHOD, exc_info=True)

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Add a listener; the result removes it again."""
        self._listeners.append(listener)

        def leave() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return leave

    def set_request_handler(self, request_handler: RequestHandler | None) -> None:
        """Set who answers approval questions."""
        self.request_handler = request_handler

    def on_close(self, callback: Callable[[], Awaitable[None]]) -> None:
        """Have something done when the thread is unloaded."""
        self._cleanups.append(callback)

    async def record(self, *records: Record) -> None:
        """Keep records, if the thread is kept."""
        if self._writer is not None:
            told = await self._writer.append(records)
            if told is not None:
                await self.warn(told)

    async def begin_file(self) -> None:
        """Have the thread's file there for who is told its path."""
        if self._writer is not None:
            await self._writer.begin()

    async def remember(self, turn_id: str, *items: JsonObject) -> None:
        """Add items to the model's history and keep them."""
        self.history.extend(items)
        await self.record(*(HistoryAppended(item, turn_id) for item in items))

    def answered_history(self) -> tuple[JsonObject, ...]:
        """Return the model's history with an answer to every call; only what is new is looked at."""
        self.history[self._answered :] = mended(self.history[self._answered :])
        self._answered = len(self.history)
        return tuple(self.history)

    async def start_item(self, turn_id: str, item: Item) -> None:
        """Announce an item as started."""
        await self.notify(
            ItemStarted(item=item, thread_id=self.id, turn_id=turn_id, started_at_ms=time.time_ns() // 1_000_000)
        )

    async def complete_item(self, turn_id: str, item: Item) -> None:
        """Keep a final item, then announce it."""
        await self.record(ItemFinished(turn_id, item))
        self._new_items.setdefault(turn_id, []).append(item)
        await self.notify(
            ItemCompleted(item=item, thread_id=self.id, turn_id=turn_id, completed_at_ms=time.time_ns() // 1_000_000)
        )

    async def count(self, turn_id: str, usage: TokenUsage) -> None:
        """Account the tokens of a request."""
        window = self.settings.context_window
        self.usage = ThreadTokenUsage(total=self.usage.total + usage, last=usage, model_context_window=window)
        await self.record(UsageCounted(turn_id, self.usage))
        await self.tell_usage(turn_id)

    async def tell_usage(self, turn_id: str) -> None:
        """Tell clients what the thread cost so far."""
        await self.notify(TokenUsageUpdated(thread_id=self.id, turn_id=turn_id, token_usage=self.usage))

    async def set_status(self, status: JsonObject) -> None:
        """Change what clients see the thread doing."""
        self._status = status
        await self.notify(ThreadStatusChanged(thread_id=self.id, status=status))

    async def aclose(self) -> None:
        """Interrupt, tell the end, let go of everything; may be called twice."""
        if self.closed:
            return
        self.closed = True
        if self._run is not None and self._work is not None:
            self._work.cancel()
            await self.wait_idle()
        if self.hooks.session_end.enabled(self) and self.start_source is None:
            from codex_hookspecs.types.lifecycle import SessionEndEvent

            event = SessionEndEvent(session_id=self.id, transcript_path=self.path, cwd=self.settings.cwd)
            await self.hooks.session_end(event, ThreadScope(self, None))
        closers = [*reversed(self._cleanups), self.model.aclose]
        await close_all(self.host, f"thread {self.id}", closers, seconds=CLEANUP_LIMIT)
        if self._writer is not None:
            await close_all(self.host, f"thread {self.id}", [self._writer.aclose])

    def _check_open(self) -> None:
        if self.closed:
            raise RpcError(f"thread not found: {self.id}")

    async def _supervise(self, run: TurnRun, work: asyncio.Task[None]) -> None:
        began = time.monotonic()
        started_at = int(time.time())
        self._turns.append(Turn(id=run.id, status="inProgress", started_at=started_at))
        await self.set_status({"type": "active", "activeFlags": []})
        await self.notify(
            TurnStarted(thread_id=self.id, turn=Turn(id=run.id, status="inProgress", started_at=started_at))
        )
        run.may_begin.set()
        await asyncio.wait({work})
        status, error = self._outcome(work)
        if status == "interrupted":
            await self._after_interrupt(run)
        duration = int((time.monotonic() - began) * 1000)
        ended = TurnEnded(
            turn_id=run.id, status=status, error=error, last_agent_message=run.last_message, duration_ms=duration
        )
        try:
            await self.record(ended)
        except Exception as failure:
            first = "" if error is None else f"{error.message}; "
            status, error = "failed", TurnError(f"{first}the turn can't be kept: {failure}", "other")
        turn = Turn(
            id=run.id,
            status=status,
            error=error,
            started_at=started_at,
            completed_at=int(time.time()),
            duration_ms=duration,
        )
        self._turns[-1] = turn
        self.pending.clear()
        self._run = self._work = None
        await self.set_status({"type": "systemError" if error else "idle"})
        if error is not None:
            await self.notify(ErrorNotice(error=error, will_retry=False, thread_id=self.id, turn_id=run.id))
        await self.notify(TurnCompleted(thread_id=self.id, turn=turn))

    def _outcome(self, work: asyncio.Task[None]) -> tuple[TurnStatus, TurnError | None]:
        if work.cancelled():
            return "interrupted", None
        failure = work.exception()
        if failure is None:
            return "completed", None
        if isinstance(failure, TurnInterrupted):
            return "interrupted", None
        if isinstance(failure, ModelError):
            return "failed", TurnError(failure.message, failure.info, additional_details=failure.details)
        if not isinstance(failure, CodexError):
            self.host.logger("host").warning("turn failed", exc_info=failure)
            return "failed", TurnError(f"internal error: {type(failure).__name__}: {failure}", "other")
        return "failed", TurnError(str(failure), "other")

    async def _after_interrupt(self, run: TurnRun) -> None:
        try:
            await self.remember(run.id, {**message("user", ABORTED_TEXT), "id": uuid4()})
            if self.hooks.interrupt.enabled(self):
                from codex_hookspecs.types.lifecycle import InterruptEvent

                event = InterruptEvent(**run.event_fields())
                verdict = await self.hooks.interrupt(event, run.scope())
                if verdict.system_message:
                    await self.warn(verdict.system_message)
        except Exception:
            self.host.logger("host").warning("after an interruption", exc_info=True)
