"""The state that a thread keeps between turns: history, clients, queued contexts."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import attrs

from codex_hookspecs.errors import ThreadNotFound
from codex_hookspecs.types.notifications import ItemCompleted, ItemStarted, TokenUsageUpdated, WarningNotice
from codex_hookspecs.types.storage import HistoryAppended, ItemFinished, UsageCounted
from codex_hookspecs.types.threads import Thread, ThreadTokenUsage, TokenUsage
from codex_host import __version__
from codex_host.session.response_items import repair_history

if TYPE_CHECKING:
    from codex_execpolicy.rules.matching import RuleBook
    from codex_hookspecs.ports.host import Host
    from codex_hookspecs.ports.models import ModelProvider
    from codex_hookspecs.ports.storage import ThreadStore, ThreadWriter
    from codex_hookspecs.ports.threads import Listener, RequestHandler
    from codex_hookspecs.types.items import Item
    from codex_hookspecs.types.json import JsonObject
    from codex_hookspecs.types.notifications import Notification
    from codex_hookspecs.types.storage import Record, StoredThread
    from codex_hookspecs.types.threads import GitInfo, ThreadSettings, Turn
    from codex_hookspecs.types.tools import Tool
    from codex_host.approvals.remembered import RememberedAnswers
    from codex_host.config.effective import EffectiveConfig
    from codex_host.plugins.dispatch import Offered
    from codex_host.plugins.failures import Failures
    from codex_host.plugins.hooks import Hooks


class ThreadState:
    """One loaded thread, with the interface for its turns, tools and hooks.

    :param config: effective configuration of the thread's directory.
    :param hooks: hooks that plugins implement.
    :param failures: records and describes failures of plugins.
    :param model_owner: plugin that the model provider belongs to.
    :param store: where the thread is stored.
    :param writer: stores the thread; ``None`` for an ephemeral one, whose turns are kept here.
    :param stored: the stored thread that is resumed, or ``None`` for a new one.
    :param rules: execpolicy rules, or ``None``.
    :ivar active_turn_id: the running turn, or ``None``.
    :ivar last_turn_id: the running or last turn; empty if there was none.
    :ivar clients: listeners and the handler of requests to the client.
    :ivar git_info: state of the git work tree, for lists.
    :ivar contexts: developer messages for the next model request.
    :ivar preview: beginning of the first message, for lists.
    :ivar status: the status shown to clients, in wire form.
    :ivar start_source: how the thread was started; ``None`` once ``session_start`` was called.
    """

    def __init__(
        self,
        *,
        thread_id: str,
        settings: ThreadSettings,
        config: EffectiveConfig,
        host: Host,
        hooks: Hooks,
        failures: Failures,
        model: ModelProvider,
        model_owner: str,
        store: ThreadStore | None,
        writer: ThreadWriter | None,
        stored: StoredThread | None,
        rules: RuleBook | None,
    ) -> None:
        self.id = thread_id
        self.settings = settings
        self.config: Mapping[str, Any] = config.table
        self.first_warnings: Sequence[str] = (*config.warnings(), *(stored.warnings if stored else ()))
        self.host = host
        self.hooks = hooks
        self.failures = failures
        self.model = model
        self.model_owner = model_owner
        self.clients = Clients(thread_id, host)
        self.history: list[JsonObject] = []
        self.usage = ThreadTokenUsage(total=TokenUsage(), last=TokenUsage())
        self.fragments: dict[str, str] = {}
        self.start_source: str | None = "resume" if stored else "startup"
        self.contexts: list[str] = []
        self.active_turn_id: str | None = None
        self.last_turn_id = ""
        self.preview = ""
        self.git_info: GitInfo | None = None
        self.status: JsonObject = {"type": "idle"}
        self._rules = rules
        self._answered = 0
        self._program_folder: str | None = None
        self._store = store
        self._writer = writer
        self._kept_turns: dict[str, Turn] = {}
        self._kept_items: dict[str, list[Item]] = {}
        self._created = self._updated = int(time.time())
        self._name: str | None = None
        self._cleanups: list[Callable[[], Awaitable[None]]] = []
        if stored is not None:
            self._created, self._name = stored.thread.created_at, stored.thread.name
            self.restore(stored)

    @cached_property
    def tools(self) -> Offered[Tool]:
        """The tools that plugins offer, which are asked when a turn needs the tools."""
        return self.hooks.tools(self)

    @cached_property
    def remembered(self) -> RememberedAnswers:
        """The client's remembered answers, created when they are first needed."""
        from codex_host.approvals.remembered import RememberedAnswers

        return RememberedAnswers(self.host.codex_home, self._rules)

    def restore(self, stored: StoredThread) -> None:
        """Take the conversation from the store: all but name and settings."""
        self.history = list(stored.history)
        self.usage = stored.usage
        self.fragments = dict(stored.fragments)
        self.preview = stored.thread.preview
        self._updated = stored.thread.updated_at
        self.git_info = stored.thread.git_info
        self.last_turn_id = stored.thread.turns[-1].id if stored.thread.turns else ""
        self._answered = 0
        if self._writer is None:
            self._kept_turns = {turn.id: turn for turn in stored.thread.turns}

    @property
    def path(self) -> str | None:
        """File that the thread is stored in, or ``None``."""
        return self._writer.path if self._writer else None

    def summary(self) -> Thread:
        """Return the thread in the form for clients, without turns."""
        settings = self.settings
        return Thread(
            id=self.id,
            session_id=self.id,
            preview=self.preview,
            ephemeral=settings.ephemeral,
            model_provider=settings.model_provider,
            created_at=self._created,
            updated_at=self._updated,
            status=self.status,
            path=self.path,
            cwd=settings.cwd,
            cli_version=__version__,
            source=settings.source,
            git_info=self.git_info,
            name=self._name,
        )

    async def turns(self) -> Sequence[Turn]:
        """Return all turns with their completed items; they are read from the store, which has them anyway."""
        if self._writer is None or self._store is None:
            turns = {
                turn.id: attrs.evolve(turn, items=(*turn.items, *self._kept_items.get(turn.id, ())))
                for turn in self._kept_turns.values()
            }
        else:
            try:
                turns = {turn.id: turn for turn in (await self._store.show(self.id, turns=True)).turns}
            except ThreadNotFound:  # Nothing was said yet.
                turns = {}
        active = self.active_turn_id
        if active is not None and active in turns and turns[active].completed_at is None:
            turns = {**turns, active: attrs.evolve(turns[active], status="inProgress")}
        return tuple(turns.values())

    def keep_turn(self, turn: Turn) -> None:
        """Keep the state of a turn of an ephemeral thread."""
        if self._writer is None:
            self._kept_turns[turn.id] = turn

    def program_folder(self) -> str | None:
        """Return the folder with the programs that tools provide to commands, created on first use."""
        if self._program_folder is None:
            from codex_host.session.programs import create_program_folder

            self._program_folder = create_program_folder(self.tools.values(), self.host.codex_home) or ""
        return self._program_folder or None

    def on_close(self, callback: Callable[[], Awaitable[None]]) -> None:
        """Register a cleanup function for when the thread is unloaded."""
        self._cleanups.append(callback)

    async def add_context(self, text: str) -> None:
        """Add a developer message to the next model request."""
        self.contexts.append(text)

    async def warn(self, text: str) -> None:
        """Warn the user, once per distinct text."""
        await self.clients.warn(text)

    async def notify(self, notification: Notification) -> None:
        """Send a notification to all clients."""
        await self.clients.notify(notification)

    async def record(self, *records: Record) -> None:
        """Store records, if the thread is stored."""
        self._updated = int(time.time())
        if self._writer is not None:
            message = await self._writer.append(records)
            if message is not None:
                await self.warn(message)

    async def begin_file(self) -> None:
        """Create the thread's file, for hooks that get its path."""
        if self._writer is not None:
            await self._writer.begin()

    async def remember(self, turn_id: str, *items: JsonObject) -> None:
        """Append items to the model's history and store them."""
        self.history.extend(items)
        await self.record(*(HistoryAppended(item, turn_id) for item in items))

    def answered_history(self) -> tuple[JsonObject, ...]:
        """Return the model's history with an output for every call; only new items are examined."""
        self.history[self._answered :] = repair_history(self.history[self._answered :])
        self._answered = len(self.history)
        return tuple(self.history)

    async def start_item(self, turn_id: str, item: Item) -> None:
        """Notify clients of a started item."""
        await self.notify(
            ItemStarted(item=item, thread_id=self.id, turn_id=turn_id, started_at_ms=time.time_ns() // 1_000_000)
        )

    async def complete_item(self, turn_id: str, item: Item) -> None:
        """Store a completed item, then notify clients."""
        await self.record(ItemFinished(turn_id, item))
        if self._writer is None:
            self._kept_items.setdefault(turn_id, []).append(item)
        await self.notify(
            ItemCompleted(item=item, thread_id=self.id, turn_id=turn_id, completed_at_ms=time.time_ns() // 1_000_000)
        )

    async def count(self, turn_id: str, usage: TokenUsage) -> None:
        """Add the token usage of a request."""
        window = self.settings.context_window
        self.usage = ThreadTokenUsage(total=self.usage.total + usage, last=usage, model_context_window=window)
        await self.record(UsageCounted(turn_id, self.usage))
        await self.notify_usage(turn_id)

    async def notify_usage(self, turn_id: str) -> None:
        """Notify clients of the thread's token usage."""
        await self.notify(TokenUsageUpdated(thread_id=self.id, turn_id=turn_id, token_usage=self.usage))


class Clients:
    """The clients of a thread.

    :ivar request_handler: answers requests to the client; ``None`` if no client is connected that could.
    """

    def __init__(self, thread_id: str, host: Host) -> None:
        self.request_handler: RequestHandler | None = None
        self._thread_id = thread_id
        self._host = host
        self._listeners: list[Listener] = []
        self._warned: set[str] = set()

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Add a listener; the result removes it again."""
        self._listeners.append(listener)

        def leave() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return leave

    async def notify(self, notification: Notification) -> None:
        """Send a notification to all listeners, one after the other."""
        for listener in tuple(self._listeners):
            try:
                await listener(notification)
            except Exception:
                log = self._host.logger("host")
                log.warning("a listener failed at %s", notification.METHOD, exc_info=True)

    async def warn(self, text: str) -> None:
        """Warn the user, once per distinct text."""
        if text not in self._warned:
            self._warned.add(text)
            await self.notify(WarningNotice(message=text, thread_id=self._thread_id))
