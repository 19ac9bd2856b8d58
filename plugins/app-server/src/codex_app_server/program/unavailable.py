"""What is answered to methods of the protocol that nothing in the program serves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from codex_app_server.methods import notification_types
from codex_hookspecs.errors import RpcError
from codex_hookspecs.surface import RpcMethod, protocol_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from codex_hookspecs.surface import RpcContext

_REALTIME: Final = "conversation in real time"
_BUNDLES: Final = "installing bundles from marketplaces"

SUBJECTS: Final = {
    "thread/realtime/start": ("ThreadRealtimeStart", _REALTIME),
    "thread/realtime/appendAudio": ("ThreadRealtimeAppendAudio", _REALTIME),
    "thread/realtime/appendText": ("ThreadRealtimeAppendText", _REALTIME),
    "thread/realtime/stop": ("ThreadRealtimeStop", _REALTIME),
    "skills/config/write": ("SkillsConfigWrite", "loading skills"),
    "plugin/read": ("PluginRead", _BUNDLES),
    "plugin/install": ("PluginInstall", _BUNDLES),
    "plugin/uninstall": ("PluginUninstall", _BUNDLES),
    "mcpServer/oauth/login": ("McpServerOauthLogin", "running MCP servers"),
    "windowsSandbox/setupStart": ("WindowsSandboxSetupStart", "setting up a sandbox on Windows"),
    "feedback/upload": ("FeedbackUpload", "sending feedback"),
}
"""Name of the types (before ``Params``) and subject of each method whose subject no part of this version has."""

PLUGINS: Final = {
    "thread/shellCommand": ("ThreadShellCommand", "tool-exec"),
    "thread/backgroundTerminals/clean": ("ThreadBackgroundTerminalsClean", "tool-exec"),
    "thread/increment_elicitation": ("ThreadIncrementElicitation", "tool-exec"),
    "thread/decrement_elicitation": ("ThreadDecrementElicitation", "tool-exec"),
    "fuzzyFileSearch": ("FuzzyFileSearch", "file-search"),
    "fuzzyFileSearch/sessionStart": ("FuzzyFileSearchSessionStart", "file-search"),
    "fuzzyFileSearch/sessionUpdate": ("FuzzyFileSearchSessionUpdate", "file-search"),
    "fuzzyFileSearch/sessionStop": ("FuzzyFileSearchSessionStop", "file-search"),
    "gitDiffToRemote": ("GitDiffToRemote", "git"),
}
"""Name of the types and plugin of each method that another plugin serves; needed when that plugin is not loaded."""

_EXPERIMENTAL: Final = frozenset(
    (
        "thread/increment_elicitation",
        "thread/decrement_elicitation",
        "thread/backgroundTerminals/clean",
        "thread/realtime/start",
        "thread/realtime/appendAudio",
        "thread/realtime/appendText",
        "thread/realtime/stop",
        "fuzzyFileSearch/sessionStart",
        "fuzzyFileSearch/sessionUpdate",
        "fuzzyFileSearch/sessionStop",
    )
)

_NOTIFICATIONS: Final = {
    "thread/realtime/start": (
        "ThreadRealtimeStartedNotification ThreadRealtimeItemAddedNotification ThreadRealtimeErrorNotification "
        "ThreadRealtimeTranscriptUpdatedNotification ThreadRealtimeOutputAudioDeltaNotification "
        "ThreadRealtimeClosedNotification"
    ),
    "mcpServer/oauth/login": "McpServerOauthLoginCompletedNotification",
    "windowsSandbox/setupStart": "WindowsSandboxSetupCompletedNotification WindowsWorldWritableWarningNotification",
    "fuzzyFileSearch/sessionStart": (
        "FuzzyFileSearchSessionUpdatedNotification FuzzyFileSearchSessionCompletedNotification"
    ),
}
"""Notifications that come with a method, for the bindings."""


def refusal(method: str, subject: str) -> RpcError:
    """Return the error of a method, or a kind of request, whose subject is not part of this version."""
    return RpcError(f"{method} is not available: {subject} is not part of this version")


def with_unavailable(offered: Iterable[RpcMethod]) -> dict[str, RpcMethod]:
    """Return methods by name: those that plugins offer, and those that are not available."""
    return {method.name: method for method in (*unavailable_methods(), *offered)}


def unavailable_methods() -> Sequence[RpcMethod]:
    """Return methods that refuse every request with valid parameters; those that plugins offer replace them."""
    missing = [_refusing(name, params, refusal(name, subject).message) for name, (params, subject) in SUBJECTS.items()]
    unloaded = [
        _refusing(name, types, f"{name} is not available: it needs the plugin {plugin}, which is not loaded")
        for name, (types, plugin) in PLUGINS.items()
    ]
    return [*missing, *unloaded]


def _refusing(name: str, types: str, message: str) -> RpcMethod:
    async def refuse(_params: Any, _context: RpcContext) -> Any:
        raise RpcError(message)

    return RpcMethod(
        name=name,
        params=protocol_type(f"{types}Params"),
        result=protocol_type(f"{types}Response"),
        handle=refuse,
        notifications=notification_types(_NOTIFICATIONS.get(name, "")),
        experimental=name in _EXPERIMENTAL,
    )
