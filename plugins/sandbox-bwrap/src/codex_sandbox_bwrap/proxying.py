"""Let a command without network access reach the proxies of its environment, and nothing else."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence

from codex_hookspecs.errors import SandboxUnavailable
from codex_sandbox_bwrap import relay
from codex_sandbox_bwrap.routes import KEYS, proxy_routes
from codex_sandboxing.linux.seccomp import filter_program

SEPARATOR = "\x1f"
_START_SECONDS = 10.0
_PREFIX = "codex-linux-sandbox-proxy-"


class ProxyBridges:
    """A process outside of the sandbox that connects Unix sockets to the proxies.

    :param env: environment whose variables name the proxies.
    :param home: ``$CODEX_HOME``; the sockets are below its ``tmp``.
    :raises SandboxUnavailable: when there are no proxies, or the process can't be started.
    """

    def __init__(self, env: Mapping[str, str], home: str) -> None:
        self._routes = proxy_routes(env)
        self._endpoints = list(dict.fromkeys((route.host, route.port) for route in self._routes))
        parent = f"{home}/tmp"  # noqa: S108
        os.makedirs(parent, 0o700, exist_ok=True)
        _remove_stale_folders(parent)
        self.folder = tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=parent)
        self._stdin: int | None = None
        try:
            self._stdin = self._start()
        except BaseException:
            self.close()
            raise

    def environment(self, env: Mapping[str, str]) -> dict[str, str]:
        """Return an environment without proxy variables; the relay inside the sandbox sets its own."""
        return {key: value for key, value in env.items() if key.upper() not in KEYS}

    def command(self, argv: Sequence[str]) -> list[str]:
        """Return a command line that runs a command behind the relay that connects local ports to the sockets."""
        numbers = {endpoint: str(index) for index, endpoint in enumerate(self._endpoints)}
        variables = [
            f"{each.key}={SEPARATOR.join((numbers[each.host, each.port], each.before, each.after))}"
            for each in self._routes
        ]
        program = filter_program("proxy", os.uname().machine).hex()
        words = ["inside", program, self.folder, str(len(self._endpoints)), *variables, "--", *argv]
        return [os.path.realpath(sys.executable), "-I", "-S", "-c", _source(), *words]

    def close(self) -> None:
        """End the process and remove the sockets."""
        if self._stdin is not None:
            os.close(self._stdin)
            self._stdin = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self) -> int:
        import select

        endpoints = [f"{host}:{port}" for host, port in self._endpoints]
        stdin, writer = os.pipe()
        ready, stdout = os.pipe()
        null = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.posix_spawn(
                sys.executable,
                [sys.executable, "-I", "-S", relay.__file__, "outside", self.folder, *endpoints],
                {},
                file_actions=[(os.POSIX_SPAWN_DUP2, mine, own) for mine, own in ((stdin, 0), (stdout, 1), (null, 2))],
                setsid=True,
            )
            os.close(stdout)
            stdout = -1
            if not select.select([ready], [], [], _START_SECONDS)[0] or not os.read(ready, 1):
                os.close(writer)
                raise SandboxUnavailable("the command was not run: the bridge to its proxies could not be started")
        finally:
            for descriptor in (stdin, ready, null, *([stdout] if stdout >= 0 else [])):
                os.close(descriptor)
        return writer


def _source() -> str:
    with open(relay.__file__, encoding="utf-8") as file:
        return file.read()


def _remove_stale_folders(parent: str) -> None:
    """Remove the folders of processes that no longer exist."""
    for name in os.listdir(parent):
        pid = name.removeprefix(_PREFIX).partition("-")[0]
        if name.startswith(_PREFIX) and pid.isdigit() and not os.path.exists(f"/proc/{pid}"):
            shutil.rmtree(f"{parent}/{name}", ignore_errors=True)
