"""Get consent for commands and patches: from rules, from hooks, from the client, and remember it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from codex_hookspecs.errors import ConfigError, ToolRejected

if TYPE_CHECKING:
    from codex_execpolicy.rules.matching import RuleBook
    from codex_execpolicy.verdict import CommandDecision
    from codex_hookspecs.ports.environment import Environment
    from codex_hookspecs.types.approvals import CommandApproval, CommandRequest
    from codex_hookspecs.types.json import JsonObject
    from codex_hookspecs.types.lifecycle import PermissionVerdict
    from codex_hookspecs.types.threads import ThreadSettings
    from codex_hookspecs.types.tools import HookPayload, ToolCall
    from codex_host.approvals.questions import Answer

REJECTED = "rejected by user"
RETRY = "command failed; retry without sandbox?"
_RETRIED = ("untrusted", "on-failure")

Key = tuple[object, ...]


class Asking(Protocol):
    """One call of a turn, and who can be asked about it."""

    @property
    def settings(self) -> ThreadSettings:
        """Settings of the turn."""
        ...

    def where(self, item_id: str) -> JsonObject:
        """Return ``threadId``, ``turnId`` and ``itemId``."""
        ...

    def payload_of(self, call: ToolCall) -> HookPayload | None:
        """Return how the call's tool shows it to hooks."""
        ...

    async def environment(self) -> Environment:
        """Return the environment of the thread."""
        ...

    async def ask_hooks(self, payload: HookPayload) -> PermissionVerdict | None:
        """Return what the ``permission_request`` hooks say."""
        ...

    async def request_client(self, method: str, params: JsonObject) -> object:
        """Return the client's answer.

        :raises ToolRejected: when there is none.
        """
        ...

    async def warn(self, text: str) -> None:
        """Tell the user something."""
        ...


class Approvals:
    """The consent given in one thread.

    :param home: ``$CODEX_HOME``, whose rules file gets what a client allows for good.
    :param rules: what rules files say; ``None`` when there are none.
    """

    def __init__(self, home: str, rules: RuleBook | None = None) -> None:
        self._home = home
        self._accepted: set[Key] = set()
        self._rules = rules

    async def command(self, asking: Asking, call: ToolCall, request: CommandRequest) -> CommandApproval:
        """Return leave to run a command, once it has it.

        :raises ToolRejected: when it may not run.
        """
        from codex_hookspecs.types.approvals import CommandApproval

        if self._is_free(asking.settings) and not request.escalated and request.additional is None:
            return CommandApproval()
        from codex_execpolicy.verdict import evaluate_command

        verdict = evaluate_command(request, asking.settings, self._book())
        retry = asking.settings.approval_policy in _RETRIED and asking.settings.sandbox.needs_sandbox
        if not verdict.ask:
            free = verdict.unsandboxed or request.escalated
            return CommandApproval(free, "ask" if retry else "no", verdict.amendment)
        await self._ask_about_command(asking, call, request, verdict)
        return CommandApproval(request.escalated, "yes" if retry else "no")

    async def retry(self, asking: Asking, call: ToolCall, request: CommandRequest, leave: CommandApproval) -> None:
        """Return when a command that its sandbox kept from working may run without.

        :param leave: what it ran with.
        :raises ToolRejected: when it may not.
        """
        from codex_execpolicy.verdict import CommandDecision

        if leave.retry == "no":
            raise ToolRejected("the approval policy does not allow to ask for a run without sandbox")
        if leave.retry == "ask":
            await self._ask_about_command(asking, call, request, CommandDecision(True, RETRY, leave.amendment))

    async def patch(
        self,
        asking: Asking,
        call: ToolCall,
        *,
        item_id: str,
        paths: tuple[str, ...],
        reason: str | None,
    ) -> None:
        """Return when a patch may be applied.

        :param paths: absolute paths it touches, links resolved.
        :raises ToolRejected: when it may not.
        """
        from codex_hookspecs.types.tools import HookPayload
        from codex_host.approvals.questions import PATCH, patch_question
        from codex_sandboxing.writable_roots import patch_verdict_in

        settings = asking.settings
        verdict = await patch_verdict_in(await asking.environment(), settings, paths)
        if verdict == "allow":
            return
        if verdict == "refuse":
            where = "in a read-only sandbox" if settings.sandbox.kind == "readOnly" else "outside of the project"
            raise ToolRejected(f"writing {where} is not allowed; rejected by user approval settings")
        payload = HookPayload(
            tool_name="apply_patch", tool_input={"command": call.arguments}, aliases=("Write", "Edit")
        )
        question = patch_question(asking.where(item_id), reason=reason)
        await self._ask(asking, payload, PATCH, question, [("patch", path) for path in paths])

    async def confirm(self, asking: Asking, payload: HookPayload, *, item_id: str, reason: str) -> None:
        """Return when hooks or the client agree to a call that a ``pre_tool_use`` hook asks about; asks every time.

        :raises ToolRejected: when they refuse.
        """
        from codex_host.approvals.questions import call_question

        method, question = call_question(asking.where(item_id), payload, cwd=asking.settings.cwd, reason=reason)
        await self._ask(asking, payload, method, question, ())

    async def _ask_about_command(
        self, asking: Asking, call: ToolCall, request: CommandRequest, verdict: CommandDecision
    ) -> None:
        from codex_host.approvals.questions import COMMAND, command_question

        question = command_question(
            asking.where(request.item_id),
            command=request.command,
            cwd=request.cwd,
            reason=verdict.reason or request.justification,
            amendment=verdict.amendment,
            actions=request.actions,
            additional=request.shown_additional,
        )
        payload = _shown(asking, call, request, verdict.reason or request.justification)
        answer = await self._ask(asking, payload, COMMAND, question, [_key(request)])
        if answer.amendment:
            await self._allow(asking, answer.amendment)

    async def _ask(
        self, asking: Asking, payload: HookPayload, method: str, question: JsonObject, keys: Sequence[Key]
    ) -> Answer:
        """Return when hooks or the client agree.

        :param keys: what an acceptance for the session is remembered by, each for itself.
        :raises ToolRejected: when they refuse or nobody is there to ask.
        """
        from codex_host.approvals.questions import Answer, answer_of

        verdict = await asking.ask_hooks(payload)
        if verdict is not None and verdict.behavior == "deny":
            raise ToolRejected(verdict.message or "denied by a PermissionRequest hook")
        behavior = None if verdict is None else verdict.behavior
        if behavior == "allow" or (behavior is None and keys and self._accepted.issuperset(keys)):
            return Answer("accept")
        answer = answer_of(await asking.request_client(method, question))
        if answer.decision == "acceptForSession":
            self._accepted.update(keys)
        elif answer.decision != "accept":
            raise ToolRejected(REJECTED, cancel=answer.decision == "cancel")
        return answer

    async def _allow(self, asking: Asking, prefix: tuple[str, ...]) -> None:
        from codex_execpolicy.rules.files import append_allowed
        from codex_execpolicy.rules.matching import Rule

        self._book().add(Rule(tuple((word,) for word in prefix)))
        try:
            append_allowed(self._home, prefix)
        except ConfigError as error:
            await asking.warn(f"the rule is kept for this session only: {error}")
        except OSError as error:
            await asking.warn(f"the rule is kept for this session only: {self._home}/rules: {error.strerror or error}")

    def _is_free(self, settings: ThreadSettings) -> bool:
        """Tell whether commands are neither asked about nor held back, whatever they are."""
        return settings.approval_policy == "never" and settings.sandbox.unrestricted and self._rules is None

    def _book(self) -> RuleBook:
        if self._rules is None:
            from codex_execpolicy.rules.matching import RuleBook

            self._rules = RuleBook()
        return self._rules


def _key(request: CommandRequest) -> Key:
    """Return what tells one command from another: not how its words are quoted, nor which shell runs them."""
    from codex_execpolicy.known_commands import commands_of, script_of

    commands = commands_of(request.argv, shell=request.shell)
    argv: tuple[str, ...] = request.argv
    if commands is not None and len(commands) == 1:
        argv = tuple(word.text for word in commands[0])
    elif (script := script_of(request.argv, shell=request.shell)) is not None:
        argv = ("script", script)
    return ("command", argv, request.cwd, request.tty, request.escalated, request.additional)


def _shown(asking: Asking, call: ToolCall, request: CommandRequest, reason: str | None) -> HookPayload:
    """Show hooks the command as the model wrote it, the way ``pre_tool_use`` does."""
    from codex_hookspecs.types.tools import HookPayload

    payload = asking.payload_of(call)
    written = payload is not None and payload.tool_name == "Bash"
    command = payload.tool_input["command"] if written and payload is not None else request.command
    description = {} if reason is None else {"description": reason}
    return HookPayload(tool_name="Bash", tool_input={"command": command, **description})
