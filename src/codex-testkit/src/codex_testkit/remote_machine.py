"""Run tests of whole turns in a remote environment, as selected by ``CODEX_TEST_REMOTE_ENV``.

=================  ====================================================================================================
``1``              an exec-server in a separate process
``bwrap``          one in a container: another host name, and a folder (:data:`OWN_FOLDERS`) that only it sees; other
                   files, network and process ids are this machine's, because tests look at them
``netns``          one in a separate network namespace
``0118``           one with the exec-server protocol of 0.118
``docker:NAME``    one in a running docker container that has ``codex``, with its own files
``ws://…``         a running server
=================  ====================================================================================================

Hosts with the plugin ``exec-local``, and programs run by a project, use it then.
"""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit

VARIABLE: Final = "CODEX_TEST_REMOTE_ENV"
URL_VARIABLE: Final = "CODEX_EXEC_SERVER_URL"
LIMIT: Final = 20.0
"""Time limit in seconds for the server to start or end."""
OWN_FOLDERS: Final = {"bwrap": "/mnt", "docker": "/tmp"}  # noqa: S108
"""Folders that the remote environment does not share with the local machine."""
HOST_NAME: Final = "remote"
_CONTAINER: Final = (
    *("bwrap", "--dev-bind", "/", "/", "--proc", "/proc", "--tmpfs", OWN_FOLDERS["bwrap"]),
    *("--unshare-uts", "--unshare-ipc", "--hostname", HOST_NAME, "--die-with-parent"),
)
_OTHER_NETWORK: Final = "codex_testkit.servers.network"
_SERVER_0118: Final = "codex_testkit.servers.exec_server_0118"
_UNTIL_HANG_UP: Final = '"$@" & child=$!; cat > /dev/null; kill $child; wait $child'


@contextmanager
def remote_machine(wanted: str = "1") -> Iterator[str]:
    """Run a server and yield its address.

    :param wanted: value of the variable.
    :raises ValueError: for any other value.
    """
    if wanted.startswith(("ws://", "wss://")):
        yield wanted
        return
    way, _, name = wanted.partition(":")
    if wanted not in ("1", "bwrap", "netns", "0118") and not (way == "docker" and name):
        allowed = "1, bwrap, netns, 0118, docker:NAME and the address of a server"
        raise ValueError(f"{VARIABLE} is {wanted!r}, allowed are {allowed}")
    if way == "docker":
        with _server(_in_docker(name), os.environ, until_hang_up=True) as address:
            yield f"ws://{_docker_host(name)}:{urlsplit(address).port}"
        return
    inherited = {each: value for each, value in os.environ.items() if not each.startswith(("CODEX_", "OPENAI_"))}
    with tempfile.TemporaryDirectory() as home:
        codex = os.path.join(os.path.dirname(sys.executable), "codex")
        program = [codex, "exec-server", "--listen", "ws://127.0.0.1:0"]
        before = {"bwrap": _CONTAINER, "netns": (sys.executable, "-m", _OTHER_NETWORK)}.get(way, ())
        command = [sys.executable, "-m", _SERVER_0118] if way == "0118" else [*before, *program]
        with _server(command, {**inherited, "CODEX_HOME": home, "HOME": home}) as address:
            yield address


def own_folder(wanted: str) -> str | None:
    """Return a folder that is not shared with the local machine, ``None`` if all files are shared."""
    return OWN_FOLDERS.get(wanted.partition(":")[0])


def remote_url() -> str | None:
    """Return the address of the remote environment of this test run, ``None`` for the local one."""
    return os.environ.get(URL_VARIABLE) or None if os.environ.get(VARIABLE, "").strip() else None


def with_remote(
    plugins: Sequence[object], environ: Mapping[str, str] | None
) -> tuple[list[object], dict[str, str] | None]:
    """Return plugins and variables of a host, with the local environment replaced by the remote one."""
    url = remote_url()
    given = None if environ is None else dict(environ)
    modules = {_module(plugin) for plugin in plugins}
    if url is None or "codex_exec_local.plugin" not in modules or "codex_exec_remote.plugin" in modules:
        return list(plugins), given
    from importlib import import_module

    remote = ("exec-remote", import_module("codex_exec_remote.plugin"))
    return [*plugins, remote], {URL_VARIABLE: url, **(given or {})}


def _module(plugin: object) -> str:
    module = plugin[1] if isinstance(plugin, tuple) else plugin
    return str(getattr(module, "__name__", ""))


@contextmanager
def _server(command: Sequence[str], environ: Mapping[str, str], *, until_hang_up: bool = False) -> Iterator[str]:
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=dict(environ), stdin=pipe, stdout=pipe) as process:
        try:
            yield _address(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            if not until_hang_up:
                process.terminate()
            try:
                process.wait(LIMIT)
            finally:
                process.kill()


def _address(process: subprocess.Popen[bytes]) -> str:
    assert process.stdout is not None
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        line = process.stdout.readline() if selector.select(LIMIT) else b""
    if not line:
        raise RuntimeError(f"the exec-server that {VARIABLE} asks for did not start")
    return line.decode().strip()


def _in_docker(name: str) -> list[str]:
    """Return a command that runs a server in a container until its standard input is closed."""
    server = ["codex", "exec-server", "--listen", "ws://0.0.0.0:0"]
    return ["docker", "exec", "-i", name, "sh", "-c", _UNTIL_HANG_UP, "sh", *server]


def _docker_host(name: str) -> str:
    form = "{{range .NetworkSettings.Networks}}{{.IPAddress}}\n{{end}}"
    asked = ["docker", "inspect", "--format", form, name]
    told = subprocess.run(asked, capture_output=True, text=True, timeout=LIMIT, check=True).stdout.split()
    return told[0] if told else "127.0.0.1"  # The container uses the host's network.
