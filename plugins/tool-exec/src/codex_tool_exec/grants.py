"""Let calls ask for more than the sandbox policy allows."""

from __future__ import annotations

import json
import os
import posixpath
from collections.abc import Callable
from typing import TYPE_CHECKING

from codex_execpolicy.verdict import NEVER_ESCALATED
from codex_hookspecs.errors import ToolError, ToolRejected
from codex_hookspecs.tools import PermissionsRequest, ToolOutput
from codex_sandboxing.additional_form import write_additional
from codex_tool_exec.calls import read_permissions_call
from codex_tool_exec.permissions import read_additional

if TYPE_CHECKING:
    from codex_hookspecs.environments import Environment
    from codex_hookspecs.sandbox import AdditionalPermissions
    from codex_hookspecs.tools import ToolCall, ToolContext
    from codex_tool_exec.calls import ExecCall

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
    """Ask for more than the sandbox policy allows, for commands to come, and tell the model what was granted.

    :raises ToolError: when nothing is asked for.
    """
    value, reason = read_permissions_call(call.arguments)
    wanted = read_additional(value, context.settings.cwd, _canonical(await context.environment()))
    if wanted.empty:
        raise ToolError(NOTHING_REQUESTED)
    approval = await context.request_permissions(call, PermissionsRequest(permissions=wanted, reason=reason))
    told = {"permissions": write_additional(approval.granted, files="file_system"), "scope": approval.scope}
    return ToolOutput(json.dumps(told, separators=(",", ":"), ensure_ascii=False))


def wanted_beyond(
    wanted: ExecCall, cwd: str, context: ToolContext, environment: Environment, *, possible: bool
) -> AdditionalPermissions | None:
    """Return what a call asks for beyond the sandbox policy.

    :param cwd: directory of the command.
    :param possible: calls may do so.
    :raises ToolError: when it does so in a wrong way, or may not.
    """
    if wanted.escalated:
        if wanted.additional is not None:
            raise ToolError(NOT_ALONE)
        return None
    if context.settings.approval_policy == "never":
        raise ToolRejected(NEVER_ESCALATED, kind="no_escalation")
    if not possible:
        raise ToolError(DISABLED)
    if wanted.additional is None:
        raise ToolError(NOTHING_GIVEN)
    found = read_additional(wanted.additional, cwd, _canonical(environment))
    if found.empty:
        raise ToolError(NOTHING_WANTED)
    return found


def _canonical(environment: Environment) -> Callable[[str], str]:
    """Return what resolves paths of a machine; links of others can't be seen from here."""
    return posixpath.normpath if environment.remote else os.path.realpath
