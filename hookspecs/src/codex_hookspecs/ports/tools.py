"""The context of a running tool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from codex_hookspecs.ports.environment import Environment
    from codex_hookspecs.ports.threads import AgentThread
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
    from codex_hookspecs.types.sandbox import Launch, LaunchRequest
    from codex_hookspecs.types.threads import ThreadSettings
    from codex_hookspecs.types.tools import ToolCall, ToolOutput


class ToolContext(Protocol):
    """The context of one call; stays usable after the turn, for background processes."""

    @property
    def thread(self) -> AgentThread:
        """The thread the call belongs to."""
        ...

    @property
    def turn_id(self) -> str:
        """The turn the call belongs to."""
        ...

    @property
    def settings(self) -> ThreadSettings:
        """Settings of the turn."""
        ...

    async def environment(self) -> Environment:
        """Return the environment of the thread.

        :raises ToolError: when there is none, with a text for the model.
        """
        ...

    async def emit(self, notification: Notification) -> None:
        """Send a notification to clients, e.g. output deltas."""
        ...

    async def start_item(self, item: Item) -> None:
        """Notify clients of a started item."""
        ...

    async def complete_item(self, item: Item) -> None:
        """Store a completed item in the thread, then notify clients."""
        ...

    async def ask_client(self, method: str, params: JsonObject) -> JsonObject:
        """Send a request to the thread's clients and return the first answer.

        It waits for as long as no client answers; when the turn is interrupted, it is cancelled.

        :param method: a request of the app-server protocol, e.g. ``item/tool/requestUserInput``.
        :param params: its parameters in wire form.
        :return: the result in wire form, which may be anything.
        :raises RpcError: when the answer is an error, or no client can be asked.
        """
        ...

    async def approve_command(self, call: ToolCall, request: CommandRequest) -> CommandApproval:
        """Decide whether a command may run (rules, approval policy, hooks, then the client) and return the approval.

        :raises ToolRejected: when it may not run.
        """
        ...

    async def approve_retry(self, call: ToolCall, request: CommandRequest, approval: CommandApproval) -> None:
        """Approve running a command again without a sandbox, after its failure in one; asks the client if necessary.

        :param approval: the approval of the first run, whose ``retry`` is not ``no``.
        :raises ToolRejected: when it is not approved.
        """
        ...

    async def request_permissions(self, call: ToolCall, request: PermissionsRequest) -> PermissionsApproval:
        """Ask the client for additional permissions for later commands, and return what it grants.

        The grant is remembered and included in the approvals of those commands.
        """
        ...

    async def approve_patch(self, call: ToolCall, request: PatchRequest) -> PatchApproval:
        """Decide whether a patch may be applied (rules, approval policy, hooks, then the client); return the approval.

        The item of the request is started by this method; after a ``ToolRejected`` of any kind but ``forbidden`` the
        tool must complete it as declined.

        :raises ToolRejected: when the patch may not be applied.
        """
        ...

    def program_folder(self) -> str | None:
        """Return the local folder with the programs that tools provide to commands, if there are any."""
        ...

    def launch(self, request: LaunchRequest) -> Launch:
        """Return how to run a command with its policy enforced.

        :raises SandboxUnavailable: when no launcher can enforce it; the command must not be run.
        """
        ...

    async def delegate(self, call: ToolCall) -> ToolOutput:
        """Run another tool's call as if the model had made it, e.g. a patch that arrived as a shell command.

        :raises ToolError: when the other tool fails or does not exist.
        """
        ...
