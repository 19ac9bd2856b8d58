"""MCP servers (app-server protocol v2, 0.118)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, TypeAlias

from attrs import field

from codex_hookspecs.types.app_server.elicitation import McpElicitationSchema
from codex_hookspecs.types.json import Unsigned
from codex_hookspecs.types.notifications import Notification
from codex_hookspecs.values import frozen


@frozen(kw_only=True)
class McpServerOauthLoginParams:
    """Parameters of ``mcpServer/oauth/login``."""

    name: str
    scopes: list[str] | None = None
    timeout_secs: int | None = None


@frozen(kw_only=True)
class ListMcpServerStatusParams:
    """Parameters of ``mcpServerStatus/list``.

    :param cursor: cursor of the page, from the page before; ``None`` for the first one.
    :param limit: maximum number of entries of the page.
    """

    cursor: str | None = None
    limit: Unsigned | None = None


@frozen
class McpServerOauthLoginResponse:
    """Result of ``mcpServer/oauth/login``."""

    authorization_url: str


@frozen
class McpServerRefreshResponse:
    """Result of ``config/mcpServer/reload``."""


McpAuthStatus = Literal["unsupported", "notLoggedIn", "bearerToken", "oAuth"]
"""How the program is authenticated to an MCP server."""


@frozen(kw_only=True)
class Resource:
    """A resource of an MCP server."""

    name: str
    uri: str
    meta: Any = field(default=None, metadata={"wire": "_meta"})
    annotations: Any = None
    description: str | None = None
    icons: tuple[Any, ...] | None = None
    mime_type: str | None = None
    size: int | None = None
    title: str | None = None


@frozen(kw_only=True)
class ResourceTemplate:
    """A family of resources of an MCP server."""

    name: str
    uri_template: str
    annotations: Any = None
    description: str | None = None
    mime_type: str | None = None
    title: str | None = None


@frozen(kw_only=True)
class Tool:
    """A tool of an MCP server."""

    input_schema: Any
    name: str
    meta: Any = field(default=None, metadata={"wire": "_meta"})
    annotations: Any = None
    description: str | None = None
    icons: tuple[Any, ...] | None = None
    output_schema: Any = None
    title: str | None = None


@frozen(kw_only=True)
class McpServerStatus:
    """An MCP server with what it offers."""

    auth_status: McpAuthStatus
    name: str
    resource_templates: tuple[ResourceTemplate, ...]
    resources: tuple[Resource, ...]
    tools: dict[str, Tool]


@frozen(kw_only=True)
class ListMcpServerStatusResponse:
    """Result of ``mcpServerStatus/list``.

    :param next_cursor: cursor of the next page; ``None`` on the last one.
    """

    data: tuple[McpServerStatus, ...]
    next_cursor: str | None = None


@frozen(kw_only=True)
class McpToolCallProgressNotification(Notification):
    """A tool of an MCP server reports progress."""

    METHOD: ClassVar[str] = "item/mcpToolCall/progress"
    item_id: str
    message: str
    thread_id: str
    turn_id: str


@frozen(kw_only=True)
class McpServerOauthLoginCompletedNotification(Notification):
    """A login to an MCP server ended."""

    METHOD: ClassVar[str] = "mcpServer/oauthLogin/completed"
    name: str
    success: bool
    error: str | None = None


McpServerStartupState = Literal["starting", "ready", "failed", "cancelled"]
"""State of the start of an MCP server."""


@frozen(kw_only=True)
class McpServerStatusUpdatedNotification(Notification):
    """The start of an MCP server went on."""

    METHOD: ClassVar[str] = "mcpServer/startupStatus/updated"
    name: str
    status: McpServerStartupState
    error: str | None = None


@frozen(kw_only=True)
class FormMcpServerElicitationRequestParams:
    """A form for the user to fill in."""

    TAG: ClassVar[str] = "mode"
    TYPE: ClassVar[str] = "form"
    message: str
    requested_schema: McpElicitationSchema
    server_name: str
    thread_id: str
    meta: Any = field(default=None, metadata={"wire": "_meta"})
    turn_id: str | None = None


@frozen(kw_only=True)
class UrlMcpServerElicitationRequestParams:
    """A page for the user to open."""

    TAG: ClassVar[str] = "mode"
    TYPE: ClassVar[str] = "url"
    elicitation_id: str
    message: str
    url: str
    server_name: str
    thread_id: str
    meta: Any = field(default=None, metadata={"wire": "_meta"})
    turn_id: str | None = None


McpServerElicitationRequestParams: TypeAlias = (
    FormMcpServerElicitationRequestParams | UrlMcpServerElicitationRequestParams
)
"""Parameters of ``mcpServer/elicitation/request``: a form, or a page to open."""

McpServerElicitationAction = Literal["accept", "decline", "cancel"]
"""What the user did with a form."""


@frozen(kw_only=True)
class McpServerElicitationRequestResponse:
    """Result of ``mcpServer/elicitation/request``."""

    action: McpServerElicitationAction
    meta: Any = field(default=None, metadata={"wire": "_meta"})
    content: Any = None
