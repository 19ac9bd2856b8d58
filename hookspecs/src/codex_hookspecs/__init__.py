"""Contracts between the codex host and its plugins: markers, values, protocols, errors.

This module has what most plugins need; the others of this package that have no underscore have the rest, by area:
``lifecycle``, ``tools``, ``context``, ``models``, ``auth``, ``sandbox``, ``environments``, ``storage``, ``surface``,
``protocol``, ``analytics``, ``host``, ``files``, and ``errors``, ``wire``, ``jsonrpc``, ``json_text``, ``light``,
``tracing``.
``types``, ``ports`` and ``specs`` are internal packages: import from the areas instead.

Names are imported from here and resolved when first used, so that importing the package stays cheap.
"""

from __future__ import annotations

from codex_hookspecs._lazy import exported

TYPE_CHECKING = False  # Avoids the import of typing.
if TYPE_CHECKING:
    from codex_hookspecs.errors import CodexError as CodexError
    from codex_hookspecs.errors import ConfigError as ConfigError
    from codex_hookspecs.errors import ExecError as ExecError
    from codex_hookspecs.errors import FileSystemError as FileSystemError
    from codex_hookspecs.errors import ModelError as ModelError
    from codex_hookspecs.errors import RpcError as RpcError
    from codex_hookspecs.errors import SandboxUnavailable as SandboxUnavailable
    from codex_hookspecs.errors import StorageError as StorageError
    from codex_hookspecs.errors import ThreadBusy as ThreadBusy
    from codex_hookspecs.errors import ThreadNotFound as ThreadNotFound
    from codex_hookspecs.errors import ToolError as ToolError
    from codex_hookspecs.errors import ToolRejected as ToolRejected
    from codex_hookspecs.markers import enabled_if as enabled_if
    from codex_hookspecs.markers import hookimpl as hookimpl
    from codex_hookspecs.markers import reports_runs as reports_runs
    from codex_hookspecs.markers import time_limit as time_limit
    from codex_hookspecs.ports.environment import Environment as Environment
    from codex_hookspecs.ports.environment import ExecBackend as ExecBackend
    from codex_hookspecs.ports.environment import ExecProcess as ExecProcess
    from codex_hookspecs.ports.environment import FileSystem as FileSystem
    from codex_hookspecs.ports.host import Host as Host
    from codex_hookspecs.ports.models import ModelProvider as ModelProvider
    from codex_hookspecs.ports.sandbox import SandboxLauncher as SandboxLauncher
    from codex_hookspecs.ports.storage import ThreadStore as ThreadStore
    from codex_hookspecs.ports.surface import AppServer as AppServer
    from codex_hookspecs.ports.surface import CliCommand as CliCommand
    from codex_hookspecs.ports.surface import DoctorCheck as DoctorCheck
    from codex_hookspecs.ports.surface import RpcContext as RpcContext
    from codex_hookspecs.ports.surface import RpcMethod as RpcMethod
    from codex_hookspecs.ports.surface import SurfaceHost as SurfaceHost
    from codex_hookspecs.ports.threads import AgentThread as AgentThread
    from codex_hookspecs.ports.threads import HookScope as HookScope
    from codex_hookspecs.ports.tools import ToolContext as ToolContext
    from codex_hookspecs.types.approvals import CommandApproval as CommandApproval
    from codex_hookspecs.types.approvals import CommandRequest as CommandRequest
    from codex_hookspecs.types.approvals import PatchApproval as PatchApproval
    from codex_hookspecs.types.approvals import PatchRequest as PatchRequest
    from codex_hookspecs.types.approvals import PermissionsApproval as PermissionsApproval
    from codex_hookspecs.types.approvals import PermissionsRequest as PermissionsRequest
    from codex_hookspecs.types.context import Fragment as Fragment
    from codex_hookspecs.types.lifecycle import CompactEvent as CompactEvent
    from codex_hookspecs.types.lifecycle import CompactVerdict as CompactVerdict
    from codex_hookspecs.types.lifecycle import InterruptEvent as InterruptEvent
    from codex_hookspecs.types.lifecycle import InterruptVerdict as InterruptVerdict
    from codex_hookspecs.types.lifecycle import PermissionRequestEvent as PermissionRequestEvent
    from codex_hookspecs.types.lifecycle import PermissionVerdict as PermissionVerdict
    from codex_hookspecs.types.lifecycle import PostModelRequestEvent as PostModelRequestEvent
    from codex_hookspecs.types.lifecycle import PostToolUseEvent as PostToolUseEvent
    from codex_hookspecs.types.lifecycle import PostToolUseVerdict as PostToolUseVerdict
    from codex_hookspecs.types.lifecycle import PreModelRequestEvent as PreModelRequestEvent
    from codex_hookspecs.types.lifecycle import PreToolUseEvent as PreToolUseEvent
    from codex_hookspecs.types.lifecycle import PreToolUseVerdict as PreToolUseVerdict
    from codex_hookspecs.types.lifecycle import SessionEndEvent as SessionEndEvent
    from codex_hookspecs.types.lifecycle import SessionStartEvent as SessionStartEvent
    from codex_hookspecs.types.lifecycle import SessionStartVerdict as SessionStartVerdict
    from codex_hookspecs.types.lifecycle import StopEvent as StopEvent
    from codex_hookspecs.types.lifecycle import StopVerdict as StopVerdict
    from codex_hookspecs.types.lifecycle import SubagentStartEvent as SubagentStartEvent
    from codex_hookspecs.types.lifecycle import SubagentStartVerdict as SubagentStartVerdict
    from codex_hookspecs.types.lifecycle import SubagentStopEvent as SubagentStopEvent
    from codex_hookspecs.types.lifecycle import UserPromptSubmitEvent as UserPromptSubmitEvent
    from codex_hookspecs.types.lifecycle import UserPromptVerdict as UserPromptVerdict
    from codex_hookspecs.types.policy import PolicyDecision as PolicyDecision
    from codex_hookspecs.types.policy import PolicyRequest as PolicyRequest
    from codex_hookspecs.types.sandbox import SandboxPolicy as SandboxPolicy
    from codex_hookspecs.types.threads import ThreadSettings as ThreadSettings
    from codex_hookspecs.types.tools import Tool as Tool
    from codex_hookspecs.types.tools import ToolCall as ToolCall
    from codex_hookspecs.types.tools import ToolOutput as ToolOutput
    from codex_hookspecs.values import frozen as frozen

__all__, __getattr__, __dir__ = exported(
    __name__,
    {
        "errors": (
            "CodexError ConfigError ExecError FileSystemError ModelError RpcError SandboxUnavailable StorageError "
            "ThreadBusy ThreadNotFound ToolError ToolRejected"
        ),
        "markers": "enabled_if hookimpl reports_runs time_limit",
        "ports.environment": "Environment ExecBackend ExecProcess FileSystem",
        "ports.host": "Host",
        "ports.models": "ModelProvider",
        "ports.sandbox": "SandboxLauncher",
        "ports.storage": "ThreadStore",
        "ports.surface": "AppServer CliCommand DoctorCheck RpcContext RpcMethod SurfaceHost",
        "ports.threads": "AgentThread HookScope",
        "ports.tools": "ToolContext",
        "types.approvals": (
            "CommandApproval CommandRequest PatchApproval PatchRequest PermissionsApproval PermissionsRequest"
        ),
        "types.context": "Fragment",
        "types.lifecycle": (
            "CompactEvent CompactVerdict InterruptEvent InterruptVerdict PermissionRequestEvent PermissionVerdict "
            "PostModelRequestEvent PostToolUseEvent PostToolUseVerdict PreModelRequestEvent PreToolUseEvent "
            "PreToolUseVerdict SessionEndEvent SessionStartEvent SessionStartVerdict StopEvent StopVerdict "
            "SubagentStartEvent SubagentStartVerdict SubagentStopEvent UserPromptSubmitEvent UserPromptVerdict"
        ),
        "types.policy": "PolicyDecision PolicyRequest",
        "types.sandbox": "SandboxPolicy",
        "types.threads": "ThreadSettings",
        "types.tools": "Tool ToolCall ToolOutput",
        "values": "frozen",
    },
)
