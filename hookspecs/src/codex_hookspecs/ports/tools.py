"""What a running tool can ask of its thread."""

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
    from codex_hookspecs.types.notifications import Notification
    from codex_hookspecs.types.sandbox import Launch, LaunchRequest
    from codex_hookspecs.types.threads import ThreadSettings
    from codex_hookspecs.types.tools import ToolCall, ToolOutput


class ToolContext(Protocol):
    """One call's view of its turn; stays usable after the turn for what runs on in the background."""

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
        """Settings of the turn: directory, policies."""
        ...

    async def environment(self) -> Environment:
        """Return the environment of the thread.

        :raises ToolError: when there is none, in words for the model.
        """
        ...

    async def emit(self, notification: Notification) -> None:
        """Tell clients something, e.g. output deltas."""
        ...

    async def start_item(self, item: Item) -> None:
        """Announce an item as started."""
        ...

    async def complete_item(self, item: Item) -> None:
        """Announce an item as final; it is kept in the thread's history before clients hear of it."""
        ...

    async def approve_command(self, call: ToolCall, request: CommandRequest) -> CommandApproval:
        """Decide whether a command may run (rules, approval policy, hooks, then the client) and return the approval.

        :raises ToolRejected: when it may not run.
        """
        ...

    async def approve_retry(self, call: ToolCall, request: CommandRequest, approval: CommandApproval) -> None:
        """Return when a command that its sandbox kept from working may run once more without; asks if need be.

        :param approval: what it ran with; its ``retry`` is not ``no``.
        :raises ToolRejected: when it may not.
        """
        ...

    async def request_permissions(self, call: ToolCall, request: PermissionsRequest) -> PermissionsApproval:
        """Ask the client to grant more than the sandbox policy allows, for commands to come, and return what it grants.

        It is remembered, and part of the approvals of those commands.
        """
        ...

    async def approve_patch(self, call: ToolCall, request: PatchRequest) -> PatchApproval:
        """Decide whether a patch may be applied (rules, approval policy, hooks, then the client); return the approval.

        The item of the request is announced on the way; when a ``ToolRejected`` is of another kind than ``forbidden``,
        it has been announced and is to be completed as declined.

        :raises ToolRejected: when it may not be applied.
        """
        ...

    def program_folder(self) -> str | None:
        """Return the folder of this machine with the programs that tools give to commands, if there are any."""
        ...

    def launch(self, request: LaunchRequest) -> Launch:
        """Return how to run a command so that the policy holds.

        :raises SandboxUnavailable: when no launcher can hold it; the command must not be run.
        """
        ...

    async def delegate(self, call: ToolCall) -> ToolOutput:
        """Run another tool's call as if the model had made it, e.g. a patch that arrived as a shell command.

        :raises ToolError: as the other tool does, or when there is no such tool.
        """
        ...
