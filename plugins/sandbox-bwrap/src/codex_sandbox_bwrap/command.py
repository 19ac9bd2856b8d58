"""The command ``codex sandbox``: run one command under a policy, on this terminal, and return its exit status."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from codex_hookspecs.errors import ConfigError, SandboxUnavailable
from codex_hookspecs.sandbox import Launch, LaunchRequest
from codex_hookspecs.surface import escape_controls
from codex_sandbox_bwrap.options import UsageError, parse
from codex_sandbox_bwrap.policy_option import choose_policy
from codex_sandbox_bwrap.programs import NOT_FOUND, find_command
from codex_sandboxing.devices import wanted_devices
from codex_sandboxing.managed_network import managed_proxies
from codex_sandboxing.requests import enforced

if TYPE_CHECKING:
    from codex_hookspecs.host import Host
    from codex_hookspecs.sandbox import Permissions

_USAGE_ERROR = 2
_PLATFORMS = {"linux": "linux", "darwin": "macos", "win32": "windows"}


async def run(arguments: Sequence[str], host: Host) -> int:
    """Run a command under a policy and return its exit status, 128 + N for signal N.

    :raises ConfigError: for a wrong policy.
    :raises SandboxUnavailable: when nothing can enforce the policy.
    """
    try:
        options = parse(arguments)
    except UsageError as error:
        print(f"Error: {error}", file=sys.stderr)
        return _USAGE_ERROR
    here = _PLATFORMS.get(sys.platform, sys.platform)
    if options.platform != here:
        raise ConfigError(f"codex sandbox {options.platform} runs commands on {options.platform} only, this is {here}")
    chosen = choose_policy(options, host.config, host.cwd)
    proxies = managed_proxies(host.config.get)
    request = LaunchRequest(
        argv=options.command,
        cwd=host.cwd,
        env={**host.environ, **(proxies or {})},
        policy=chosen.policy,
        permissions=chosen.permissions,
        managed_network=options.proxy or proxies is not None,
        devices=wanted_devices(host.config.get, chosen.policy),
    )
    return await _run(request, host.cwd, host)


async def run_helper(arguments: Sequence[str], host: Host) -> int:
    """Run a command as ``codex-linux-sandbox`` does; see :func:`run`."""
    from codex_sandbox_bwrap.helper_command import parse_request

    request, cwd = parse_request(arguments, host)
    return await _run(request, cwd, host)


async def _run(request: LaunchRequest, cwd: str, host: Host) -> int:
    """Run a command on this terminal, sandboxed if its policy restricts anything."""
    name = request.argv[0]
    program = find_command(name, host.environ.get("PATH", ""), cwd)
    if isinstance(program, int):
        what = "command not found" if program == NOT_FOUND else "permission denied"
        print(f"codex: {what}: {name}", file=sys.stderr)
        return program
    plain = Launch(argv=(program, *request.argv[1:]), env=request.env, arg0=name)
    launch = _launch(request, host) if request.managed_network or needs_sandbox(enforced(request)) else plain
    import asyncio

    from codex_sandbox_bwrap.foreground import enter_foreground, leave_foreground, run_in_foreground

    mask = enter_foreground()
    try:
        await asyncio.sleep(0)  # A signal that was received before cancels this task here.
    except BaseException:
        leave_foreground(launch, mask)
        raise
    # Nothing else runs on the event loop from here on, so blocking calls are fine.
    return run_in_foreground(launch, cwd, mask)


def needs_sandbox(permissions: Permissions) -> bool:
    """Return whether a policy restricts anything."""
    return permissions.file_system.kind == "restricted" or permissions.network == "restricted"


def _launch(request: LaunchRequest, host: Host) -> Launch:
    """Return how to run a command under its policy.

    :raises SandboxUnavailable: when no launcher can enforce it; the message also says why bwrap can't.
    """
    host.on_warning(lambda text: print(f"warning: {escape_controls(text)}", file=sys.stderr))
    try:
        launch = host.launcher(request.policy).launch(request)
    except SandboxUnavailable as error:
        from codex_sandbox_bwrap.find_launcher import problem_for

        problem = problem_for(host) if sys.platform == "linux" else ""
        if not problem or problem in str(error):
            raise
        raise SandboxUnavailable(f"{error}; bwrap can't be used: {problem}") from error
    program = find_command(launch.argv[0], host.environ.get("PATH", ""), request.cwd)
    if "/" in launch.argv[0] or isinstance(program, int):
        return launch
    from attrs import evolve

    return evolve(launch, argv=(program, *launch.argv[1:]), arg0=launch.arg0 or launch.argv[0])
