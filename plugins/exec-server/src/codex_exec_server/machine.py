"""The machine that a server serves: its environment, its facts, the sessions on it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from codex_exec_server.sessions import RETENTION_SECONDS, Sessions
from codex_hookspecs.types.sandbox import Launch, LaunchRequest

if TYPE_CHECKING:
    from codex_exec_server.sandbox import Wanted
    from codex_hookspecs.ports.environment import Environment
    from codex_hookspecs.ports.host import Host


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
        self.sessions = Sessions(environment.exec, retention)
        self.info: dict[str, Any] | None = None
        self.provider_id = f"sha256:{hashlib.sha256(os.uname().nodename.encode()).hexdigest()}"
        self._host = host

    def launch(self, argv: tuple[str, ...], cwd: str, env: dict[str, str], wanted: Wanted) -> Launch:
        """Return how to run a command so that a policy holds.

        :raises SandboxUnavailable: when nothing can hold it.
        """
        launcher = self._host.launcher(wanted.policy)
        return launcher.launch(LaunchRequest(argv=argv, cwd=cwd, env=env, policy=wanted.policy, policy_cwd=wanted.cwd))
