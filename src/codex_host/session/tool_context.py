"""Give a running tool what it may ask of its thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_hookspecs.errors import CodexError, RpcError, ToolError, ToolRejected
from codex_hookspecs.types.sandbox import Launch
from codex_host.approvals.approvals import REJECTED
from codex_host.plugins.tasks import run_task
from codex_host.session.hook_payloads import shown

if TYPE_CHECKING:
    from codex_hookspecs.ports.environment import Environment
    from codex_hookspecs.types.approvals import CommandApproval, CommandRequest
    from codex_hookspecs.types.items import Item
    from codex_hookspecs.types.json import JsonObject
    from codex_hookspecs.types.lifecycle import PermissionVerdict
    from codex_hookspecs.types.notifications import Notification
    from codex_hookspecs.types.sandbox import LaunchRequest
    from codex_hookspecs.types.tools import HookPayload, ToolCall, ToolOutput
    from codex_host.session.turn_state import TurnState

NO_ENVIRONMENT = (
    "No usable execution environment is available. Wait for an environment to become available before using this tool."
)


class CallContext:
    """The context of one call.

    :ivar declined: clients were told by an item that the call was declined.
    """

    def __init__(self, turn: TurnState, call: ToolCall) -> None:
        self._turn = turn
        self.declined = False
        self._call = call
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
        """Tell clients something."""
        await self._turn.emit(notification)

    async def start_item(self, item: Item) -> None:
        """Announce an item as started."""
        await self.thread.start_item(self.turn_id, item)

    async def complete_item(self, item: Item) -> None:
        """Keep a final item, then announce it."""
        self.declined = self.declined or getattr(item, "status", None) == "declined"
        await self.thread.complete_item(self.turn_id, item)

    async def approve_command(self, call: ToolCall, request: CommandRequest) -> CommandApproval:
        """Return leave to run a command; see :class:`~codex_hookspecs.ports.tools.ToolContext`."""
        return await self.thread.consents.command(self, call, request)

    async def approve_retry(self, call: ToolCall, request: CommandRequest, leave: CommandApproval) -> None:
        """Return when a command may run without sandbox; see :class:`~codex_hookspecs.ports.tools.ToolContext`."""
        await self.thread.consents.retry(self, call, request, leave)

    async def request_permissions(self, call: ToolCall, *, permissions: JsonObject, reason: str | None) -> JsonObject:
        """Ask the client to grant more; see :class:`~codex_hookspecs.ports.tools.ToolContext`."""
        question = {**self.where(call.call_id), "reason": reason, "permissions": permissions}
        answer = await self.request_client("item/permissions/requestApproval", question)
        return answer if isinstance(answer, dict) else {}

    async def approve_patch(self, call: ToolCall, *, item_id: str, paths: tuple[str, ...], reason: str | None) -> None:
        """Return when a patch may be applied; see :class:`~codex_hookspecs.ports.tools.ToolContext`."""
        await self.thread.consents.patch(self, call, item_id=item_id, paths=paths, reason=reason)

    def where(self, item_id: str) -> JsonObject:
        """Return the ids that questions about an item carry."""
        return {"threadId": self.thread.id, "turnId": self.turn_id, "itemId": item_id}

    def payload_of(self, call: ToolCall) -> HookPayload | None:
        """Return how the call's tool shows it to hooks."""
        tool = self.thread.tools.get(call.name)
        return tool.hook_view(call) if tool is not None and tool.hook_view is not None else None

    async def ask_hooks(self, payload: HookPayload) -> PermissionVerdict | None:
        """Return what the ``permission_request`` hooks say."""
        turn = self._turn
        if not turn.thread.hooks.permission_request.enabled(turn.thread):
            return None
        from codex_hookspecs.types.lifecycle import PermissionRequestEvent

        event = PermissionRequestEvent(
            **turn.event_fields(),
            **shown(payload, turn.settings.cwd),
            tool_use_id=self._call.call_id,
        )
        return await turn.thread.hooks.permission_request(event, turn.scope())

    async def request_client(self, method: str, params: JsonObject) -> object:
        """Return the client's answer.

        :raises ToolRejected: when nobody is connected, or the answer is an error.
        """
        request_handler = self.thread.clients.request_handler
        if request_handler is None:
            raise ToolRejected("nobody is connected who could give consent")
        try:
            return await run_task(request_handler, method, params)
        except RpcError as error:
            raise ToolRejected(REJECTED) from error

    async def warn(self, text: str) -> None:
        """Tell the user something."""
        await self.thread.warn(text)

    def program_folder(self) -> str | None:
        """Return the folder with the programs that tools give to commands."""
        return self.thread.program_folder()

    def launch(self, request: LaunchRequest) -> Launch:
        """Return how to run a command so that the policy holds."""
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
