"""Build the instruction fragments of a turn from settings, configuration and files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from codex_hookspecs.context import Fragment, local_date, local_timezone
from codex_hookspecs.errors import ConfigError, ExecError
from codex_hookspecs.files import read_text
from codex_hookspecs.host import AgentThread, Host
from codex_hookspecs.protocol import ThreadSettings
from codex_instructions.agents_md import ProjectDocSettings, agents_md_text, find_docs, join_docs
from codex_instructions.base_prompt import BASE_PROMPT
from codex_instructions.environment import Machine, environment_text
from codex_instructions.permissions import permissions_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from codex_hookspecs.environments import FileSystem

_MAX_BYTES = 4 * 1024 * 1024
_FALLBACK_NOTE = "the standard instructions are used instead"
HOME_NAMES = ("AGENTS.override.md", "AGENTS.md")


async def gather_fragments(thread: AgentThread, settings: ThreadSettings, host: Host) -> list[Fragment]:
    """Return the fragments of a turn."""
    machine = await _machine(thread, host)
    fragments = [
        Fragment(key="base_instructions", place="base", text=await _base_text(thread, settings, host), order=10),
        Fragment(
            key="permissions",
            place="developer",
            text=permissions_text(settings, temporary_directory=machine.temporary_directory),
            order=10,
        ),
    ]
    if settings.developer_instructions:
        text = settings.developer_instructions
        fragments.append(Fragment(key="developer_instructions", place="developer", text=text, order=20))
    if settings.collaboration_mode:
        from codex_instructions.collaboration import collaboration_text

        text = collaboration_text(settings.collaboration_mode)
        fragments.append(Fragment(key="collaboration_mode", place="developer", text=text, order=30))
    instructions = join_docs(await _home_instructions(thread, host), await _project_docs(thread, settings, machine))
    if instructions:
        text = agents_md_text(settings.cwd, instructions)
        fragments.append(Fragment(key="agents_md", place="user", text=text, order=10))
    place = machine.describe(settings.cwd)
    text = environment_text(place, local_date(), local_timezone(host.environ))
    fragments.append(Fragment(key="environment_context", place="user", text=text, order=20))
    return fragments


async def _machine(thread: AgentThread, host: Host) -> Machine:
    try:
        environment = await host.environments.of(thread)
        return Machine(environment, await environment.facts())
    except ExecError as error:
        return Machine(problem=error)


async def _project_docs(thread: AgentThread, settings: ThreadSettings, machine: Machine) -> list[str]:
    environment = machine.environment
    if environment is None:
        return []
    restrict = None
    if settings.sandbox.readable_roots is not None:
        from codex_sandboxing.file_scope import readable_files

        async def restrict(folders: Sequence[str]) -> FileSystem:
            return await readable_files(environment, settings, folders)

    texts, unreadable = await find_docs(environment.files, settings.cwd, ProjectDocSettings.of(thread.config), restrict)
    for error in unreadable:
        await _warn(thread, f"the instruction file {error.path} is left out: {error}")
    return texts


async def _base_text(thread: AgentThread, settings: ThreadSettings, host: Host) -> str:
    if settings.base_instructions is not None:
        return settings.base_instructions
    name = thread.config.get("model_instructions_file")
    if isinstance(name, str) and name:
        path = _configured_path(name, host, settings.cwd)
        try:
            text = read_text(path)
        except ConfigError as error:
            problem = error.message
        else:
            if text is not None and text.strip():
                return text
            problem = "is not there" if text is None else "is empty"
        await _warn(thread, f"model_instructions_file {path} {problem}; {_FALLBACK_NOTE}")
    configured = thread.config.get("base_instructions")
    return configured if isinstance(configured, str) and configured else BASE_PROMPT


def _configured_path(name: str, host: Host, cwd: str) -> str:
    """Resolve a path of the configuration; a relative one is relative to the file that sets it."""
    origin = host.config.origin("model_instructions_file")
    folder = os.path.dirname(origin) if origin and os.path.isabs(origin) else cwd
    return os.path.join(folder, os.path.expanduser(name))


async def _home_instructions(thread: AgentThread, host: Host) -> str:
    """Return the user's own instructions, stripped."""
    for name in HOME_NAMES:
        path = os.path.join(host.codex_home, name)
        try:
            text = (read_text(path, errors="replace") or "").strip()
        except ConfigError as error:
            await _warn(thread, f"the instruction file {path} is left out: it {error.message}")
            continue
        if text:
            return text
    return ""


async def _warn(thread: AgentThread, message: str) -> None:
    """Warn the user, but only in the first turn of a thread, since the warning would be the same in later ones."""
    if not thread.history:
        await thread.warn(message)
