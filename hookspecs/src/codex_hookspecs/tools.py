"""Tools for the model: definition, calls, context, output."""

from __future__ import annotations

from codex_hookspecs._lazy import exported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codex_hookspecs.errors import ToolError as ToolError
    from codex_hookspecs.errors import ToolRejected as ToolRejected
    from codex_hookspecs.markers import hookimpl as hookimpl
    from codex_hookspecs.ports.tools import ToolContext as ToolContext
    from codex_hookspecs.truncation import token_estimate as token_estimate
    from codex_hookspecs.truncation import truncate_bytes as truncate_bytes
    from codex_hookspecs.truncation import truncate_tokens as truncate_tokens
    from codex_hookspecs.types.approvals import CommandApproval as CommandApproval
    from codex_hookspecs.types.approvals import CommandRequest as CommandRequest
    from codex_hookspecs.types.approvals import PatchApproval as PatchApproval
    from codex_hookspecs.types.approvals import PatchRequest as PatchRequest
    from codex_hookspecs.types.approvals import PermissionsApproval as PermissionsApproval
    from codex_hookspecs.types.approvals import PermissionsRequest as PermissionsRequest
    from codex_hookspecs.types.approvals import RejectionKind as RejectionKind
    from codex_hookspecs.types.calls import CallKind as CallKind
    from codex_hookspecs.types.calls import HookPayload as HookPayload
    from codex_hookspecs.types.calls import ToolCall as ToolCall
    from codex_hookspecs.types.calls import ToolOutput as ToolOutput
    from codex_hookspecs.types.tools import Tool as Tool

__all__, __getattr__, __dir__ = exported(
    __name__,
    {
        "errors": "ToolError ToolRejected",
        "markers": "hookimpl",
        "ports.tools": "ToolContext",
        "types.approvals": (
            "CommandApproval CommandRequest PatchApproval PatchRequest PermissionsApproval PermissionsRequest "
            "RejectionKind"
        ),
        "types.calls": "CallKind HookPayload ToolCall ToolOutput",
        "types.tools": "Tool",
        "truncation": "token_estimate truncate_bytes truncate_tokens",
    },
)
