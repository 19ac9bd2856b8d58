"""Find facts of a remote environment: from its server, or else by running a shell script there."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from codex_exec_remote.client import Client
from codex_exec_remote.protocol_versions import ProtocolError, decode_path
from codex_hookspecs.environments import EnvironmentFacts, EnvironPolicy, ExecBackend, ExecParams, OutputChunk
from codex_hookspecs.errors import EnvironmentLost, ExecError, FileSystemError, RpcError
from codex_hookspecs.protocol import JsonObject, uuid4

PROBE_SECONDS: Final = 10.0
_OS: Final = {"linux": "linux", "darwin": "macos", "macos": "macos", "windows": "windows"}
_SHELLS: Final = ("bash", "zsh", "sh", "dash", "ksh")
_PROBE: Final = """uname -s; pwd
entry=$( { getent passwd "$(id -u)" || grep "^[^:]*:[^:]*:$(id -u):" /etc/passwd; } 2>/dev/null )
home=${entry%:*}; echo "${home##*:}"; echo "${entry##*:}"; echo "${TMPDIR:-/tmp}"
"""
_RESOLVE: Final = 'realpath -- "$1" 2>/dev/null || readlink -f -- "$1" 2>/dev/null'


async def find_facts(client: Client, backend: ExecBackend) -> EnvironmentFacts:
    """Find the facts of the environment.

    :param backend: runs the script when the server provides no facts.
    :raises ExecError: when no facts can be found.
    """
    info = client.info
    if "shell" not in info:
        try:
            found = await client.call("environment/info", None)
        except RpcError:
            found = None
        info = found if isinstance(found, dict) else {}
    shell = info.get("shell")
    if isinstance(shell, dict) and isinstance(shell.get("path"), str):
        return decode_facts(info, shell["path"])
    output = await _run(backend, _PROBE)
    if not output:
        raise ExecError("the facts of the exec-server's machine can't be found: its shell printed nothing")
    return parse_probe(output)


def decode_facts(info: JsonObject, shell: str) -> EnvironmentFacts:
    """Decode the result of ``environment/info``."""
    home = _path(info.get("userHomeDir"), "/")
    listed = info.get("temporaryDirectories")
    first = listed[0] if isinstance(listed, list) and listed else None
    return EnvironmentFacts(
        os=_OS.get(str(info.get("platformOs", "linux")).lower(), "linux"),
        shell=shell,
        home=home,
        cwd=_path(info.get("cwd"), home),
        temporary_directory=_path(info.get("tempDir") or first, "/tmp"),  # noqa: S108
    )


def parse_probe(output: str) -> EnvironmentFacts:
    """Parse the output of the script."""
    system, cwd, home, shell, temporary, *_ = [*output.splitlines(), "", "", "", "", ""]
    return EnvironmentFacts(
        os=_OS.get(system.lower(), "linux"),
        shell=shell if shell.startswith("/") and shell.rpartition("/")[2] in _SHELLS else "/bin/sh",
        home=home or "/",
        cwd=cwd or "/",
        temporary_directory=temporary or "/tmp",  # noqa: S108
    )


async def resolve(path: str, backend: ExecBackend) -> str:
    """Resolve the symlinks of an existing path with a program of the environment.

    :raises FileSystemError: when that fails: an unresolved path could lead anywhere.
    """
    try:
        found = await _run(backend, _RESOLVE, path)
    except ExecError as error:
        raise FileSystemError(str(error), path=path) from error
    if not found.startswith("/"):
        raise FileSystemError("the exec-server's machine could not resolve the symlinks of the path", path=path)
    return found.removesuffix("\n")


async def _run(backend: ExecBackend, script: str, *arguments: str) -> str:
    params = ExecParams(
        process_id=f"facts-{uuid4()}",
        argv=("/bin/sh", "-c", script, "sh", *arguments),
        cwd="/",
        env={},
        env_policy=EnvironPolicy(inherit="core"),
    )
    process = await backend.start(params)
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            parts = [event.data async for event in process.events() if isinstance(event, OutputChunk)]
    except TimeoutError as error:
        await process.terminate()
        raise EnvironmentLost(f"a program on the exec-server's machine did not end in {PROBE_SECONDS:.0f} s") from error
    return b"".join(parts).decode("utf-8", "surrogateescape")


def _path(value: Any, default: str) -> str:
    if not isinstance(value, str):
        return default
    try:
        return decode_path(value)
    except ProtocolError:
        return default
