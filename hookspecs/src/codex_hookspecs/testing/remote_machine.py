"""Have tests of whole turns work on another machine, when ``CODEX_TEST_REMOTE_ENV`` asks for it.

``1`` runs an exec-server as a process of its own, ``bwrap`` in a container of its own, which has its own host name and
shares this machine's files, network and process ids, because tests look at them; an address is that of a server that is
up already. Hosts that were given ``exec-local``, and programs that a project runs, work through it then.
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

VARIABLE: Final = "CODEX_TEST_REMOTE_ENV"
URL_VARIABLE: Final = "CODEX_EXEC_SERVER_URL"
LIMIT: Final = 20.0
"""Seconds after which the server has failed to start or end."""
_CONTAINER: Final = (
    *("bwrap", "--dev-bind", "/", "/", "--proc", "/proc"),
    *("--unshare-uts", "--unshare-ipc", "--hostname", "remote", "--die-with-parent"),
)


@contextmanager
def remote_machine(wanted: str = "1") -> Iterator[str]:
    """Run a server and give its address.

    :param wanted: how, as the variable says it.
    :raises ValueError: when it says something else.
    """
    if wanted.startswith(("ws://", "wss://")):
        yield wanted
        return
    if wanted not in ("1", "bwrap"):
        raise ValueError(f"{VARIABLE} is {wanted!r}, allowed are 1, bwrap and the address of a server")
    program = os.path.join(os.path.dirname(sys.executable), "codex")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("CODEX_", "OPENAI_"))}
    with (
        tempfile.TemporaryDirectory() as home,
        subprocess.Popen(
            [*(_CONTAINER if wanted == "bwrap" else ()), program, "exec-server", "--listen", "ws://127.0.0.1:0"],
            env={**inherited, "CODEX_HOME": home, "HOME": home},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        ) as process,
    ):
        try:
            yield _address(process)
        finally:
            process.terminate()
            try:
                process.wait(LIMIT)
            finally:
                process.kill()


def remote_url() -> str | None:
    """Return the address of the machine that the suite works on, ``None`` when it is this one."""
    return os.environ.get(URL_VARIABLE) or None if os.environ.get(VARIABLE, "").strip() else None


def with_remote(
    plugins: Sequence[object], environ: Mapping[str, str] | None
) -> tuple[list[object], dict[str, str] | None]:
    """Return plugins and variables of a host: one that knows only this machine works on the other one instead."""
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


def _address(process: subprocess.Popen[bytes]) -> str:
    assert process.stdout is not None
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        line = process.stdout.readline() if selector.select(LIMIT) else b""
    if not line:
        raise RuntimeError(f"the exec-server that {VARIABLE} asks for did not start")
    return line.decode().strip()
