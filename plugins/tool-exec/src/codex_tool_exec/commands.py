"""Make of a call what is to be run: shell, arguments, directory, environment."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from codex_hookspecs.environments import apply_policy
from codex_hookspecs.errors import FileSystemError, ToolError
from codex_tool_exec.actions import command_actions
from codex_tool_exec.environ import overlay, read_policy
from codex_tool_exec.quoting import join

if TYPE_CHECKING:
    from codex_hookspecs.environments import Environment, EnvironPolicy
    from codex_hookspecs.protocol import JsonObject
    from codex_hookspecs.tools import ToolContext
    from codex_tool_exec.calls import ExecCall

_SHELLS = ("bash", "zsh", "sh", "pwsh", "powershell", "cmd")
_SHELL_DIRECTORIES = ("/bin", "/usr/bin", "/usr/local/bin", "/opt/homebrew/bin")
_LAST_RESORT = "/bin/sh"
_LONGEST = {"linux": 131_071, "macos": 1_048_576, "windows": 32_766}
"""Most bytes of a script that systems let a shell be started with."""
_SHOWN = 2_000
"""Characters of a longer one that are shown."""


class Command(NamedTuple):
    """What is to be run.

    :param line: the arguments, shell-quoted.
    :param policy: which variables of its machine it gets beside ``env``; none when ``None``.
    :param actions: what it does, for display.
    :param own_shell: shell of the machine's user.
    :param too_long: its machine can't start it, so nobody has to take it apart.
    """

    argv: tuple[str, ...]
    line: str
    cwd: str
    env: dict[str, str]
    policy: EnvironPolicy | None
    actions: tuple[JsonObject, ...]
    own_shell: str
    too_long: bool = False


async def make_command(
    wanted: ExecCall, environment: Environment, context: ToolContext, environ: Mapping[str, str]
) -> Command:
    """Return what a call wants to be run in an environment.

    :param environ: environment variables of the program.
    :raises ToolError: when it names a shell that another machine's user does not use.
    """
    facts = await environment.facts()
    env, policy = overlay(context.thread.id), read_policy(context.thread.config)
    if not environment.remote:  # Another machine begins with its own variables.
        env = {**apply_policy(environ, policy), **env}
    shell = facts.shell
    if wanted.shell is not None and environment.remote:
        if _name(wanted.shell) != _name(shell):
            raise ToolError(f"environment `{environment.id}` only supports `{_name(shell)}`")
    elif wanted.shell is not None:
        shell = await _find_shell(wanted.shell, facts.shell, environment, env.get("PATH", ""))
    argv = shell_argv(shell, wanted.cmd, login=wanted.login)
    cwd = context.settings.cwd
    if wanted.workdir is not None:
        cwd = posixpath.join(cwd, wanted.workdir)
    size, longest = len(wanted.cmd), _LONGEST.get(facts.os, _LONGEST["linux"])
    too_long = 4 * size > longest and len(wanted.cmd.encode("utf-8", "surrogatepass")) > longest
    shown = f"{wanted.cmd[:_SHOWN]} … ({size - _SHOWN} more characters)" if too_long else wanted.cmd
    return Command(
        argv=argv,
        line=join((*argv[:-1], shown)),
        cwd=cwd,
        env=env,
        policy=policy if environment.remote else None,
        actions=({"type": "unknown", "command": shown},) if too_long else command_actions(shown),
        own_shell=facts.shell,
        too_long=too_long,
    )


def shell_argv(shell: str, script: str, *, login: bool) -> tuple[str, ...]:
    """Return the arguments that have a shell run a script."""
    name = _name(shell)
    if name in ("pwsh", "powershell"):
        return (shell, "-Command", script) if login else (shell, "-NoProfile", "-Command", script)
    if name == "cmd":
        return (shell, "/c", script)
    return (shell, "-lc" if login else "-c", script)


async def _find_shell(wanted: str, default: str, environment: Environment, path: str) -> str:
    """Return the shell that a model means: as named, the user's of that kind, one on the path, else the plainest."""
    name = _name(wanted)
    if name not in _SHELLS:
        return _LAST_RESORT
    candidates = [wanted] if "/" in wanted or "\\" in wanted else []
    if _name(default) == name:
        candidates.append(default)
    folders = [folder for folder in path.split(":") if folder.startswith("/")]
    candidates += [posixpath.join(folder, name) for folder in (*folders, *_SHELL_DIRECTORIES)]
    for candidate in dict.fromkeys(candidates):
        if candidate == default:
            return default
        try:
            if (await environment.files.metadata(candidate)).is_file:
                return candidate
        except FileSystemError:
            continue
    return _LAST_RESORT


def _name(shell: str) -> str:
    return shell.replace("\\", "/").rpartition("/")[2].lower().removesuffix(".exe")
