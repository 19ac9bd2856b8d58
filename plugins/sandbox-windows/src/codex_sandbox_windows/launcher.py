"""The sandbox launcher that has commands run by a runner as the sandbox user."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import Any

from codex_hookspecs.errors import SandboxUnavailable
from codex_hookspecs.sandbox import Launch, LaunchRequest
from codex_sandbox_windows.bridge import BridgeRequest
from codex_sandboxing.core_form import write_policy
from codex_sandboxing.own_places import is_closed, libraries, own_places
from codex_sandboxing.protected_paths import protected_paths
from codex_sandboxing.requests import enforced, resolved
from codex_sandboxing.resolved import ResolvedPolicy

_HELP = "or allow full access with --sandbox danger-full-access if this machine is disposable"


class WindowsLauncher:
    """Enforces policies with a dedicated user and a restricted token.

    :param settings: the table ``[plugins.sandbox-windows]``.
    :param codex_home: ``$CODEX_HOME``.
    """

    name = "windows"

    def __init__(self, settings: Mapping[str, Any], codex_home: str) -> None:
        self._settings = settings
        self._codex_home = codex_home

    def launch(self, request: LaunchRequest) -> Launch:
        """Return how to run a command so that its policy is enforced.

        :raises SandboxUnavailable: when it can't be enforced here.
        """
        files = resolved(request)
        reason = self._refusal(request, files)
        if reason is not None:
            raise SandboxUnavailable(
                f"the command was not run: sandbox-windows can't enforce the sandbox policy {request.policy.mode}: "
                f"{reason}; {_HELP}"
            )
        named = [*map(os.path.realpath, files.named_roots)]
        real = dict.fromkeys(map(os.path.realpath, files.writable_roots))
        writable = tuple(root for root in real if not is_closed(root, named, libraries()))
        read_only = [path for root in writable for path in protected_paths(root, named)]
        read_only += (rule.path for root in files.writable_roots for rule in files.read_only_subpaths(root))
        own = [place for place in own_places(self._codex_home) if place not in writable]
        read_only += [place for root in writable for place in own if _is_inside(place, root)]
        bridge_request = BridgeRequest(
            user=self._settings["user"],
            password_file=self._settings["password_file"],
            codex_home=self._codex_home,
            policy=json.dumps(write_policy(request.policy)),
            policy_cwd=request.policy_cwd or request.cwd,
            writable=writable,
            read_only=tuple(dict.fromkeys(read_only)),
            tty=request.tty,
        )
        argv = (sys.executable, "-I", "-m", "codex_sandbox_windows.bridge", bridge_request.text(), "--", *request.argv)
        return Launch(argv=argv, env=request.env, sandbox_type="windowsRestrictedToken")

    def _refusal(self, request: LaunchRequest, files: ResolvedPolicy) -> str | None:
        for name in ("user", "password_file"):
            if not isinstance(self._settings.get(name), str) or not self._settings[name]:
                return f"no sandbox user is set up (plugins.sandbox-windows.{name} is missing)"
        if not files.full_read:
            return "it denies reading, which a restricted token can't"
        if files.full_write:
            return "it lets everything be written, which the sandbox user can't"
        if request.managed_network:
            return "it needs the proxies of a managed network"
        if enforced(request).network == "restricted" and self._settings.get("network_blocked") is not True:
            return (
                "it allows no network; block the sandbox user in the firewall, "
                "then set plugins.sandbox-windows.network_blocked = true"
            )
        return None


def _is_inside(path: str, root: str) -> bool:
    return path.startswith(root.rstrip(os.sep) + os.sep)
