"""What the parts of a session need of each other, so that imports go one way: program, thread, turn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from codex_hookspecs.ports.host import Host
from codex_hookspecs.ports.threads import AgentThread

if TYPE_CHECKING:
    from codex_hookspecs.ports.sandbox import SandboxLauncher
    from codex_hookspecs.ports.threads import RequestHandler
    from codex_hookspecs.types.items import Item
    from codex_hookspecs.types.json import JsonObject
    from codex_hookspecs.types.models import ModelInfo
    from codex_hookspecs.types.sandbox import SandboxPolicy
    from codex_hookspecs.types.storage import Record
    from codex_hookspecs.types.threads import ThreadSettings, TokenUsage
    from codex_hookspecs.types.tools import Tool
    from codex_host.approvals.approvals import Approvals
    from codex_host.config.effective import EffectiveConfig
    from codex_host.plugins.dispatch import Dispatcher, EventScope
    from codex_host.plugins.hooks import Hooks


class Program(Host, Protocol):
    """The running program."""

    dispatch: Dispatcher
    hooks: Hooks
    sandbox_tag: str

    @property
    def config(self) -> EffectiveConfig: ...

    def launcher(self, policy: SandboxPolicy) -> SandboxLauncher: ...


class LiveThread(AgentThread, Protocol):
    """A loaded thread, as its turn sees it."""

    request_handler: RequestHandler | None
    first_warnings: Sequence[str]
    contexts: list[str]
    fragments: dict[str, str]
    history: list[JsonObject]
    pending: list[Sequence[JsonObject]]
    start_source: str | None
    tools: dict[str, Tool]
    tool_owners: dict[str, str]
    model_owner: str

    @property
    def host(self) -> Program: ...

    @property
    def hooks(self) -> Hooks: ...

    @property
    def consents(self) -> Approvals: ...

    async def begin_file(self) -> None: ...

    async def record(self, *records: Record) -> None: ...

    async def count(self, turn_id: str, usage: TokenUsage) -> None: ...

    async def tell_usage(self, turn_id: str) -> None: ...

    def answered_history(self) -> tuple[JsonObject, ...]: ...

    def program_folder(self) -> str | None: ...

    async def remember(self, turn_id: str, *items: JsonObject) -> None: ...

    async def start_item(self, turn_id: str, item: Item) -> None: ...

    async def complete_item(self, turn_id: str, item: Item) -> None: ...

    async def warn(self, text: str) -> None: ...


class RunningTurn(Protocol):
    """A turn, as its calls see it."""

    id: str
    settings: ThreadSettings
    last_message: str | None

    @property
    def thread(self) -> LiveThread: ...

    @property
    def model_info(self) -> ModelInfo: ...

    def scope(self) -> EventScope: ...

    def event_fields(self) -> dict[str, Any]: ...
