"""Permissions beyond the sandbox policy that calls request: the tool ``request_permissions`` and single commands."""

from __future__ import annotations

import json
import os
import posixpath
from collections.abc import Callable
from typing import TYPE_CHECKING

from codex_execpolicy.verdict import not_escalated
from codex_hookspecs.errors import ToolError, ToolRejected
from codex_hookspecs.tools import PermissionsRequest, ToolOutput
from codex_sandboxing.additional_form import write_additional
from codex_tool_exec.arguments import read_permissions_call
from codex_tool_exec.permission_arguments import read_additional

if TYPE_CHECKING:
    from codex_hookspecs.environments import Environment
    from codex_hookspecs.sandbox import AdditionalPermissions
    from codex_hookspecs.tools import ToolCall, ToolContext
    from codex_tool_exec.arguments import ExecCall

NOT_ALONE = "`additional_permissions` requires `sandbox_permissions` set to `with_additional_permissions`"
DISABLED = (
    "additional permissions are disabled; enable `features.exec_permission_approvals` before using "
    "`with_additional_permissions`"
)
NOTHING_GIVEN = (
    "missing `additional_permissions`; provide at least one of `network` or `file_system` when using "
    "`with_additional_permissions`"
)
NOTHING_WANTED = "`additional_permissions` must include at least one requested permission in `network` or `file_system`"
NOTHING_REQUESTED = "request_permissions requires at least one permission"


async def request_permissions(call: ToolCall, context: ToolContext) -> ToolOutput:
    """Run the tool ``request_permissions``: request permissions for later commands, return those granted.

    :raises ToolError: when the request is empty.
    """
    value, reason = read_permissions_call(call.arguments)
    wanted = read_additional(value, context.settings.cwd, _path_resolver(await context.environment()))
    if wanted.empty:
        raise ToolError(NOTHING_REQUESTED)
    approval = await context.request_permissions(call, PermissionsRequest(permissions=wanted, reason=reason))
    result = {"permissions": write_additional(approval.granted, files="file_system"), "scope": approval.scope}
    return ToolOutput(json.dumps(result, separators=(",", ":"), ensure_ascii=False))


def read_requested_permissions(
    wanted: ExecCall, cwd: str, context: ToolContext, environment: Environment, *, possible: bool
) -> AdditionalPermissions | None:
    """Return the permissions that a call of ``exec_command`` requests beyond the sandbox policy.

    :param cwd: working directory of the command.
    :param possible: whether the feature is enabled.
    :raises ToolError: when the request is invalid or not allowed.
    """
    if wanted.escalated:
        if wanted.additional is not None:
            raise ToolError(NOT_ALONE)
        return None
    if not context.settings.may_ask("sandbox_approval"):
        raise ToolRejected(not_escalated(context.settings), kind="no_escalation")
    if not possible:
        raise ToolError(DISABLED)
    if wanted.additional is None:
        raise ToolError(NOTHING_GIVEN)
    found = read_additional(wanted.additional, cwd, _path_resolver(environment))
    if found.empty:
        raise ToolError(NOTHING_WANTED)
    return found


def _path_resolver(environment: Environment) -> Callable[[str], str]:
    """Return the function that resolves paths; symlinks of a remote environment can't be resolved here."""
    return posixpath.normpath if environment.remote else os.path.realpath
