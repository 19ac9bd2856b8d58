"""The context object that running tools get."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_hookspecs.errors import CodexError, RpcError, ToolError
from codex_hookspecs.types.sandbox import Launch
from codex_host.plugins.tasks import run_task

if TYPE_CHECKING:
    from codex_hookspecs.ports.environment import Environment
    from codex_hookspecs.types.approvals import (
        CommandApproval,
        CommandRequest,
        PatchApproval,
        PatchRequest,
        PermissionsApproval,
        PermissionsRequest,
    )
    from codex_hookspecs.types.items import Item
    from codex_hookspecs.types.json import JsonObject
    from codex_hookspecs.types.notifications import Notification
    from codex_hookspecs.types.sandbox import LaunchRequest
    from codex_hookspecs.types.tools import ToolCall, ToolOutput
    from codex_host.approvals.approvals import Approvals
    from codex_host.session.turn_state import TurnState

NO_ENVIRONMENT = (
    "No usable execution environment is available. Wait for an environment to become available before using this tool."
)


class CallContext:
    """The context of one call.

    :ivar declined: whether clients got an item with the status declined.
    """

    def __init__(self, turn: TurnState, call: ToolCall) -> None:
        self._turn = turn
        self.declined = False
        self.thread = turn.thread
        self.turn_id = turn.id
        self.settings = turn.settings

    async def environment(self) -> Environment:
        """Return the environment of the thread."""
        try:
            return await self.thread.host.environments.of(self.thread)
        except CodexError as error:
            await self.thread.warn(f"no environment to work in: {error}")
            raise ToolError(NO_ENVIRONMENT) from error

    async def emit(self, notification: Notification) -> None:
        """Send a notification to clients."""
        await self._turn.emit(notification)

    async def start_item(self, item: Item) -> None:
        """Notify clients of a started item."""
        await self.thread.start_item(self.turn_id, item)

    async def complete_item(self, item: Item) -> None:
        """Store a completed item, then notify clients."""
        self.declined = self.declined or getattr(item, "status", None) == "declined"
        await self.thread.complete_item(self.turn_id, item)

    async def ask_client(self, method: str, params: JsonObject) -> JsonObject:
        """Send a request to the thread's clients and return the first answer."""
        handler = self.thread.clients.request_handler
        if handler is None:
            raise RpcError("no client is connected that could answer")
        answer: JsonObject = await run_task(handler, method, params)
        return answer

    async def approve_command(self, call: ToolCall, request: CommandRequest) -> CommandApproval:
        """Approve a command; see :class:`~codex_hookspecs.ports.tools.ToolContext`."""
        return await self._approvals().command(call, request)

    async def approve_retry(self, call: ToolCall, request: CommandRequest, approval: CommandApproval) -> None:
        """Approve a run without sandbox; see :class:`~codex_hookspecs.ports.tools.ToolContext`."""
        await self._approvals().retry(call, request, approval)

    async def request_permissions(self, call: ToolCall, request: PermissionsRequest) -> PermissionsApproval:
        """Ask the client for additional permissions; see :class:`~codex_hookspecs.ports.tools.ToolContext`."""
        return await self._approvals().permissions(call, request)

    async def approve_patch(self, call: ToolCall, request: PatchRequest) -> PatchApproval:
        """Approve a patch; see :class:`~codex_hookspecs.ports.tools.ToolContext`."""
        return await self._approvals().patch(call, request)

    def program_folder(self) -> str | None:
        """Return the folder with the programs that tools provide to commands."""
        return self.thread.program_folder()

    def launch(self, request: LaunchRequest) -> Launch:
        """Return how to run a command with its policy enforced."""
        if not (request.policy.needs_sandbox or request.managed_network):
            return Launch(argv=request.argv, env=request.env)
        return self.thread.host.launcher(request.policy).launch(request)

    async def delegate(self, call: ToolCall) -> ToolOutput:
        """Run another tool's call as if the model had made it."""
        tool = self.thread.tools.get(call.name)
        if tool is None:
            raise ToolError(f"unsupported call: {call.name}")
        context = CallContext(self._turn, call)
        try:
            return await tool.run(call, context)
        finally:
            self.declined = self.declined or context.declined

    def _approvals(self) -> Approvals:
        from codex_host.approvals.approvals import Approvals  # not needed in many turns

        return Approvals(self._turn)
