"""Get a command approved and start it so that the thread's policy holds; say what kept it from starting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_hookspecs.environments import ExecParams, start_launched
from codex_hookspecs.errors import EnvironmentLost, ExecError, SandboxUnavailable, ToolError, ToolRejected
from codex_hookspecs.protocol import CommandExecution, uuid4
from codex_hookspecs.sandbox import LaunchRequest
from codex_hookspecs.tools import CommandRequest
from codex_sandboxing.managed_network import managed_proxies
from codex_tool_exec.environ import read_policy
from codex_tool_exec.programs import program_folder, with_programs
from codex_tool_exec.quoting import rust_debug

if TYPE_CHECKING:
    from codex_hookspecs.environments import Environment, ExecProcess
    from codex_hookspecs.sandbox import AdditionalPermissions, Launch, Permissions, SandboxPolicy
    from codex_hookspecs.tools import CommandApproval, ToolCall, ToolContext
    from codex_tool_exec.calls import ExecCall
    from codex_tool_exec.commands import Command
    from codex_tool_exec.profile import Profiles


class Attempt:
    """One call of ``exec_command`` on its way: what is to be run, where, and what it may do.

    :param requested_permissions: what the call asks for beyond the thread's policy.
    :ivar boxed: the thread's sandbox policy is held.
    """

    def __init__(
        self,
        command: Command,
        wanted: ExecCall,
        call: ToolCall,
        context: ToolContext,
        environment: Environment,
        *,
        requested_permissions: AdditionalPermissions | None = None,
    ) -> None:
        self.command = command
        self.wanted = wanted
        self.call = call
        self.context = context
        self.environment = environment
        self._proxies = managed_proxies(context.thread.config.get)
        self.boxed = context.settings.sandbox.needs_sandbox or self._proxies is not None
        self._more: AdditionalPermissions | None = None
        self.request = CommandRequest(
            item_id=call.call_id,
            command=command.line,
            argv=command.argv,
            cwd=command.cwd,
            shell=command.own_shell,
            escalated=wanted.escalated,
            additional=requested_permissions,
            justification=wanted.justification,
            prefix_rule=wanted.prefix_rule,
            actions=command.actions,
            tty=wanted.tty,
        )

    def item(self, number: int) -> CommandExecution:
        """Return the item of the command as it begins."""
        return CommandExecution(
            id=self.call.call_id,
            command=self.command.line,
            cwd=self.command.cwd,
            process_id=str(number),
            source="unifiedExecStartup",
            status="inProgress",
            command_actions=self.command.actions,
        )

    async def approve(self) -> CommandApproval:
        """Return the approval of the command; a refusal of the user is reported as the command's end.

        What can't be run is neither judged nor asked about.

        :raises ToolRejected: when it may not run.
        :raises ToolError: when it can't.
        """
        if self.command.too_long:
            error = ExecError("Argument list too long (os error 7)", code=-32603)
            raise await self.not_started(error, self.item(0), announced=False)
        try:
            approval = await self.context.approve_command(self.call, self.request)
        except ToolRejected as error:
            if error.kind == "no_escalation":
                raise
            if error.kind != "forbidden":
                await self._refused("failed" if error.kind == "unanswered" else "declined")
            raise error.with_message(failed_text(self.command.line, str(error))) from error
        self.boxed = self.boxed and not approval.unsandboxed
        self._more = approval.additional
        return approval

    async def start(self, number: int, profiles: Profiles | None) -> tuple[ExecProcess, Launch | None]:
        """Start the command, wrapped so that the thread's policy holds.

        :param profiles: those of the thread's login shells; with ``None`` each command runs its shell's profile itself.
        :return: the process, and how it was launched if it is held by a launcher of this program.
        :raises ExecError: when it can't be started.
        :raises SandboxUnavailable: when nothing can hold the policy.
        """
        command = self.command
        if profiles is not None and self.wanted.login:
            command = await self._behind_profile(profiles)
        command = command._replace(env=with_programs(command.env, await program_folder(self.context, self.environment)))
        return await self._launched(command, f"{number}-{uuid4()}", boxed=self.boxed, tty=self.wanted.tty)

    async def _behind_profile(self, profiles: Profiles) -> Command:
        """Return the command with what its shell's profile sets, and without a run of that profile if it is known."""
        command = self.command
        shell, _, script = command.argv
        boxed = self.context.settings.sandbox.needs_sandbox or self._proxies is not None

        async def start(look: str) -> tuple[ExecProcess, Launch | None]:
            plain = command._replace(argv=(shell, "-lc", look), cwd=self.context.settings.cwd)
            return await self._launched(plain, f"profile-{uuid4()}", boxed=boxed, tty=False)

        own = set(read_policy(self.context.thread.config).set)
        if self._proxies is not None:
            own.update(name for name in (*command.env, *self._proxies) if name.upper().endswith("_PROXY"))
        changes = await profiles.changes(self.environment.id, shell, command.env, start, own=frozenset(own))
        if changes is None:
            return command
        # What another machine begins with is among the changes.
        return command._replace(argv=(shell, "-c", script), env=changes.applied(command.env), policy=None)

    async def _launched(
        self, command: Command, process_id: str, *, boxed: bool, tty: bool
    ) -> tuple[ExecProcess, Launch | None]:
        context, remote = self.context, self.environment.remote
        policy, more, env = context.settings.sandbox, self._more, command.env
        if boxed and remote and not self._policy().network_access:
            env = {**env, "CODEX_SANDBOX_NETWORK_DISABLED": "1"}
        params = ExecParams(
            process_id=process_id,
            argv=command.argv,
            cwd=command.cwd,
            env=env,
            env_policy=command.policy,
            tty=tty,
            sandbox=policy if boxed and remote else None,
            additional=more if boxed and remote else None,
            sandbox_cwd=context.settings.cwd,
            metadata={"threadId": context.thread.id, "toolCallId": self.call.call_id},
        )
        if boxed and remote and self._proxies is not None:
            raise SandboxUnavailable(
                "the command was not run: its network is managed, and the proxies of this machine can't be reached "
                "from another one; switch features.network_proxy off"
            )
        if not boxed or remote:
            return await self.environment.exec.start(params), None
        from codex_sandboxing.devices import wanted_devices

        launch = context.launch(
            LaunchRequest(
                argv=command.argv,
                cwd=command.cwd,
                env={**command.env, **(self._proxies or {})},
                policy=self._policy(),
                permissions=self._permissions(),
                macos=None if more is None else more.macos,
                policy_cwd=context.settings.cwd,
                tty=tty,
                managed_network=self._proxies is not None,
                devices=wanted_devices(context.thread.config.get, context.settings.sandbox),
            )
        )
        return await start_launched(self.environment.exec, params, launch), launch

    def _policy(self) -> SandboxPolicy:
        """Return the thread's policy with what was granted, as far as the legacy form can say it."""
        policy = self.context.settings.sandbox
        if self._more is None:
            return policy
        from codex_sandboxing.additional import effective_legacy

        return effective_legacy(policy, self._more)

    def _permissions(self) -> Permissions | None:
        """Return the thread's policy with what was granted, in the form that says it all."""
        if self._more is None:
            return None
        from codex_hookspecs.sandbox import Permissions
        from codex_sandboxing.additional import effective_file_system, effective_network
        from codex_sandboxing.legacy import to_split

        split = to_split(self.context.settings.sandbox)
        return Permissions(
            effective_file_system(split.file_system, self._more), effective_network(split.network, self._more)
        )

    async def not_started(
        self, error: ExecError | SandboxUnavailable, item: CommandExecution, *, announced: bool
    ) -> ToolError:
        """Report a command that was not started and return what the model is told.

        :param announced: clients know the item.
        """
        from attrs import evolve

        if isinstance(error, ExecError):
            refused = self.environment.remote and not isinstance(error, EnvironmentLost)
            where = f"exec-server rejected request ({error.code}): " if refused else ""
            shown = f"Failed to create unified exec process: {where}{error}"
            told = failed_text(item.command, shown)
        else:
            shown = str(error)
            told = f"exec_command failed for `{item.command}`: {shown}"
        if not announced:
            await self.context.start_item(item)
        failed = evolve(item, status="failed", aggregated_output=shown, exit_code=-1, duration_ms=0)
        await self.context.complete_item(failed)
        return ToolError(told)

    async def _refused(self, status: str) -> None:
        refused = CommandExecution(
            id=self.call.call_id,
            command=self.command.line,
            cwd=self.command.cwd,
            status=status,  # type: ignore[arg-type]
            command_actions=self.command.actions,
        )
        await self.context.complete_item(refused)


def failed_text(line: str, reason: str) -> str:
    """Return what the model is told of a command that did not run (text of Codex 0.118)."""
    rejected = f"Rejected({rust_debug(reason)})"
    return f"exec_command failed for `{line}`: CreateProcess {{ message: {rust_debug(rejected)} }}"
