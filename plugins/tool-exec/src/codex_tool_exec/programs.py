"""Put the programs that tools provide on the ``PATH`` of commands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from codex_hookspecs.environments import Environment
    from codex_hookspecs.tools import ToolContext


async def program_folder(context: ToolContext, environment: Environment) -> str | None:
    """Return the directory with programs for commands; ``None`` when there is none, or commands could write it."""
    folder = None if environment.remote else context.program_folder()
    if folder is None or context.settings.sandbox.unrestricted:
        return folder
    from codex_sandboxing.file_scope import scope_of
    from codex_sandboxing.writable_roots import real_path

    scope = await scope_of(environment, context.settings)
    if scope.may_write(await real_path(folder, environment.files)):
        return None
    return folder


def with_programs(env: Mapping[str, str], folder: str | None) -> dict[str, str]:
    """Return the variables with a directory appended to ``PATH``."""
    path = env.get("PATH")
    return {**env, "PATH": f"{path}:{folder}"} if folder is not None and path else dict(env)
