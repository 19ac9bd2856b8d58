"""Decide whether a call may run: by policy, by hook, by asking the client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_hookspecs.approval_questions import decision_of
from codex_hookspecs.errors import RpcError, ToolRejected
from codex_hookspecs.types.json import JsonObject

if TYPE_CHECKING:
    from codex_hookspecs.types.lifecycle import PermissionVerdict
    from codex_hookspecs.types.tools import HookPayload, ToolCall
    from codex_host.roles import RunningTurn

REJECTED = "rejected by user"


class Approvals:
    """Consent given in one thread."""

    def __init__(self) -> None:
        self._accepted: set[tuple[str, ...]] = set()

    async def consent(
        self,
        run: RunningTurn,
        call: ToolCall,
        payload: HookPayload,
        *,
        method: str,
        params: JsonObject,
        key: tuple[str, ...],
    ) -> None:
        """Return when hooks or the client agree.

        :param key: what an acceptance for the session is remembered by.
        :raises ToolRejected: when they refuse or nobody is there to ask.
        """
        if key in self._accepted:
            return
        verdict = await self._ask_hooks(run, call, payload)
        if verdict is not None and verdict.behavior == "allow":
            return
        if verdict is not None and verdict.behavior == "deny":
            raise ToolRejected(verdict.message or "denied by a PermissionRequest hook")
        decision = await self._ask_client(run, method, params)
        if decision == "acceptForSession":
            self._accepted.add(key)
        elif decision != "accept":
            raise ToolRejected(REJECTED, cancel=decision == "cancel")

    async def _ask_hooks(self, run: RunningTurn, call: ToolCall, payload: HookPayload) -> PermissionVerdict | None:
        if not run.thread.dispatch.has("permission_request", run.thread):
            return None
        from codex_hookspecs.types.lifecycle import PermissionRequestEvent, PermissionVerdict

        event = PermissionRequestEvent(
            **run.event_fields(),
            tool_name=payload.tool_name,
            tool_input=payload.tool_input,
            tool_use_id=call.call_id,
            matcher_aliases=payload.aliases,
        )
        return await run.thread.dispatch.lifecycle("permission_request", PermissionVerdict, event, run.scope())

    async def _ask_client(self, run: RunningTurn, method: str, params: JsonObject) -> str:
        asker = run.thread.asker
        if asker is None:
            raise ToolRejected("nobody is connected who could give consent")
        try:
            return decision_of(await asker(method, params))
        except RpcError as error:
            raise ToolRejected(REJECTED) from error
