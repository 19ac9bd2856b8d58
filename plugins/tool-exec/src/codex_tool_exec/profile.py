"""Run the profile of a login shell once per thread and apply the variables that it sets to all commands.

A profile may be slow, print, or change the directory; commands need only its variables. These are kept in memory, where
no command can change them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from codex_hookspecs.environments import OutputChunk, ProcessExited
from codex_hookspecs.errors import ExecError, SandboxUnavailable
from codex_hookspecs.protocol import uuid4

if TYPE_CHECKING:
    from codex_hookspecs.environments import ExecProcess
    from codex_hookspecs.sandbox import Launch

LIMIT_SECONDS = 10.0
_MOST_BYTES = 1 << 20
_RUN_COMMANDS = {"bash": ".bashrc", "zsh": ".zshrc", "sh": None, "dash": None, "ksh": None}
"""Supported shells, and the file that each reads when it is interactive."""
_PROCESS_VARIABLES = frozenset(("_", "PWD", "OLDPWD", "SHLVL", "CODEX_SANDBOX", "CODEX_SANDBOX_NETWORK_DISABLED"))
"""Variables that belong to a single process."""

Start = Callable[[str], Awaitable[tuple["ExecProcess", "Launch | None"]]]


class ProfileChanges(NamedTuple):
    """The variables that a profile sets and removes."""

    set: Mapping[str, str]
    removed: frozenset[str]

    def apply_to(self, env: Mapping[str, str]) -> dict[str, str]:
        """Return the variables after the profile."""
        return {name: value for name, value in {**env, **self.set}.items() if name not in self.removed}


class Profiles:
    """The profiles of a thread's login shells."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], asyncio.Task[ProfileChanges | None]] = {}

    async def changes(
        self, environment: str, shell: str, env: Mapping[str, str], start: Start, *, own: frozenset[str]
    ) -> ProfileChanges | None:
        """Return the changes of a shell's profile, which is run on first use; ``None`` when that fails.

        :param environment: id of the environment.
        :param env: variables that the shell starts with, besides those of a remote environment.
        :param start: starts a script in a login shell, under the thread's sandbox policy.
        :param own: variables that are set for each process and not taken from the profile.
        """
        name = shell.rpartition("/")[2]
        if name not in _RUN_COMMANDS:
            return None
        key = (environment, shell)
        if key not in self._found:
            work = _run_profile(start, _RUN_COMMANDS[name], env, own | _PROCESS_VARIABLES)
            self._found[key] = asyncio.create_task(work, name=f"profile of {shell}")
        return await asyncio.shield(self._found[key])

    async def aclose(self) -> None:
        """Cancel running profiles."""
        for task in self._found.values():
            task.cancel()
        await asyncio.gather(*self._found.values(), return_exceptions=True)


async def _run_profile(
    start: Start, run_commands: str | None, env: Mapping[str, str], process_variables: frozenset[str]
) -> ProfileChanges | None:
    mark = f"{uuid4()}"
    script = f"printf '\\000%s\\000' {mark}; exec /usr/bin/env -0"
    if run_commands is not None:
        script = f'[ -r "$HOME/{run_commands}" ] && . "$HOME/{run_commands}" >/dev/null 2>&1 </dev/null; {script}'
    try:
        process, launch = await start(script)
    except (ExecError, SandboxUnavailable):
        return None
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            written = await _output(process)
    except TimeoutError:
        return None
    finally:
        await process.terminate()
        if launch is not None:
            launch.close()
    _, found, variables = written.rpartition(f"\0{mark}\0".encode())
    return _compare(env, variables, process_variables) if found else None


async def _output(process: ExecProcess) -> bytes:
    """Return the output of a process on stdout; empty when it fails or writes too much."""
    written = bytearray()
    async for event in process.events():
        if isinstance(event, OutputChunk) and event.stream == "stdout":
            written += event.data
            if len(written) > _MOST_BYTES:
                return b""
        elif isinstance(event, ProcessExited) and event.exit_code != 0:
            return b""
    return bytes(written)


def _compare(env: Mapping[str, str], variables: bytes, process_variables: frozenset[str]) -> ProfileChanges:
    pairs = (entry.partition("=") for entry in variables.decode("utf-8", "surrogateescape").split("\0") if entry)
    behind = {name: value for name, _, value in pairs if name not in process_variables}
    changed = {name: value for name, value in behind.items() if env.get(name) != value}
    return ProfileChanges(changed, frozenset(env.keys() - behind.keys() - process_variables))
