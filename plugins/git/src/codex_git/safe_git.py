"""Run git in a repository that may be hostile: nothing that its configuration names is executed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from codex_hookspecs.environments import (
    EnvironPolicy,
    ExecParams,
    OutputChunk,
    ProcessExited,
    ProcessFailed,
    apply_policy,
    read_environ_policy,
)
from codex_hookspecs.errors import ExecError
from codex_hookspecs.protocol import uuid4

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from codex_hookspecs.environments import Environment
    from codex_hookspecs.surface import SurfaceHost

MAX_BYTES: Final = 16 * 1024 * 1024
"""Maximum size of the output of one call."""
_MAX_FILTERS: Final = 200
_SETTINGS: Final = {
    "core.fsmonitor": "false",
    "core.hooksPath": "/dev/null",
    "core.pager": "cat",
    "core.quotePath": "true",
    "color.ui": "never",
    "diff.external": "",
    "diff.submodule": "short",
    "diff.noprefix": "false",
    "diff.mnemonicPrefix": "false",
    "safe.bareRepository": "explicit",
    "protocol.allow": "never",
}
_VARIABLES: Final = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
"""No repository is fetched from, nothing is written, nobody is asked."""


class GitError(Exception):
    """Raised when git fails, or gives more output than is allowed."""


class SafeGit:
    """Runs git in one directory of an environment.

    :param cwd: absolute directory.
    """

    def __init__(self, host: SurfaceHost, environment: Environment, cwd: str) -> None:
        self._host = host
        self._environment = environment
        self._cwd = cwd
        self._settings: dict[str, str] = dict(_SETTINGS)

    async def switch_filters_off(self) -> None:
        """Override the content filters of the repository's configuration, which are commands.

        :raises GitError: when there are too many.
        """
        listed = await self.run("config", "--null", "--name-only", "--get-regexp", r"^filter\..*", accepted=(0, 1))
        names = {key[len("filter.") : key.rindex(".")] for key in listed.split("\0") if key.count(".") >= 2}
        if len(names) > _MAX_FILTERS:
            raise GitError("too many content filters")
        for name in names:
            for key, value in (("clean", ""), ("smudge", ""), ("process", ""), ("required", "false")):
                self._settings[f"filter.{name}.{key}"] = value

    async def at_top(self) -> SafeGit:
        """Return the same at the top of the work tree.

        :raises GitError: when there is none.
        """
        top = (await self.run("rev-parse", "--show-toplevel")).removesuffix("\n")
        found = SafeGit(self._host, self._environment, top)
        found._settings = self._settings
        return found

    async def run(self, *arguments: str, accepted: Sequence[int] = (0,)) -> str:
        """Run git and return its output; bytes that are not UTF-8 are replaced.

        :param accepted: exit codes that are no failure.
        :raises GitError: when it fails, or gives too much output.
        """
        policy, env = self._variables()
        params = ExecParams(
            process_id=f"git-{uuid4()}",
            argv=("git", "--no-pager", *arguments),
            cwd=self._cwd,
            env=env,
            env_policy=policy,
        )
        try:
            process = await self._environment.exec.start(params)
        except ExecError as error:
            raise GitError(str(error)) from error
        output, size, code = [], 0, None
        try:
            async for event in process.events():
                if isinstance(event, OutputChunk) and event.stream == "stdout":
                    output.append(event.data)
                    size += len(event.data)
                    if size > MAX_BYTES:
                        raise GitError("too much output")
                elif isinstance(event, ProcessExited):
                    code = event.exit_code
                elif isinstance(event, ProcessFailed):
                    raise GitError(event.message)
        finally:
            await process.terminate()
        if code not in accepted:
            raise GitError(f"git {arguments[0]} exited with {code}")
        return b"".join(output).decode("utf-8", "replace")

    def _variables(self) -> tuple[EnvironPolicy | None, dict[str, str]]:
        """Return the policy for a remote environment, and the variables."""
        policy = read_environ_policy(self._host.config.table)
        own = {**_VARIABLES, **overriding_variables(self._settings)}
        if not self._environment.remote:
            kept = apply_policy(self._host.environ, policy)
            return None, {**{name: value for name, value in kept.items() if not name.startswith("GIT_")}, **own}
        import attrs

        return attrs.evolve(policy, exclude=(*policy.exclude, "GIT_*")), own


def overriding_variables(settings: Mapping[str, str]) -> dict[str, str]:
    """Return environment variables that override settings of all configuration files."""
    found = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings.items()):
        found[f"GIT_CONFIG_KEY_{number}"], found[f"GIT_CONFIG_VALUE_{number}"] = key, value
    return found
