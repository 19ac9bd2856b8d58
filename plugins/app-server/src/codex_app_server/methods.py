"""The table of the protocol's methods; their modules are imported with the first request."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from codex_hookspecs.surface import RpcContext, RpcMethod, protocol_type

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from typing import Any

    from codex_hookspecs.protocol import Notification
    from codex_hookspecs.surface import RpcServerRequest

_NEWER: Final = "codex_app_server.program.newer:"

_METHODS: Final = {
    "thread/start": ("threads.loading:start", "ThreadStart"),
    "thread/resume": ("threads.loading:resume", "ThreadResume"),
    "thread/fork": ("threads.loading:fork", "ThreadFork"),
    "thread/rollback": ("threads.rewinding:roll_back", "ThreadRollback"),
    "thread/revert": ("threads.rewinding:revert", "ThreadRevert"),
    "thread/compact/start": ("threads.compaction:start", "ThreadCompactStart"),
    "thread/turns/list": ("threads.turn_pages:list_turns", "ThreadTurnsList"),
    "thread/metadata/update": ("threads.stored:update_metadata", "ThreadMetadataUpdate"),
    "thread/list": ("threads.stored:list_threads", "ThreadList"),
    "thread/loaded/list": ("threads.stored:list_loaded", "ThreadLoadedList"),
    "thread/read": ("threads.stored:read", "ThreadRead"),
    "thread/unsubscribe": ("threads.loading:unsubscribe", "ThreadUnsubscribe"),
    "thread/name/set": ("threads.stored:set_name", "ThreadSetName"),
    "thread/archive": ("threads.stored:archive", "ThreadArchive"),
    "thread/unarchive": ("threads.stored:unarchive", "ThreadUnarchive"),
    "turn/start": ("turns.turn_methods:start", "TurnStart"),
    "turn/steer": ("turns.turn_methods:steer", "TurnSteer"),
    "turn/interrupt": ("turns.turn_methods:interrupt", "TurnInterrupt"),
    "thread/inject_items": ("turns.inject_items:inject", "codex_app_server.turns.inject_items:ThreadInjectItems"),
    "review/start": ("review_methods:start", "ReviewStart"),
    "config/read": ("config.reading:read", "ConfigRead"),
    "config/value/write": ("config.writing:write_value", "ConfigValueWriteParams ConfigWriteResponse"),
    "config/batchWrite": ("config.writing:write_batch", "ConfigBatchWriteParams ConfigWriteResponse"),
    "configRequirements/read": ("config.reading:read_requirements", "- ConfigRequirementsReadResponse"),
    "model/list": ("program.models:list_models", "ModelList"),
    "collaborationMode/list": ("program.models:list_collaboration_modes", "CollaborationModeList"),
    "account/read": ("program.account:read", "GetAccount"),
    "account/login/start": ("program.account:log_in", "LoginAccount"),
    "account/login/cancel": ("program.account:cancel_login", "CancelLoginAccount"),
    "account/bedrock/checkGovCloudRequirements": ("program.newer:check_gov_cloud", f"{_NEWER}CheckGovCloud"),
    "account/logout": ("program.account:log_out", "- LogoutAccountResponse"),
    "account/rateLimits/read": ("program.account:read_rate_limits", "- GetAccountRateLimitsResponse"),
    "getAuthStatus": ("program.account:read_status", "GetAuthStatus"),
    "experimentalFeature/list": ("program.features:list_features", "ExperimentalFeatureList"),
    "experimentalFeature/enablement/set": ("program.features:set_enablement", "ExperimentalFeatureEnablementSet"),
    "mock/experimentalMethod": ("program.features:echo", "MockExperimentalMethod"),
    "getConversationSummary": ("threads.summary:read_summary", "GetConversationSummary"),
    "skills/list": ("program.lists:list_skills", "SkillsList"),
    "plugin/list": ("program.lists:list_plugins", "PluginList"),
    "plugin/installed": ("program.newer:list_installed_plugins", f"{_NEWER}PluginInstalled"),
    "app/list": ("program.lists:list_apps", "AppsList"),
    "mcpServerStatus/list": ("program.lists:list_mcp_servers", "ListMcpServerStatus"),
    "config/mcpServer/reload": ("program.lists:reload_mcp_servers", "- McpServerRefreshResponse"),
    "externalAgentConfig/detect": ("program.lists:detect_external_agents", "ExternalAgentConfigDetect"),
    "externalAgentConfig/import": ("program.lists:import_external_agents", "ExternalAgentConfigImport"),
    "fs/readFile": ("files.handlers:Files.content.read", "FsReadFile"),
    "fs/writeFile": ("files.handlers:Files.content.write", "FsWriteFile"),
    "fs/createDirectory": ("files.handlers:Files.entries.create_directory", "FsCreateDirectory"),
    "fs/getMetadata": ("files.handlers:Files.entries.metadata", "FsGetMetadata"),
    "fs/readDirectory": ("files.handlers:Files.entries.list", "FsReadDirectory"),
    "fs/remove": ("files.handlers:Files.entries.remove", "FsRemove"),
    "fs/copy": ("files.handlers:Files.entries.copy", "FsCopy"),
    "fs/watch": ("files.handlers:Files.watches.watch", "FsWatch"),
    "fs/unwatch": ("files.handlers:Files.watches.unwatch", "FsUnwatch"),
    "command/exec": ("commands.handlers:Commands.exec", "CommandExec"),
    "command/exec/write": ("commands.handlers:Commands.write", "CommandExecWrite"),
    "command/exec/resize": ("commands.handlers:Commands.resize", "CommandExecResize"),
    "command/exec/terminate": ("commands.handlers:Commands.terminate", "CommandExecTerminate"),
}
"""Handler and types of each method.

A handler ``module:Class.name`` is a method of an object that is made on first use, and keeps state between requests.
The types are the part of their names before ``Params`` and ``Response``, or both names, with ``-`` for no parameters.
"""

_EXPERIMENTAL: Final = frozenset(
    ("account/bedrock/checkGovCloudRequirements", "collaborationMode/list", "mock/experimentalMethod")
)
"""Methods for clients that enabled the experimental API."""

_NOTIFICATIONS: Final = {
    "thread/start": "ThreadStarted ThreadStatusChanged ThreadClosed WarningNotice ConfigWarning DeprecationNotice",
    "thread/fork": "ThreadStarted",
    "thread/revert": "ThreadReverted",
    "thread/name/set": "ThreadNameUpdated",
    "account/login/start": "AccountLoginCompletedNotification AccountUpdatedNotification",
    "thread/archive": "ThreadArchivedNotification",
    "thread/unarchive": "ThreadUnarchivedNotification",
    "skills/list": "SkillsChangedNotification",
    "app/list": "AppListUpdatedNotification",
    "mcpServerStatus/list": "McpServerStatusUpdatedNotification",
    "fs/watch": "FsChangedNotification",
    "command/exec": "CommandExecOutputDeltaNotification",
    "turn/start": (
        "TurnStarted TurnCompleted TurnDiffUpdated PlanUpdated ItemStarted ItemCompleted AgentMessageDelta "
        "PlanDeltaNotification ReasoningSummaryPartAdded ReasoningSummaryTextDelta ReasoningTextDelta "
        "CommandOutputDelta TerminalInteraction FileChangeOutputDelta McpToolCallProgressNotification "
        "HookStarted HookCompleted ErrorNotice TokenUsageUpdated RateLimitsUpdated ThreadCompacted "
        "ModelReroutedNotification ServerRequestResolved RawResponseItemCompletedNotification "
        "ItemGuardianApprovalReviewStartedNotification ItemGuardianApprovalReviewCompletedNotification"
    ),
}
"""Notifications that come with a method."""

_REQUESTS: Final = {
    "item/commandExecution/requestApproval": "CommandExecutionRequestApproval",
    "item/fileChange/requestApproval": "FileChangeRequestApproval",
    "item/permissions/requestApproval": "PermissionsRequestApproval",
    "item/tool/requestUserInput": "ToolRequestUserInput",
    "item/tool/call": "DynamicToolCall",
    "mcpServer/elicitation/request": "McpServerElicitationRequest",
    "account/chatgptAuthTokens/refresh": "ChatgptAuthTokensRefresh",
    "applyPatchApproval": "ApplyPatchApproval",
    "execCommandApproval": "ExecCommandApproval",
}
"""Requests to clients that come with ``turn/start``, with the name of their types."""


def methods() -> Sequence[RpcMethod]:
    """Return all methods of this plugin."""
    owners: dict[str, Any] = {}
    return [
        RpcMethod(
            name=name,
            params=_type(_names(types)[0]),
            result=_type(_names(types)[1]),
            handle=_handler(handler, owners),
            notifications=notification_types(_NOTIFICATIONS[name]) if name in _NOTIFICATIONS else (),
            requests=_requests if name == "turn/start" else (),
            experimental=name in _EXPERIMENTAL,
        )
        for name, (handler, types) in _METHODS.items()
    ]


def _names(types: str) -> tuple[str, str]:
    """Return the names of the types of parameters and result."""
    params, _, result = types.partition(" ")
    return (params, result) if result else (f"{params}Params", f"{params}Response")


def _type(name: str) -> Callable[[], Any] | None:
    if name == "-":
        return None
    module, _, attribute = name.rpartition(":")
    return (lambda: getattr(import_module(module), attribute)) if module else protocol_type(name)


def notification_types(names: str) -> Callable[[], Sequence[type[Notification]]]:
    """Return a function that returns notifications of the protocol, which are imported only then.

    :param names: of their classes, with blanks between them.
    """

    def load() -> Sequence[type[Notification]]:
        return [protocol_type(name)() for name in names.split()]

    return load


def _requests() -> Sequence[RpcServerRequest]:
    from codex_hookspecs.surface import RpcServerRequest

    return [
        RpcServerRequest(name=name, params=protocol_type(f"{types}Params"), result=protocol_type(f"{types}Response"))
        for name, types in _REQUESTS.items()
    ]


def _handler(reference: str, owners: dict[str, Any]) -> Callable[[Any, RpcContext], Awaitable[Any]]:
    async def handle(params: Any, context: RpcContext) -> Any:
        return await _find(reference, owners)(params, context)

    return handle


def _find(reference: str, owners: dict[str, Any]) -> Callable[[Any, RpcContext], Awaitable[Any]]:
    module, _, path = reference.partition(":")
    name, *members = path.split(".")
    found = getattr(import_module(f"codex_app_server.{module}"), name)
    if members:
        if name not in owners:
            owners[name] = found()
        found = owners[name]
    for member in members:
        found = getattr(found, member)
    handler: Callable[[Any, RpcContext], Awaitable[Any]] = found
    return handler
