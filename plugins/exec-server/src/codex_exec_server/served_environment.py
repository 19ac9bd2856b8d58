"""The environment that a server offers, with its sessions and its sandbox launcher."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from anyio import create_task_group

from codex_exec_server.sandbox import unrestricted_request
from codex_exec_server.sessions import RETENTION_SECONDS, Sessions
from codex_hookspecs.errors import ConfigError, SandboxUnavailable
from codex_hookspecs.sandbox import Launch, LaunchRequest, SandboxPolicy

if TYPE_CHECKING:
    from codex_exec_server.sandbox import SandboxRequest
    from codex_exec_server.sandboxed_files import SandboxedFiles
    from codex_hookspecs.environments import Environment, FileSystem
    from codex_hookspecs.host import Host
    from codex_sandboxing.file_scope import PolicyFileScope
    from codex_sandboxing.resolved import ResolvedPolicy


class Closeable(Protocol):
    """A connection or session, as far as closing it goes."""

    async def aclose(self) -> None:
        """Release everything it holds."""
        ...


class ServedEnvironment:
    """An environment, its sessions and its facts, as the handlers of requests use them.

    :param concurrent: maximum number of concurrent requests of a connection.
    :param retention: seconds for which exited processes and detached sessions are kept.
    """

    def __init__(
        self, host: Host, environment: Environment, *, concurrent: int, retention: float = RETENTION_SECONDS
    ) -> None:
        self.environment = environment
        self.environ: Mapping[str, str] = host.environ
        self.version = host.version
        self.codex_home = host.codex_home
        self.concurrent = concurrent
        self.sessions = Sessions(environment.exec, retention, self.close_later)
        self.info: dict[str, Any] | None = None
        self.provider_id = f"sha256:{hashlib.sha256(os.uname().nodename.encode()).hexdigest()}"
        self.logger = host.logger("exec-server")
        self._host = host
        self._closing_tasks = create_task_group()

    def close_later(self, lost: Closeable) -> None:
        """Close a lost connection or an expired session in the background."""
        self._closing_tasks.start_soon(self._close, lost)

    async def _close(self, lost: Closeable) -> None:
        try:
            await lost.aclose()
        except Exception:
            # A failure to close one client's resources must not stop the server.
            self.logger.exception("closing a lost %s failed", type(lost).__name__)

    def launch(
        self,
        argv: tuple[str, ...],
        cwd: str,
        env: dict[str, str],
        sandbox: SandboxRequest | None,
        *,
        tty: bool = False,
        proxy_ports: Collection[int] | None = None,
    ) -> Launch:
        """Prepare a command to run under a sandbox policy.

        :param sandbox: the policy; ``None`` for no restrictions.
        :param proxy_ports: loopback ports of the proxies that are the only network the command may reach, or ``None``
            when the network is not managed.
        :raises SandboxUnavailable: when no launcher can enforce the policy.
        """
        managed = proxy_ports is not None
        if sandbox is None:
            sandbox = unrestricted_request(cwd)
        try:
            policy = sandbox.to_legacy(sandbox.resolve(env))
        except ConfigError as error:
            raise SandboxUnavailable(f"the command was not run: {error}") from error
        if not policy.needs_sandbox and not managed:
            return Launch(argv=argv, env=env)
        if proxy_ports is not None:
            from codex_sandboxing.managed_network import proxies_at

            env = proxies_at(proxy_ports, env)
            if policy.kind == "externalSandbox":  # Another sandbox restricts the files; this one need not.
                policy = SandboxPolicy("dangerFullAccess")
        request = LaunchRequest(
            argv=argv,
            cwd=cwd,
            env=env,
            policy=policy,
            permissions=sandbox.permissions,
            policy_cwd=sandbox.cwd,
            project_roots=sandbox.roots,
            tty=tty,
            managed_network=managed,
        )
        return self._host.launcher(policy).launch(request)

    def files(
        self, sandbox: SandboxRequest | None, *, writes: bool, keep_open: bool = False
    ) -> FileSystem | SandboxedFiles:
        """Return the file system of the environment, restricted by a policy.

        Where a policy allows reading everything, each write is checked in this process, on the opened file, at no
        cost. All other restrictions are enforced by a helper program inside of a sandbox.

        :param sandbox: the policy; ``None`` for no restrictions.
        :param writes: whether files are to be changed.
        :param keep_open: whether files stay open after the call that opens them.
        :raises SandboxUnavailable: when the policy is not valid on this machine.
        """
        if sandbox is None:
            return self.environment.files
        try:
            resolved = sandbox.resolve(self.environ)
        except ConfigError as error:
            raise SandboxUnavailable(str(error)) from error
        if resolved.full_write or (resolved.full_read and not writes):
            return self.environment.files
        if resolved.full_read and not keep_open:
            return self.environment.files.within(self._write_scope(sandbox, resolved))
        from codex_exec_server.sandboxed_files import SandboxedFiles

        return SandboxedFiles(self.environment.exec, self.launch, self.environ, sandbox, resolved)

    def _write_scope(self, sandbox: SandboxRequest, resolved: ResolvedPolicy) -> PolicyFileScope:
        """Return the writable paths of a policy, as a sandbox launcher would mount them."""
        from codex_sandboxing.file_scope import PolicyFileScope
        from codex_sandboxing.linux.disk_plan import plan_filesystem

        layout = plan_filesystem(resolved, "exec-server", self.codex_home)
        closed = (*layout.kept, *layout.missing)
        return PolicyFileScope(sandbox.to_legacy(resolved), sandbox.cwd, layout.writable, closed)
