"""Take a policy out of a command line: clients of the old dialect put the helper of their sandbox in front."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from codex_exec_server.decoding import wrong
from codex_exec_server.sandbox import Wanted
from codex_hookspecs.errors import ConfigError
from codex_sandboxing.linux.helper_argv import is_helper, read_helper_call

_EVERY_PORT = range(1, 65536)


class Unwrapped(NamedTuple):
    """A command without the helper.

    :param proxy_ports: ports of the only proxies that it may reach, ``None`` when the network is not managed.
    """

    argv: tuple[str, ...]
    wanted: Wanted
    proxy_ports: Collection[int] | None


def unwrap(argv: tuple[str, ...], cwd: str, env: Mapping[str, str]) -> Unwrapped | None:
    """Return what a helper's command line asks for, ``None`` for other programs.

    It is held here: the helper is a program of the client's machine.

    :raises RpcError: when the command line is wrong.
    """
    if not is_helper(argv[0]):
        return None
    try:
        call = read_helper_call(argv[1:], cwd, env)
    except ConfigError as error:
        raise wrong(str(error)) from error
    if call.inner:
        raise wrong("codex-linux-sandbox has --apply-seccomp-then-exec, which only a sandbox can ask for")
    return Unwrapped(call.command, Wanted(call.permissions, call.policy_cwd, ()), _EVERY_PORT if call.managed else None)
