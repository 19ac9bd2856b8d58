"""Hold what a thread keeps from turn to turn: history, clients, and the queue of contexts."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import attrs

from codex_hookspecs.types.notifications import ItemCompleted, ItemStarted, TokenUsageUpdated, WarningNotice
from codex_hookspecs.types.storage import HistoryAppended, ItemFinished, UsageCounted
from codex_hookspecs.types.threads import Thread, ThreadTokenUsage, TokenUsage
from codex_host import __version__
from codex_host.session.response_items import mended

if TYPE_CHECKING:
    from codex_execpolicy.rules.matching import RuleBook
    from codex_hookspecs.ports.host import Host
    from codex_hookspecs.ports.models import ModelProvider
    from codex_hookspecs.ports.storage import ThreadWriter
    from codex_hookspecs.ports.threads import Listener, RequestHandler
    from codex_hookspecs.types.items import Item
    from codex_hookspecs.types.json import JsonObject
    from codex_hookspecs.types.notifications import Notification
    from codex_hookspecs.types.storage import Record, StoredThread
    from codex_hookspecs.types.threads import ThreadSettings, Turn
    from codex_hookspecs.types.tools import Tool
    from codex_host.approvals.remembered import RememberedAnswers
    from codex_host.config.effective import EffectiveConfig
    from codex_host.plugins.failures import Failures
    from codex_host.plugins.hooks import Hooks


class ThreadState:
    """One loaded thread as its turns, tools and hooks see it.

    :param config: effective configuration of the thread's directory.
    :param hooks: hooks that plugins implement.
    :param failures: says what failed in which plugin.
    :param model_owner: plugin that the model provider belongs to.
    :param writer: keeps the thread, or ``None`` for an ephemeral one.
    :param stored: what was read back of a resumed thread, or ``None`` for a new one.
    :param rules: what rules files say about commands, if there are any.
    :ivar active_turn_id: the running turn, or ``None``.
    :ivar clients: who hears what happens and answers requests.
    :ivar contexts: what the model is told with its next request.
    :ivar preview: beginning of the conversation, for lists.
    :ivar status: what clients see the thread doing, in wire form.
    :ivar start_source: how the thread began; ``None`` once the hooks were told.
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
        self.tools: dict[str, Tool] = {}
        self.tool_owners: dict[str, str] = {}
        self.history: list[JsonObject] = list(stored.history) if stored else []
        self.usage = stored.usage if stored else ThreadTokenUsage(total=TokenUsage(), last=TokenUsage())
        self.fragments: dict[str, str] = dict(stored.fragments) if stored else {}
        self.start_source: str | None = "resume" if stored else "startup"
        self.contexts: list[str] = []
        self.active_turn_id: str | None = None
        self.preview = stored.thread.preview if stored else ""
        self.status: JsonObject = {"type": "idle"}
        self._rules = rules
        self._answered = 0
        self._program_folder: str | None = None
        self._writer = writer
        self._turns: list[Turn] = list(stored.thread.turns) if stored else []
        self._new_items: dict[str, list[Item]] = {}
        self._created = stored.thread.created_at if stored else int(time.time())
        self._name = stored.thread.name if stored else None
        self._cleanups: list[Callable[[], Awaitable[None]]] = []

    @cached_property
    def remembered(self) -> RememberedAnswers:
        """What the client has allowed before, beside the rules of files; made for the first call that asks."""
        from codex_host.approvals.remembered import RememberedAnswers

        return RememberedAnswers(self.host.codex_home, self._rules)

    @property
    def path(self) -> str | None:
        """File the thread is kept in, or ``None``."""
        return self._writer.path if self._writer else None

    def summary(self) -> Thread:
        """Return the thread as clients see it, without turns."""
        settings = self.settings
        return Thread(
            id=self.id,
            session_id=self.id,
            preview=self.preview,
            ephemeral=settings.ephemeral,
            model_provider=settings.model_provider,
            created_at=self._created,
            updated_at=int(time.time()),
            status=self.status,
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

    def program_folder(self) -> str | None:
        """Return the folder with the programs that tools give to commands, laid out when it is first wanted."""
        if self._program_folder is None:
            from codex_host.session.programs import lay_out_programs

            self._program_folder = lay_out_programs(self.tools.values(), self.host.codex_home) or ""
        return self._program_folder or None

    def on_close(self, callback: Callable[[], Awaitable[None]]) -> None:
        """Have something done when the thread is unloaded."""
        self._cleanups.append(callback)

    async def add_context(self, text: str) -> None:
        """Give the model a developer message with its next request."""
        self.contexts.append(text)

    async def warn(self, text: str) -> None:
        """Tell the user something, once per distinct text."""
        await self.clients.warn(text)

    async def notify(self, notification: Notification) -> None:
        """Tell all clients something."""
        await self.clients.notify(notification)

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


class Clients:
    """The clients of a thread.

    :ivar request_handler: answers requests to the client; ``None`` when nobody is connected who could.
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
        """Tell all listeners something, one after the other."""
        for listener in tuple(self._listeners):
            try:
                await listener(notification)
            except Exception:
                log = self._host.logger("host")
                log.warning("a listener failed at %s", notification.METHOD, exc_info=True)

    async def warn(self, text: str) -> None:
        """Tell the user something, once per distinct text."""
        if text not in self._warned:
            self._warned.add(text)
            await self.notify(WarningNotice(message=text, thread_id=self._thread_id))
