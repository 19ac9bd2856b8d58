"""The error for the model about a command that its sandbox denied something."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_tool_exec.quoting import rust_debug

if TYPE_CHECKING:
    from codex_hookspecs.protocol import CommandExecution, ThreadSettings

_ESCALATE = (
    "If it has to be done, run it again with `sandbox_permissions` set to `require_escalated` and a `justification` "
    "for the user."
)
_REMAIN = "It can't be run without the sandbox here: find a way that stays within it, or tell the user what is needed."


def denial_text(item: CommandExecution, settings: ThreadSettings, output: str, *, refused: str | None = None) -> str:
    """Build the error (its beginning is the text of Codex 0.118).

    :param item: the completed item of the command.
    :param output: its output, already truncated.
    :param refused: why it was not retried without a sandbox, ``None`` when that was not asked.
    """
    policy = settings.sandbox
    advice = _ESCALATE if settings.may_ask("sandbox_approval") else _REMAIN
    if refused is not None:
        advice = f"It was not run again without the sandbox: {refused}. Find a way that stays within it."
    network = "" if policy.network_access else ", without network"
    return (
        f"exec_command failed for `{item.command}`: SandboxDenied {{ message: {rust_debug(output)}, "
        f"exit_code: {item.exit_code} }}\n"
        f"The command ran in the sandbox {policy.mode}{network}, which seems to have kept it from working. "
        f"{advice}"
    )
