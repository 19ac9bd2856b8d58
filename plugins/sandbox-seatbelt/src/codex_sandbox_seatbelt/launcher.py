"""Wrap commands in ``sandbox-exec`` with their policy."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, Literal

from codex_hookspecs.errors import SandboxUnavailable
from codex_hookspecs.sandbox import Launch, LaunchRequest
from codex_sandbox_seatbelt.network import NetworkAccess
from codex_sandbox_seatbelt.policy import seatbelt_policy
from codex_sandboxing.requests import enforced, resolved

PROGRAM = "/usr/bin/sandbox-exec"
"""The only path that is run; a program of that name on ``PATH`` could be anybody's."""

_CACHE_NAME = 65538
"""``_CS_DARWIN_USER_CACHE_DIR``"""


class SeatbeltLauncher:
    """Enforces policies with the sandbox of macOS.

    :param settings: the table ``[plugins.sandbox-seatbelt]``.
    :param home: ``$CODEX_HOME``, which commands can't write.
    :param exists: returns whether a program exists.
    """

    name = "seatbelt"

    def __init__(
        self, settings: Mapping[str, Any], *, home: str | None = None, exists: Callable[[str], bool] = os.path.exists
    ) -> None:
        self._settings = settings
        self._home = home
        self._exists = exists

    def launch(self, request: LaunchRequest) -> Launch:
        """Return how to run a command so that its policy is enforced.

        :raises SandboxUnavailable: when it can't be enforced here.
        """
        if not self._exists(PROGRAM):
            raise SandboxUnavailable(
                f"the command was not run: sandbox-seatbelt needs {PROGRAM}, which comes with macOS and is not there; "
                "allow full access with --sandbox danger-full-access if this machine is disposable"
            )
        files = resolved(request)
        enabled = enforced(request).network == "enabled"
        access = NetworkAccess(
            enabled=enabled,
            managed=request.managed_network,
            local_binding=self._settings.get("local_binding") is True,
            unix_sockets=_sockets(self._settings.get("unix_sockets", ())),
        )
        policy = seatbelt_policy(files, access, request.env, _user_cache(), request.macos, home=self._home)
        env = {**request.env, "CODEX_SANDBOX": "seatbelt"}
        if not enabled:
            env["CODEX_SANDBOX_NETWORK_DISABLED"] = "1"
        definitions = (f"-D{name}={value}" for name, value in policy.parameters)
        argv = (PROGRAM, "-p", policy.text, *definitions, "--", *request.argv)
        return Launch(argv=argv, env=env, sandbox_type="macosSeatbelt")


def _sockets(setting: object) -> tuple[str, ...] | Literal["all"]:
    if setting == "all":
        return "all"
    if isinstance(setting, (list, tuple)) and all(isinstance(path, str) for path in setting):
        return tuple(setting)
    raise SandboxUnavailable(
        f"the command was not run: plugins.sandbox-seatbelt.unix_sockets is {setting!r}; "
        'allowed are "all" and a list of absolute paths'
    )


def _user_cache() -> str:
    """Return the user's cache directory as macOS assigns it."""
    try:
        return os.path.realpath(os.confstr(_CACHE_NAME) or "/private/var/empty")
    except (OSError, ValueError):
        return "/private/var/empty"
