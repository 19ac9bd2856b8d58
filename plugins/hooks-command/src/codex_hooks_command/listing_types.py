"""Types of the result of ``hooks/list`` (app-server protocol of Codex 0.169, with ``skipped`` added)."""

from __future__ import annotations

from typing import Literal

from attrs import field

from codex_hookspecs import frozen


@frozen(kw_only=True)
class HookMetadata:
    """A handler and whether it runs.

    :param handler_type: ``command`` has ``command`` and ``async``, ``mcpTool`` has ``server`` and ``tool``.
    :param timeout_sec: seconds.
    :param additional_context_limit: maximum length of the context that it may add.
    :param current_hash: digest that trust is given for.
    :param skipped: why it is not run; ``None`` if it is.
    """

    key: str
    event_name: str
    handler_type: Literal["command", "mcpTool"]
    command: str | None = None
    detached: bool | None = field(default=None, metadata={"wire": "async"})
    server: str | None = None
    tool: str | None = None
    matcher: str | None = None
    timeout_sec: float
    status_message: str | None = None
    additional_context_limit: int | None = None
    source_path: str
    source: str
    plugin_id: str | None = None
    environment_id: str | None = None
    display_order: int
    enabled: bool
    is_managed: bool
    current_hash: str
    trust_status: str
    skipped: str | None = None


@frozen
class HookErrorInfo:
    """A file of hooks that could not be read."""

    path: str
    message: str


@frozen(kw_only=True)
class HooksListEntry:
    """The hooks of one working directory."""

    cwd: str
    hooks: tuple[HookMetadata, ...]
    warnings: tuple[str, ...]
    errors: tuple[HookErrorInfo, ...]


@frozen
class HooksListResponse:
    """Result of ``hooks/list``."""

    data: tuple[HooksListEntry, ...]
