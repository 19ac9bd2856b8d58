"""The sandbox launcher that runs commands through ``apply.py``."""

from __future__ import annotations

import os
from collections.abc import Callable

from codex_hookspecs.errors import SandboxUnavailable
from codex_hookspecs.sandbox import Launch, LaunchRequest
from codex_sandbox_landlock.fallback_filter import fallback_filter
from codex_sandbox_landlock.kernel import APPLY, Kernel, kernel
from codex_sandbox_landlock.plan import NAME, plan
from codex_sandboxing.devices import devices_there
from codex_sandboxing.linux.placeholders import Placeholders
from codex_sandboxing.linux.seccomp import Mode, filter_program
from codex_sandboxing.requests import enforced, resolved

_NETWORK_VARIABLE = "CODEX_SANDBOX_NETWORK_DISABLED"
_LOADER_PREFIXES = ("LD_", "GLIBC_TUNABLES")
"""Variables that make the dynamic loader load files; ``apply.py`` must not load any that a command may have written."""


class LandlockLauncher:
    """Enforces policies with Landlock, namespaces and seccomp.

    :param unprotected: the setting ``plugins.sandbox-landlock.unprotected``.
    :param home: ``$CODEX_HOME``, which commands can't write.
    :param probe: returns what the kernel offers.
    """

    name = "landlock"

    def __init__(
        self, *, unprotected: bool = False, home: str | None = None, probe: Callable[[], Kernel] = kernel
    ) -> None:
        self._unprotected = unprotected
        self._home = home
        self._probe = probe

    def launch(self, request: LaunchRequest) -> Launch:
        """Return how to run a command so that its policy is enforced.

        :raises SandboxUnavailable: when it can't be enforced here.
        """
        policy = resolved(request)
        network = enforced(request).network == "enabled"
        if request.managed_network:
            raise SandboxUnavailable(
                "the command was not run: sandbox-landlock can't connect a command to the proxies of a managed "
                "network; install bubblewrap, or disable the managed network"
            )
        if network and policy.full_write and policy.writable_roots in {(), ("/",)}:
            return Launch(argv=request.argv, env=request.env)
        wanted = plan(
            policy,
            network=network,
            kernel=self._probe(),
            mode=request.policy.mode,
            unprotected=self._unprotected,
            home=self._home,
            devices=devices_there(request.devices) if request.devices else (),
        )
        operations = list(wanted.operations)
        machine = os.uname().machine
        mode: Mode = "enabled" if network else "restricted"
        operations.append(("filter", filter_program(mode, machine).hex()))
        if wanted.without_namespaces:
            operations.append(("filter", fallback_filter(machine, metadata=wanted.metadata).hex()))
        loader = {name: value for name, value in request.env.items() if name.startswith(_LOADER_PREFIXES)}
        operations += (("env", f"{name}={value}") for name, value in loader.items())
        placeholders = Placeholders(wanted.missing, NAME)
        kept = [each for each in operations if each[1] not in placeholders.left_out]
        return Launch(
            argv=(*APPLY, *(word for each in kept for word in each), "--", *request.argv),
            env=_environment(request.env, loader, network=network),
            sandbox_type="linuxSeccomp",
            on_ended=placeholders.release,
        )


def _environment(env: dict[str, str], loader: dict[str, str], *, network: bool) -> dict[str, str]:
    given = {name: value for name, value in env.items() if name not in loader}
    return given if network else {**given, _NETWORK_VARIABLE: "1"}
