"""Build the command of a call: shell, arguments, working directory, environment variables."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from codex_hookspecs.environments import apply_policy, read_environ_policy
from codex_hookspecs.errors import FileSystemError, ToolError
from codex_tool_exec.command_actions import command_actions
from codex_tool_exec.environ import fixed_variables
from codex_tool_exec.quoting import join

if TYPE_CHECKING:
    from codex_hookspecs.environments import Environment, EnvironPolicy
    from codex_hookspecs.protocol import JsonObject
    from codex_hookspecs.tools import ToolContext
    from codex_tool_exec.arguments import ExecCall

_SHELLS = ("bash", "zsh", "sh", "pwsh", "powershell", "cmd")
_SHELL_DIRECTORIES = ("/bin", "/usr/bin", "/usr/local/bin", "/opt/homebrew/bin")
_LAST_RESORT = "/bin/sh"
_MAX_SCRIPT_BYTES = {"linux": 131_071, "macos": 1_048_576, "windows": 32_766}
"""Maximum size of a script argument by operating system."""
_MAX_SHOWN = 2_000
"""Number of characters that are shown of a script that is too long."""


class Command(NamedTuple):
    """A command to run.

    :param line: the arguments, shell-quoted.
    :param policy: which variables of the environment it inherits besides ``env``; none when ``None``.
    :param actions: what the command does, for display.
    :param user_shell: shell of the environment's user.
    :param too_long: whether the operating system can't start it, so that it is not analysed.
    """

    argv: tuple[str, ...]
    line: str
    cwd: str
    env: dict[str, str]
    policy: EnvironPolicy | None
    actions: tuple[JsonObject, ...]
    user_shell: str
    too_long: bool = False


async def build_command(
    exec_call: ExecCall, environment: Environment, context: ToolContext, environ: Mapping[str, str]
) -> Command:
    """Build the command of a call.

    :param environ: environment variables of the program.
    :raises ToolError: when it names a shell other than that of a remote environment's user.
    """
    facts = await environment.facts()
    env, policy = fixed_variables(context.thread.id), read_environ_policy(context.thread.config)
    if not environment.remote:  # A remote environment has its own variables.
        env = {**apply_policy(environ, policy), **env}
    shell = facts.shell
    if exec_call.shell is not None and environment.remote:
        if _name(exec_call.shell) != _name(shell):
            raise ToolError(f"environment `{environment.id}` only supports `{_name(shell)}`")
    elif exec_call.shell is not None:
        shell = await _find_shell(exec_call.shell, facts.shell, environment, env.get("PATH", ""))
    argv = shell_argv(shell, exec_call.cmd, login=exec_call.login)
    cwd = context.settings.cwd
    if exec_call.workdir is not None:
        cwd = posixpath.join(cwd, exec_call.workdir)
    size, longest = len(exec_call.cmd), _MAX_SCRIPT_BYTES.get(facts.os, _MAX_SCRIPT_BYTES["linux"])
    too_long = 4 * size > longest and len(exec_call.cmd.encode("utf-8", "surrogatepass")) > longest
    shown = f"{exec_call.cmd[:_MAX_SHOWN]} … ({size - _MAX_SHOWN} more characters)" if too_long else exec_call.cmd
    return Command(
        argv=argv,
        line=join((*argv[:-1], shown)),
        cwd=cwd,
        env=env,
        policy=policy if environment.remote else None,
        actions=({"type": "unknown", "command": shown},) if too_long else command_actions(shown),
        user_shell=facts.shell,
        too_long=too_long,
    )


def shell_argv(shell: str, script: str, *, login: bool) -> tuple[str, ...]:
    """Return the arguments for running a script in a shell."""
    name = _name(shell)
    if name in ("pwsh", "powershell"):
        return (shell, "-Command", script) if login else (shell, "-NoProfile", "-Command", script)
    if name == "cmd":
        return (shell, "/c", script)
    return (shell, "-lc" if login else "-c", script)


async def _find_shell(exec_call: str, default: str, environment: Environment, path: str) -> str:
    """Find the shell that the model names: by path, the user's of that kind, on ``PATH``, else ``/bin/sh``."""
    name = _name(exec_call)
    if name not in _SHELLS:
        return _LAST_RESORT
    candidates = [exec_call] if "/" in exec_call or "\\" in exec_call else []
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
