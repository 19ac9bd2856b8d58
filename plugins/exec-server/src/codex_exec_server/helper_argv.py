"""Recover the sandbox policy from a command line: clients of 0.118 prefix commands with their sandbox helper."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from codex_exec_server.decoding import invalid_params
from codex_exec_server.sandbox import SandboxRequest
from codex_hookspecs.errors import ConfigError
from codex_sandboxing.linux.helper_argv import is_helper, read_helper_call

_EVERY_PORT = range(1, 65536)


class Unwrapped(NamedTuple):
    """A command without the helper in front, and the policy that the helper's options describe.

    :param proxy_ports: loopback ports of the proxies that are the only network it may reach, or ``None`` when the
        network is not managed.
    """

    argv: tuple[str, ...]
    sandbox: SandboxRequest
    proxy_ports: Collection[int] | None


def unwrap(argv: tuple[str, ...], cwd: str, env: Mapping[str, str]) -> Unwrapped | None:
    """Parse the command line of a sandbox helper, ``None`` for other programs.

    The helper exists on the client's machine only, so the server enforces the policy itself.

    :raises RpcError: when the helper's options are invalid.
    """
    if not is_helper(argv[0]):
        return None
    try:
        call = read_helper_call(argv[1:], cwd, env)
    except ConfigError as error:
        raise invalid_params(str(error)) from error
    if call.inner:
        raise invalid_params("codex-linux-sandbox has --apply-seccomp-then-exec, which only a sandbox can ask for")
    return Unwrapped(
        call.command, SandboxRequest(call.permissions, call.policy_cwd, ()), _EVERY_PORT if call.managed else None
    )
