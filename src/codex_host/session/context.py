"""Give a running tool what it may ask of its thread."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from codex_hookspecs.approval_questions import COMMAND, PATCH, command_question, patch_question
from codex_hookspecs.errors import CodexError, ToolError, ToolRejected
from codex_hookspecs.types.json import JsonObject
from codex_hookspecs.types.sandbox import Launch
from codex_hookspecs.types.tools import HookPayload, ToolCall, ToolOutput
from codex_hookspecs.writable import patch_verdict, writable_roots

if TYPE_CHECKING:
    from codex_hookspecs.ports.environment import Environment
    from codex_hookspecs.types.items import Item
    from codex_hookspecs.types.notifications import Notification
    from codex_hookspecs.types.sandbox import LaunchRequest
    from codex_host.roles import RunningTurn

NO_ENVIRONMENT = (
    "No usable execution environment is available. Wait for an environment to become available before using this tool."
)


class CallContext:
    """The context of one call."""

    def __init__(self, run: RunningTurn, call: ToolCall) -> None:
        self._run = run
        self._call = call
        self.thread = run.thread
        self.turn_id = run.id
        self.settings = run.settings

    async def environment(self) -> Environment:
        """Return the environment of the thread."""
        try:
            return await self.thread.host.environments.of(self.thread)
        except CodexError as error:
            await self.thread.warn(f"no environment to work in: {error}")
            raise ToolError(NO_ENVIRONMENT) from error

    async def emit(self, notification: Notification) -> None:
        """Tell clients something."""
        await self.thread.notify(notification)

    async def start_item(self, item: Item) -> None:
        """Announce an item as started."""
        await self.thread.start_item(self.turn_id, item)

    async def complete_item(self, item: Item) -> None:
        """Keep a final item, then announce it."""
        await self.thread.complete_item(self.turn_id, item)

    async def approve_command(
        self,
        call: ToolCall,
        *,
        item_id: str,
        command: str,
        argv: tuple[str, ...],
        cwd: str,
        escalated: bool = False,
        justification: str | None = None,
        prefix_rule: tuple[str, ...] | None = None,
        command_actions: tuple[JsonObject, ...] = (),
    ) -> None:
        """Return when a command may run; see :class:`~codex_hookspecs.ports.tools.ToolContext`."""
        from codex_hookspecs.command_safety import command_needs_consent, commands_of

        if not command_needs_consent(self.settings.approval_policy, argv, escalated=escalated):
            return
        commands = commands_of(argv) or []
        question = command_question(
            self._where(item_id),
            command=command,
            cwd=cwd,
            reason=justification,
            amendment=prefix_rule or (commands[0] if len(commands) == 1 else argv),
            actions=command_actions,
        )
        await self.thread.consents.consent(
            self._run,
            call,
            self._shell_payload(call, command, justification),
            method=COMMAND,
            params=question,
            key=("command", str(escalated), cwd, *argv),
        )

    def _where(self, item_id: str) -> JsonObject:
        return {"threadId": self.thread.id, "turnId": self.turn_id, "itemId": item_id}

    def _shell_payload(self, call: ToolCall, command: str, justification: str | None) -> HookPayload:
        """Show hooks the command as the model wrote it, the way ``pre_tool_use`` does."""
        tool = self.thread.tools.get(call.name)
        payload = tool.payload(call) if tool is not None and tool.payload is not None else None
        if payload is not None and payload.tool_name == "Bash":
            command = payload.tool_input["command"]
        description = {} if justification is None else {"description": justification}
        return HookPayload(tool_name="Bash", tool_input={"command": command, **description})

    async def approve_patch(self, call: ToolCall, *, item_id: str, paths: tuple[str, ...], reason: str | None) -> None:
        """Return when a patch may be applied; see :class:`~codex_hookspecs.ports.tools.ToolContext`."""
        sandbox = self.settings.sandbox
        temporary = self.thread.host.environ.get("TMPDIR") or "/tmp"  # noqa: S108
        roots = _resolved(writable_roots(sandbox, self.settings.cwd, temporary))
        approval = self.settings.approval_policy
        verdict = patch_verdict(paths, approval=approval, unrestricted=sandbox.unrestricted, roots=roots)
        if verdict == "allow":
            return
        if verdict == "refuse":
            where = "in a read-only sandbox" if sandbox.kind == "readOnly" else "outside of the project"
            raise ToolRejected(f"writing {where} is not allowed; rejected by user approval settings")
        payload = HookPayload(
            tool_name="apply_patch", tool_input={"command": call.arguments}, aliases=("Write", "Edit")
        )
        await self.thread.consents.consent(
            self._run,
            call,
            payload,
            method=PATCH,
            params=patch_question(self._where(item_id), reason=reason),
            key=("patch", *sorted(paths)),
        )

    def launch(self, request: LaunchRequest) -> Launch:
        """Return how to run a command so that the policy holds."""
        if not request.policy.holds_back:
            return Launch(argv=request.argv, env=request.env)
        return self.thread.host.launcher(request.policy).launch(request)

    async def delegate(self, call: ToolCall) -> ToolOutput:
        """Run another tool's call as if the model had made it."""
        tool = self.thread.tools.get(call.name)
        if tool is None:
            raise ToolError(f"unsupported call: {call.name}")
        return await tool.run(call, CallContext(self._run, call))


def _resolved(paths: Sequence[str]) -> list[str]:
    return [os.path.realpath(path) for path in paths]
