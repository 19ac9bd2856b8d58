"""Parameters of requests from external clients (app-server protocol v2, 0.118)."""

from __future__ import annotations

from typing import Any

from codex_hookspecs import frozen
from codex_hookspecs.protocol import JsonObject, Unsigned


@frozen
class ThreadParams:
    """Parameters of methods that take only a thread id."""

    thread_id: str


@frozen
class PageParams:
    """Parameters of listings without a filter."""

    cursor: str | None = None
    limit: Unsigned | None = None


@frozen
class ThreadReadParams:
    """Parameters of ``thread/read``."""

    thread_id: str
    include_turns: bool = False


@frozen
class ThreadSetNameParams:
    """Parameters of ``thread/name/set``."""

    thread_id: str
    name: str


@frozen(kw_only=True)
class TurnSteerParams:
    """Parameters of ``turn/steer``."""

    thread_id: str
    input: list[JsonObject]
    expected_turn_id: str


@frozen(kw_only=True)
class ReviewStartParams:
    """Parameters of ``review/start``.

    :param target: what to review; its ``type`` is uncommittedChanges, baseBranch, commit or custom.
    :param output_schema: JSON schema of the final message; an extension, not in Codex.
    """

    thread_id: str
    target: JsonObject
    delivery: str | None = None
    output_schema: Any = None


@frozen
class ConfigReadParams:
    """Parameters of ``config/read``."""

    include_layers: bool = False
    cwd: str | None = None


@frozen(kw_only=True)
class ModelListParams:
    """Parameters of ``model/list``."""

    cursor: str | None = None
    limit: Unsigned | None = None
    include_hidden: bool | None = None


@frozen
class GetAccountParams:
    """Parameters of ``account/read``."""

    refresh_token: bool = False


@frozen(kw_only=True)
class ClientInfo:
    """Name and version of a client."""

    name: str
    title: str | None = None
    version: str


@frozen
class Capabilities:
    """Capabilities and preferences of a client."""

    experimental_api: bool = False
    opt_out_notification_methods: list[str] | None = None


@frozen
class InitializeParams:
    """Parameters of ``initialize``."""

    client_info: ClientInfo
    capabilities: Capabilities | None = None
