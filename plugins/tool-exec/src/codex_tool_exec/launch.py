"""Request the approval of a command and start it under the thread's sandbox policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_hookspecs.environments import ExecParams, read_environ_policy, start_launched
from codex_hookspecs.errors import ExecError, ExecRejected, SandboxUnavailable, ToolError, ToolRejected
from codex_hookspecs.protocol import CommandExecution, uuid4
from codex_hookspecs.sandbox import LaunchRequest
from codex_hookspecs.tools import CommandRequest
from codex_sandboxing.managed_network import managed_proxies
from codex_tool_exec.programs import program_folder, with_programs
from codex_tool_exec.quoting import rust_debug

if TYPE_CHECKING:
    from codex_hookspecs.environments import Environment, ExecProcess
    from codex_hookspecs.sandbox import AdditionalPermissions, Launch, Permissions, SandboxPolicy
    from codex_hookspecs.tools import CommandApproval, ToolCall, ToolContext
    from codex_tool_exec.arguments import ExecCall
    from codex_tool_exec.commands import Command
    from codex_tool_exec.profile import Profiles


class Attempt:
    """A call of ``exec_command`` from its approval to the start of its process.

    :param requested_permissions: permissions that the call requests beyond the thread's policy.
    :ivar sandboxed: whether the command runs under the thread's sandbox policy.
    """

    def __init__(
        self,
        command: Command,
        exec_call: ExecCall,
        call: ToolCall,
        context: ToolContext,
        environment: Environment,
        *,
        requested_permissions: AdditionalPermissions | None = None,
    ) -> None:
        self.command = command
        self.exec_call = exec_call
        self.call = call
        self.context = context
        self.environment = environment
        self._proxies = managed_proxies(context.thread.config.get)
        self.sandboxed = context.settings.sandbox.needs_sandbox or self._proxies is not None
        self._granted: AdditionalPermissions | None = None
        self.request = CommandRequest(
            item_id=call.call_id,
            command=command.line,
            argv=command.argv,
            cwd=command.cwd,
            shell=command.user_shell,
            escalated=exec_call.escalated,
            additional=requested_permissions,
            justification=exec_call.justification,
            prefix_rule=exec_call.prefix_rule,
            actions=command.actions,
            tty=exec_call.tty,
        )

    def item(self, number: int) -> CommandExecution:
        """Build the item of the command at its start."""
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
        """Request the approval of the command; when the user declines, the item is completed as declined.

        No approval is requested for a command that can't be started.

        :raises ToolRejected: when the command is not approved.
        :raises ToolError: when it can't be started.
        """
        if self.command.too_long:
            error = ExecError("Argument list too long (os error 7)", code=-32603)
            raise await self.report_not_started(error, self.item(0), announced=False)
        try:
            approval = await self.context.approve_command(self.call, self.request)
        except ToolRejected as error:
            if error.kind == "no_escalation":
                raise
            if error.kind != "forbidden":
                await self._report_refused("failed" if error.kind == "unanswered" else "declined")
            raise error.with_message(failed_text(self.command.line, str(error))) from error
        self.sandboxed = self.sandboxed and not approval.unsandboxed
        self._granted = approval.additional
        return approval

    async def start(self, number: int, profiles: Profiles | None) -> tuple[ExecProcess, Launch | None]:
        """Start the command, under the thread's sandbox policy unless it was approved to run without.

        :param profiles: profiles of the thread's login shells; with ``None`` each command runs its shell's profile.
        :return: the process, and its sandbox if it was started by a launcher of this program.
        :raises ExecError: when it can't be started.
        :raises SandboxUnavailable: when no launcher can enforce the policy.
        """
        command = self.command
        if profiles is not None and self.exec_call.login:
            command = await self._with_profile(profiles)
        command = command._replace(env=with_programs(command.env, await program_folder(self.context, self.environment)))
        return await self._launch(command, f"{number}-{uuid4()}", sandboxed=self.sandboxed, tty=self.exec_call.tty)

    async def _with_profile(self, profiles: Profiles) -> Command:
        """Return the command with the variables of the shell's profile, so that it need not run the profile itself."""
        command = self.command
        shell, _, script = command.argv
        sandboxed = self.context.settings.sandbox.needs_sandbox or self._proxies is not None

        async def start(look: str) -> tuple[ExecProcess, Launch | None]:
            plain = command._replace(argv=(shell, "-lc", look), cwd=self.context.settings.cwd)
            return await self._launch(plain, f"profile-{uuid4()}", sandboxed=sandboxed, tty=False)

        own = set(read_environ_policy(self.context.thread.config).set)
        if self._proxies is not None:
            own.update(name for name in (*command.env, *self._proxies) if name.upper().endswith("_PROXY"))
        changes = await profiles.changes(self.environment.id, shell, command.env, start, own=frozenset(own))
        if changes is None:
            return command
        # For a remote environment, the changes contain the variables that its shells start with.
        return command._replace(argv=(shell, "-c", script), env=changes.apply_to(command.env), policy=None)

    async def _launch(
        self, command: Command, process_id: str, *, sandboxed: bool, tty: bool
    ) -> tuple[ExecProcess, Launch | None]:
        context, remote = self.context, self.environment.remote
        policy, more, env = context.settings.sandbox, self._granted, command.env
        if sandboxed and remote and not self._policy().network_access:
            env = {**env, "CODEX_SANDBOX_NETWORK_DISABLED": "1"}
        params = ExecParams(
            process_id=process_id,
            argv=command.argv,
            cwd=command.cwd,
            env=env,
            env_policy=command.policy,
            tty=tty,
            sandbox=policy if sandboxed and remote else None,
            additional=more if sandboxed and remote else None,
            sandbox_cwd=context.settings.cwd,
            metadata={"threadId": context.thread.id, "toolCallId": self.call.call_id},
        )
        if sandboxed and remote and self._proxies is not None:
            raise SandboxUnavailable(
                "the command was not run: its network is managed, and the proxies of this machine can't be reached "
                "from another one; switch features.network_proxy off"
            )
        if not sandboxed or remote:
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
        """Return the thread's policy with the granted permissions, as far as the legacy form can express them."""
        policy = self.context.settings.sandbox
        if self._granted is None:
            return policy
        from codex_sandboxing.additional import effective_legacy

        return effective_legacy(policy, self._granted)

    def _permissions(self) -> Permissions | None:
        """Return the thread's policy with the granted permissions, in the form that can express all of them."""
        if self._granted is None:
            return None
        from codex_hookspecs.sandbox import Permissions
        from codex_sandboxing.additional import effective_file_system, effective_network
        from codex_sandboxing.legacy import to_split

        split = to_split(self.context.settings.sandbox)
        return Permissions(
            effective_file_system(split.file_system, self._granted), effective_network(split.network, self._granted)
        )

    async def report_not_started(
        self, error: ExecError | SandboxUnavailable, item: CommandExecution, *, announced: bool
    ) -> ToolError:
        """Complete the item of a command that could not be started, and return the error for the model.

        :param announced: whether the item was started already.
        """
        from attrs import evolve

        if isinstance(error, ExecError):
            where = f"exec-server rejected request ({error.code}): " if isinstance(error, ExecRejected) else ""
            reason = f"Failed to create unified exec process: {where}{error}"
            message = failed_text(item.command, reason)
        else:
            reason = str(error)
            message = f"exec_command failed for `{item.command}`: {reason}"
        if not announced:
            await self.context.start_item(item)
        failed = evolve(item, status="failed", aggregated_output=reason, exit_code=-1, duration_ms=0)
        await self.context.complete_item(failed)
        return ToolError(message)

    async def _report_refused(self, status: str) -> None:
        refused = CommandExecution(
            id=self.call.call_id,
            command=self.command.line,
            cwd=self.command.cwd,
            status=status,  # type: ignore[arg-type]
            command_actions=self.command.actions,
        )
        await self.context.complete_item(refused)


def failed_text(line: str, reason: str) -> str:
    """Build the error for the model about a command that did not run (text of Codex 0.118)."""
    rejected = f"Rejected({rust_debug(reason)})"
    return f"exec_command failed for `{line}`: CreateProcess {{ message: {rust_debug(rejected)} }}"
