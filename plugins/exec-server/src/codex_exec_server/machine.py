"""The machine that a server serves: its environment, its facts, the sessions on it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from anyio import create_task_group

from codex_exec_server.sandbox import everything
from codex_exec_server.sessions import RETENTION_SECONDS, Sessions
from codex_hookspecs.errors import ConfigError, SandboxUnavailable
from codex_hookspecs.sandbox import Launch, LaunchRequest, SandboxPolicy

if TYPE_CHECKING:
    from codex_exec_server.boxed import BoxedFiles
    from codex_exec_server.sandbox import Wanted
    from codex_hookspecs.environments import Environment, FileSystem
    from codex_hookspecs.host import Host
    from codex_sandboxing.file_scope import PolicyFileScope
    from codex_sandboxing.resolved import ResolvedPolicy


class Closable(Protocol):
    """What may be lost: a connection or a session."""

    async def aclose(self) -> None:
        """Let go of it."""
        ...


class ServedMachine:
    """What every connection works on.

    :param concurrent: requests of one connection that may wait at the same time.
    :param retention: seconds that ended processes and lost sessions are kept.
    """

    def __init__(
        self, host: Host, environment: Environment, *, concurrent: int, retention: float = RETENTION_SECONDS
    ) -> None:
        self.environment = environment
        self.environ: Mapping[str, str] = host.environ
        self.version = host.version
        self.codex_home = host.codex_home
        self.concurrent = concurrent
        self.sessions = Sessions(environment.exec, retention, self.end)
        self.info: dict[str, Any] | None = None
        self.provider_id = f"sha256:{hashlib.sha256(os.uname().nodename.encode()).hexdigest()}"
        self._host = host
        self._endings = create_task_group()

    def end(self, lost: Closable) -> None:
        """Close what nobody uses any more, while the server goes on."""
        self._endings.start_soon(self._end, lost)

    async def _end(self, lost: Closable) -> None:
        try:
            await lost.aclose()
        except Exception:
            # One client's leftovers are not to take down the server.
            self._host.logger("exec-server").exception("closing a lost %s failed", type(lost).__name__)

    def launch(
        self,
        argv: tuple[str, ...],
        cwd: str,
        env: dict[str, str],
        wanted: Wanted | None,
        *,
        tty: bool = False,
        proxy_ports: Collection[int] | None = None,
    ) -> Launch:
        """Return how to run a command so that a policy holds.

        :param proxy_ports: of the network it can reach the proxies at these ports alone.
        :raises SandboxUnavailable: when nothing can hold it.
        """
        managed = proxy_ports is not None
        if wanted is None:
            wanted = everything(cwd)
        try:
            policy = wanted.legacy(wanted.resolved(env))
        except ConfigError as error:
            raise SandboxUnavailable(f"the command was not run: {error}") from error
        if not policy.needs_sandbox and not managed:
            return Launch(argv=argv, env=env)
        if proxy_ports is not None:
            from codex_sandboxing.managed_network import proxies_at

            env = proxies_at(proxy_ports, env)
            if policy.kind == "externalSandbox":  # Where files are held by another sandbox, this one is not.
                policy = SandboxPolicy("dangerFullAccess")
        request = LaunchRequest(
            argv=argv,
            cwd=cwd,
            env=env,
            policy=policy,
            permissions=wanted.permissions,
            policy_cwd=wanted.cwd,
            project_roots=wanted.roots,
            tty=tty,
            managed_network=managed,
        )
        return self._host.launcher(policy).launch(request)

    def files(self, wanted: Wanted | None, *, writes: bool, whole: bool = True) -> FileSystem | BoxedFiles:
        """Return the files as a policy lets them be used.

        Where everything can be read, each use is checked on what was opened, which costs nothing. Other policies are
        held by a program inside of the sandbox.

        :param writes: they are not only looked at.
        :param whole: each use is over when it returns; otherwise files are kept open.
        :raises SandboxUnavailable: when the policy makes no sense here.
        """
        if wanted is None:
            return self.environment.files
        try:
            resolved = wanted.resolved(self.environ)
        except ConfigError as error:
            raise SandboxUnavailable(str(error)) from error
        if resolved.full_write or (resolved.full_read and not writes):
            return self.environment.files
        if resolved.full_read and whole:
            return self.environment.files.within(self._scope(wanted, resolved))
        from codex_exec_server.boxed import BoxedFiles

        return BoxedFiles(self.environment.exec, self.launch, self.environ, wanted, resolved)

    def _scope(self, wanted: Wanted, resolved: ResolvedPolicy) -> PolicyFileScope:
        """Return what a policy lets be written, as a launcher would lay it out."""
        from codex_sandboxing.file_scope import PolicyFileScope
        from codex_sandboxing.linux.disk_plan import plan_filesystem

        layout = plan_filesystem(resolved, "exec-server", self.codex_home)
        closed = (*layout.kept, *layout.missing)
        return PolicyFileScope(wanted.legacy(resolved), wanted.cwd, layout.writable, closed)
