"""The command ``codex-linux-sandbox``: run one command under the policy that the command line gives."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

from codex_hookspecs.errors import ConfigError
from codex_hookspecs.sandbox import LaunchRequest
from codex_sandboxing.linux.helper_argv import HelperCall, read_helper_call
from codex_sandboxing.linux.seccomp import Mode, filter_program

if TYPE_CHECKING:
    from codex_hookspecs.host import Host


def parse_request(words: Sequence[str], host: Host) -> tuple[LaunchRequest, str]:
    """Return the launch request of a command line and the working directory of its command.

    Does not return for a call from inside a sandbox (``--apply-seccomp-then-exec``): it execs the command.

    :param words: what follows the helper's name.
    :raises ConfigError: when the command line is wrong.
    """
    call = read_helper_call(words, host.cwd, host.environ)
    if call.inner:
        _exec_inner(call)
    cwd = call.cwd if call.cwd is not None else host.cwd
    if not os.path.isdir(cwd):
        raise ConfigError(f"the command was not run: --command-cwd {cwd} is no directory")
    request = LaunchRequest(
        argv=call.command,
        cwd=cwd,
        env=dict(host.environ),
        policy=call.policy,
        permissions=call.permissions,
        policy_cwd=call.policy_cwd,
        managed_network=call.managed,
    )
    return request, cwd


def _exec_inner(call: HelperCall) -> NoReturn:
    """Exec the command with a system call filter; this process is already inside the sandbox."""
    from codex_sandbox_bwrap import relay

    mode: Mode = "proxy" if call.routes or call.managed else call.permissions.network
    program = filter_program(mode, os.uname().machine)
    if not call.routes:
        relay.exec_filtered(list(call.command), program)
    folder, count, variables = _route_variables(call)
    relay.inside(program, folder, count, variables, list(call.command))
    raise AssertionError("unreachable")


def _route_variables(call: HelperCall) -> tuple[str, int, list[str]]:
    """Return the folder of the proxy sockets, their number, and the variables as ``relay inside`` takes them."""
    from codex_sandbox_bwrap.proxying import SEPARATOR
    from codex_sandbox_bwrap.routes import proxy_routes

    found = {each.key: each for each in proxy_routes(os.environ)}
    sockets = list(dict.fromkeys(path for _, path in call.routes))
    folder = os.path.dirname(sockets[0])
    if sockets != [f"{folder}/proxy-route-{number}.sock" for number in range(len(sockets))]:
        raise ConfigError(f"--proxy-route-spec has the socket {sockets[0]}, expected proxy-route-0.sock and so on")
    missing = [key for key, _ in call.routes if key not in found]
    if missing:
        raise ConfigError(f"--proxy-route-spec has {missing[0]}, which names no proxy on this machine")
    lines = [
        f"{key}={SEPARATOR.join((str(sockets.index(path)), found[key].before, found[key].after))}"
        for key, path in call.routes
    ]
    return folder, len(sockets), lines
