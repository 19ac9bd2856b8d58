"""Start a command for a client in the default environment, under a sandbox policy."""

from __future__ import annotations

import os
import posixpath
from errno import ENOENT
from typing import TYPE_CHECKING, NamedTuple

from codex_hookspecs.environments import EnvironPolicy, ExecParams, apply_policy, read_environ_policy, start_launched
from codex_hookspecs.errors import ExecError, RpcError, SandboxUnavailable
from codex_hookspecs.jsonrpc import INTERNAL_ERROR
from codex_hookspecs.protocol import uuid4
from codex_hookspecs.sandbox import LaunchRequest
from codex_sandboxing.app_server_form import read_policy
from codex_sandboxing.core_form import sandbox_of
from codex_sandboxing.devices import wanted_devices
from codex_sandboxing.managed_network import managed_proxies

if TYPE_CHECKING:
    from collections.abc import Mapping

    from codex_app_server.commands.request import Streaming
    from codex_hookspecs.environments import Environment, ExecProcess
    from codex_hookspecs.protocol import CommandExecParams
    from codex_hookspecs.sandbox import Launch, SandboxPolicy
    from codex_hookspecs.surface import SurfaceHost


class _Place(NamedTuple):
    """Where and how restricted a command runs."""

    environment: Environment
    workspace: str
    policy: SandboxPolicy


async def start_command(
    params: CommandExecParams, streaming: Streaming, host: SurfaceHost
) -> tuple[ExecProcess, Launch | None]:
    """Start a command.

    Without a policy of the client, that of the configuration applies; the workspace of either is the directory of this
    program, as in Codex. The environment variables are selected as for commands of threads, then changed as the client
    says.

    :return: the process, and its sandbox if a launcher of this program started it.
    :raises RpcError: when it can't be started.
    """
    environment = await host.environments.get()
    workspace = (await environment.facts()).cwd if environment.remote else host.cwd
    if params.sandbox_policy is None:
        policy = sandbox_of(host.config.table, workspace)
    else:
        policy = _policy(params.sandbox_policy)
    try:
        return await _start(params, streaming, _Place(environment, workspace, policy), host)
    except (ExecError, SandboxUnavailable) as error:
        raise RpcError(f"failed to spawn command: {error}", code=INTERNAL_ERROR) from error


def _policy(document: object) -> SandboxPolicy:
    from codex_hookspecs.wire import encode

    policy = read_policy(encode(document))
    if policy.readable_roots is not None:
        raise RpcError("sandboxPolicy: restricted read access is not supported; use `fullAccess`")
    return policy


async def _start(
    params: CommandExecParams, streaming: Streaming, place: _Place, host: SurfaceHost
) -> tuple[ExecProcess, Launch | None]:
    (environment, workspace, policy), config = place, host.config
    if not params.command[0]:
        raise ExecError("missing program for pipe spawn")
    selected, env = _variables(params.env or {}, read_environ_policy(config.table), environment, host)
    proxies, remote = managed_proxies(config.get), environment.remote
    sandboxed = policy.needs_sandbox or proxies is not None
    if remote and sandboxed and proxies is not None:
        raise SandboxUnavailable(
            "the network is managed, and the proxies of this machine can't be reached from another"
        )
    if sandboxed and remote and not policy.network_access:
        env["CODEX_SANDBOX_NETWORK_DISABLED"] = "1"
    command = ExecParams(
        process_id=f"command-{uuid4()}",
        argv=tuple(params.command),
        cwd=posixpath.join(workspace, params.cwd).rstrip("/") or "/" if params.cwd else workspace,
        env=env,
        env_policy=selected,
        tty=streaming.tty,
        pipe_stdin=streaming.stdin and not streaming.tty,
        rows=streaming.rows,
        columns=streaming.columns,
        sandbox=policy if sandboxed and remote else None,
        sandbox_cwd=workspace,
    )
    if remote or not sandboxed:
        return await environment.exec.start(command), None
    _require_program(command)
    request = LaunchRequest(
        argv=command.argv,
        cwd=command.cwd,
        env={**env, **(proxies or {})},
        policy=policy,
        policy_cwd=workspace,
        tty=streaming.tty,
        managed_network=proxies is not None,
        devices=wanted_devices(config.get, policy),
    )
    launch = host.launcher(policy).launch(request)
    return await start_launched(environment.exec, command, launch), launch


def _require_program(command: ExecParams) -> None:
    """Check that a program exists: the sandbox, which is started instead of it, could only print that it does not.

    :raises ExecError: when it does not.
    """
    from shutil import which

    name = command.argv[0]
    path = os.pathsep.join(
        os.path.join(command.cwd, each) for each in command.env.get("PATH", os.defpath).split(os.pathsep)
    )
    found = os.path.lexists(os.path.join(command.cwd, name)) if os.sep in name else which(name, path=path)
    if not found:
        raise ExecError(f"{os.strerror(ENOENT)} (os error {ENOENT})")


def _variables(
    changes: Mapping[str, str | None], policy: EnvironPolicy, environment: Environment, host: SurfaceHost
) -> tuple[EnvironPolicy | None, dict[str, str]]:
    """Return the policy for a remote environment, and the variables."""
    chosen = {name: value for name, value in changes.items() if value is not None}
    removed = [name for name, value in changes.items() if value is None]
    if not environment.remote:
        env = {**apply_policy(host.environ, policy), **chosen}
        for name in removed:
            env.pop(name, None)
        return None, env
    import attrs

    kept = {name: value for name, value in policy.set.items() if name not in removed}
    return attrs.evolve(policy, exclude=(*policy.exclude, *map(_literal, removed)), set=kept), chosen


def _literal(name: str) -> str:
    """Return a pattern that matches only a name."""
    from glob import escape

    return escape(name)
