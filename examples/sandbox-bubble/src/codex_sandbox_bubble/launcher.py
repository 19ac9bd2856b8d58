"""Wraps commands in bubblewrap, so that they see the disk as their policy says and no network."""

import os
import shutil

from codex_hookspecs.sandbox import Launch, LaunchRequest, SandboxUnavailable
from codex_sandboxing.linux.disk_plan import FilesystemPlan, plan_filesystem
from codex_sandboxing.linux.placeholders import Placeholders
from codex_sandboxing.linux.seccomp import filter_program
from codex_sandboxing.requests import enforced, resolved

NAME = "bubble"


class BubbleLauncher:
    """Enforces policies that let everything be read that they do not hide.

    :param home: ``$CODEX_HOME``, which commands can't write.
    """

    name = NAME

    def __init__(self, home: str) -> None:
        self._home = home

    def launch(self, request: LaunchRequest) -> Launch:
        bwrap = shutil.which("bwrap")
        if bwrap is None:
            raise SandboxUnavailable("the command was not run: bubble needs bwrap; install bubblewrap")
        plan = plan_filesystem(resolved(request), NAME, self._home)
        if plan.readable or plan.links or plan.opened or request.managed_network or request.devices:
            raise SandboxUnavailable(
                f"the command was not run: bubble can't enforce the policy {request.policy.mode} here: it restricts "
                "what can be read, keeps links, or uses proxies or devices; install another launcher"
            )
        network = enforced(request).network
        system_calls = seccomp_filter(network)
        held = Placeholders(plan.missing, NAME)

        arguments = ["--die-with-parent", "--unshare-user", "--unshare-pid", "--unshare-ipc", "--cap-drop", "ALL"]
        if not request.tty:
            arguments.append("--new-session")
        if network != "enabled":
            arguments.append("--unshare-net")
        arguments += [*mounts(plan, held.left_out), "--seccomp", str(system_calls), "--", *request.argv]
        env = request.env if network == "enabled" else {**request.env, "CODEX_SANDBOX_NETWORK_DISABLED": "1"}
        return Launch(
            argv=(bwrap, *arguments),
            env=env,
            sandbox_type="linuxSeccomp",
            descriptors=(system_calls,),
            on_started=lambda: os.close(system_calls),
            on_ended=held.release,
        )


def mounts(plan: FilesystemPlan, left_out: set[str]) -> list[str]:
    """Return what is mounted where; later mounts lie over earlier ones.

    :param left_out: paths that can't be created, so they need no placeholder.
    """
    arguments = ["--bind" if "/" in plan.writable else "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    for path in sorted({*plan.writable, *plan.kept} - {"/"} - left_out, key=lambda path: path.count("/")):
        arguments += ["--bind" if path in plan.writable else "--ro-bind", path, path]
    for path in plan.hidden:
        if os.path.isdir(path):
            arguments += ["--perms", "000", "--tmpfs", path, "--remount-ro", path]
        else:
            arguments += ["--ro-bind", os.devnull, path]
    return arguments


def seccomp_filter(network: str) -> int:
    """Return a descriptor that bwrap reads the filter of system calls from."""
    reader, writer = os.pipe()
    with open(writer, "wb") as file:
        file.write(filter_program("enabled" if network == "enabled" else "restricted", os.uname().machine))
    return reader
