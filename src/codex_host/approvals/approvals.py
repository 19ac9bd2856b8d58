"""Approve commands, patches and other calls, in these steps.

1. A decision is computed (``decisions``) from company rules, rules files, the kind of command and the approval policy.
   Most calls end here: they are allowed or refused without asking anybody.
2. The ``permission_request`` hooks are called.
3. Remembered answers of the client are looked up (``remembered``).
4. The client is asked (``client``).
5. Its answer is remembered, for the session or permanently.

The result is an approval, or a :class:`~codex_hookspecs.errors.ToolRejected` whose kind says who refused the call.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Literal, NamedTuple, NoReturn

from codex_hookspecs.errors import ToolRejected
from codex_host.approvals.policy import ask_about_command, ask_about_patch
from codex_host.approvals.remembered import command_key

if TYPE_CHECKING:
    from codex_execpolicy.decision import CommandDecision
    from codex_hookspecs.types.approvals import (
        CommandApproval,
        CommandRequest,
        PatchApproval,
        PatchRequest,
        PermissionsApproval,
        PermissionsRequest,
        RejectionKind,
    )
    from codex_hookspecs.types.json import JsonObject
    from codex_hookspecs.types.lifecycle import PermissionVerdict
    from codex_hookspecs.types.threads import ThreadSettings
    from codex_hookspecs.types.tools import HookPayload, ToolCall
    from codex_host.approvals.client import Answer
    from codex_host.approvals.remembered import Key
    from codex_host.session.turn_state import TurnState

_RETRIED = ("untrusted", "on-failure")
"""Policies that ask for a run without sandbox after a failure; a granular one with ``sandbox_approval`` does, too."""


class Question(NamedTuple):
    """A question to hooks and the client.

    :param payload: the call in the form for hooks.
    :param method: method of the request to the client; ``params`` are its parameters.
    :param keys: keys under which an answer for the session is remembered; empty if every call is asked about.
    :param reason: why approval is needed.
    :param rejected: text for the model if the client refuses.
    """

    payload: HookPayload
    method: str
    params: JsonObject
    keys: tuple[Key, ...] = ()
    reason: str | None = None
    rejected: str = "rejected by user"


class Approvals:
    """The approvals of one turn; answers are remembered by its thread."""

    def __init__(self, turn: TurnState) -> None:
        self._turn = turn
        self._remembered = turn.thread.remembered

    async def command(self, call: ToolCall, request: CommandRequest) -> CommandApproval:
        """Approve a command.

        :raises ToolRejected: when it may not run.
        """
        from codex_hookspecs.types.approvals import CommandApproval

        request, additional = self._remembered.split_granted(self._turn.id, request)
        settings, answer = self._turn.settings, await ask_about_command(self._turn, request)
        if answer is None and self._is_free(settings) and not request.escalated and request.additional is None:
            return CommandApproval(additional=additional)
        from codex_host.approvals.decisions import decide_command

        decision = decide_command(request, settings, self._remembered.rules, answer)
        retried = settings.sandbox.needs_sandbox and _asks_after_denial(settings)
        granular = not isinstance(settings.approval_policy, str)
        if decision.kind == "allow":
            unsandboxed = decision.unsandboxed or request.escalated
            return CommandApproval(unsandboxed, "ask" if retried else "no", decision.amendment, additional)
        await self._ask_about_command(call, request, decision)
        # Of a granular policy, consent to what a rule asks about is none to running it without sandbox.
        again: Literal["no", "yes", "ask"] = ("ask" if granular else "yes") if retried else "no"
        return CommandApproval(request.escalated, again, additional=additional)

    async def retry(self, call: ToolCall, request: CommandRequest, approval: CommandApproval) -> None:
        """Approve running a command again without a sandbox, after the sandbox made it fail.

        :param approval: the approval of the first run.
        :raises ToolRejected: when it is not approved.
        """
        from codex_host.approvals.decisions import decide_retry

        request, _ = self._remembered.split_granted(self._turn.id, request)
        answer = await ask_about_command(self._turn, request, retry=True)
        decision = decide_retry(request, self._turn.settings, approval, answer)
        if decision.kind != "allow":
            from attrs import evolve

            # An answer that was remembered for the sandboxed run does not count for this one.
            await self._ask_about_command(call, evolve(request, escalated=True), decision)

    async def patch(self, call: ToolCall, request: PatchRequest) -> PatchApproval:
        """Approve a patch; its item is started once no policy refuses it.

        :raises ToolRejected: when it may not be applied.
        """
        from codex_hookspecs.types.approvals import PatchApproval
        from codex_host.approvals.client import patch_question
        from codex_host.approvals.decisions import decide_patch

        outside = request.outside
        if outside is None:
            outside = await _paths_outside(self._turn, request.paths)
        payload = _patch_payload(self._turn, call)
        answer = await ask_about_patch(self._turn, payload.tool_input["command"], request.paths, outside)
        decision = decide_patch(outside, self._turn.settings, answer)
        if decision.kind not in ("allow", "ask"):
            _reject(decision)
        await self._turn.thread.start_item(self._turn.id, request.item)
        if decision.kind == "allow":
            return PatchApproval(outside)
        method, params = patch_question(_ids(self._turn, request.item.id), reason=decision.reason)
        keys = tuple(("patch", path) for path in request.paths)
        question = Question(payload, method, params, keys, decision.reason, "patch rejected by user")
        await self._ask(call, question)
        return PatchApproval(request.paths)

    async def permissions(self, call: ToolCall, request: PermissionsRequest) -> PermissionsApproval:
        """Ask the client for additional permissions for later commands, and remember what it grants."""
        from codex_hookspecs.types.approvals import PermissionsApproval
        from codex_hookspecs.types.grants import AdditionalPermissions
        from codex_host.approvals.client import permissions_question, read_grant, request_client

        approval = PermissionsApproval(AdditionalPermissions())
        if self._turn.settings.may_ask("request_permissions"):
            method, params = permissions_question(_ids(self._turn, call.call_id), request, cwd=self._turn.settings.cwd)
            with suppress(ToolRejected):
                answer = await request_client(self._turn.thread.clients.request_handler, method, params)
                approval = read_grant(answer, request.permissions)
        self._remembered.grant(self._turn.id, approval)
        return approval

    async def confirm(self, call: ToolCall, payload: HookPayload, *, reason: str) -> None:
        """Approve a call that a ``pre_tool_use`` hook asks about; the client is asked every time.

        :raises ToolRejected: when it may not run.
        """
        from codex_host.approvals.client import call_question

        ids = _ids(self._turn, call.call_id)
        method, params = call_question(ids, payload, cwd=self._turn.settings.cwd, reason=reason)
        await self._ask(call, Question(payload, method, params, reason=reason))

    async def _ask_about_command(self, call: ToolCall, request: CommandRequest, decision: CommandDecision) -> None:
        from codex_host.approvals.client import command_question

        if decision.kind != "ask":
            _reject(decision)
        reason = decision.reason or request.justification
        method, params = command_question(
            _ids(self._turn, request.item_id),
            command=request.command,
            cwd=request.cwd,
            reason=reason,
            amendment=decision.amendment,
            actions=request.actions,
            additional=request.additional,
        )
        payload = _command_payload(self._turn, call, request, reason)
        answer = await self._ask(call, Question(payload, method, params, (command_key(request),), decision.reason))
        if answer.amendment:
            warning = self._remembered.allow_prefix(answer.amendment)
            if warning is not None:
                await self._turn.thread.warn(warning)

    async def _ask(self, call: ToolCall, question: Question) -> Answer:
        """Return the answer of hooks or the client, if it allows the call.

        :raises ToolRejected: when it refuses, or no client can be asked.
        """
        from codex_host.approvals.client import Answer, read_answer, request_client

        verdict = await _ask_hooks(self._turn, call, question.payload)
        behavior = None if verdict is None else verdict.behavior
        if verdict is not None and behavior == "deny":
            raise ToolRejected(verdict.message or "denied by a PermissionRequest hook", kind="denied")
        if behavior == "allow" or (behavior is None and self._remembered.allows(question.keys)):
            return Answer("allow")
        found = await request_client(
            self._turn.thread.clients.request_handler,
            question.method,
            question.params,
            rejected=question.rejected,
            reason=question.reason,
        )
        answer = read_answer(found)
        if not answer.valid:
            log = self._turn.thread.host.logger("host")
            log.error("the client's answer to %s is not valid and counts as a refusal: %.500r", question.method, found)
        if answer.kind == "deny":
            raise ToolRejected(question.rejected, kind="declined")
        if answer.kind == "abort":
            raise ToolRejected(question.rejected, kind="aborted")
        if answer.kind == "allow_for_session":
            self._remembered.allow_for_session(question.keys)
        return answer

    def _is_free(self, settings: ThreadSettings) -> bool:
        """Return whether every command runs without approval and sandbox."""
        return settings.approval_policy == "never" and settings.sandbox.unrestricted and not self._remembered.has_rules


def _asks_after_denial(settings: ThreadSettings) -> bool:
    policy = settings.approval_policy
    return policy in _RETRIED or (not isinstance(policy, str) and policy.granular.sandbox_approval)


def _reject(decision: CommandDecision) -> NoReturn:
    """Raise the refusal that a decision means.

    :raises ToolRejected: always.
    """
    kind: RejectionKind = "no_escalation" if decision.kind == "no_escalation" else "forbidden"
    raise ToolRejected(decision.message or decision.reason or "", kind=kind, reason=decision.reason)


async def _ask_hooks(turn: TurnState, call: ToolCall, payload: HookPayload) -> PermissionVerdict | None:
    """Return the verdict of the ``permission_request`` hooks."""
    if not turn.thread.hooks.permission_request.enabled(turn.thread):
        return None
    from codex_hookspecs.types.lifecycle import PermissionRequestEvent
    from codex_host.session.hook_payloads import to_hook_fields

    event = PermissionRequestEvent(
        **turn.event_fields(), **to_hook_fields(payload, turn.settings.cwd), tool_use_id=call.call_id
    )
    return await turn.thread.hooks.permission_request(event, turn.scope())


async def _paths_outside(turn: TurnState, paths: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of some paths that the sandbox policy does not allow to be written in the thread's environment."""
    from codex_sandboxing.file_scope import scope_of

    scope = await scope_of(await turn.thread.host.environments.of(turn.thread), turn.settings)
    return tuple(path for path in paths if not scope.may_write(path))


def _ids(turn: TurnState, item_id: str) -> JsonObject:
    return {"threadId": turn.thread.id, "turnId": turn.id, "itemId": item_id}


def _payload_of(turn: TurnState, call: ToolCall, name: str) -> HookPayload | None:
    """Return the call in the tool's form for hooks, if that has a certain tool name and a command."""
    tool = turn.thread.tools.get(call.name)
    payload = None if tool is None or tool.hook_view is None else tool.hook_view(call)
    return payload if payload is not None and payload.tool_name == name else None


def _command_payload(turn: TurnState, call: ToolCall, request: CommandRequest, reason: str | None) -> HookPayload:
    """Return a command in the form for hooks, as the model wrote it, like in ``pre_tool_use``."""
    from codex_hookspecs.types.tools import HookPayload

    payload = _payload_of(turn, call, "Bash")
    command = request.command if payload is None else payload.tool_input["command"]
    description = {} if reason is None else {"description": reason}
    return HookPayload(tool_name="Bash", tool_input={"command": command, **description})


def _patch_payload(turn: TurnState, call: ToolCall) -> HookPayload:
    from codex_hookspecs.types.tools import HookPayload

    payload = _payload_of(turn, call, "apply_patch")
    text = call.arguments if payload is None else payload.tool_input["command"]
    return HookPayload(tool_name="apply_patch", tool_input={"command": text}, aliases=("Write", "Edit"))
