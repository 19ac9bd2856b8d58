"""Gather the standing texts of a turn from settings, configuration and files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from codex_hookspecs.context import Fragment, local_date, local_timezone
from codex_hookspecs.errors import ConfigError, ExecError
from codex_hookspecs.files import read_text
from codex_hookspecs.host import AgentThread, Host
from codex_hookspecs.protocol import ThreadSettings
from codex_instructions.agents_md import DocSettings, agents_md_text, find_docs, joined
from codex_instructions.base_prompt import BASE_PROMPT
from codex_instructions.collaboration import collaboration_text
from codex_instructions.environment import Machine, environment_text
from codex_instructions.permissions import permissions_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from codex_hookspecs.environments import FileSystem

_MOST_BYTES = 4 * 1024 * 1024
_INSTEAD = "the standard instructions are used instead"
HOME_NAMES = ("AGENTS.override.md", "AGENTS.md")


async def gather_fragments(thread: AgentThread, settings: ThreadSettings, host: Host) -> list[Fragment]:
    """Return the fragments of a turn.

    :param thread: its configuration says how instruction files are found.
    """
    machine = await _machine(thread, host)
    fragments = [
        Fragment(key="base_instructions", place="base", text=await _base(thread, settings, host), order=10),
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
    collaboration = collaboration_text(settings.collaboration_mode)
    if collaboration:
        fragments.append(Fragment(key="collaboration_mode", place="developer", text=collaboration, order=30))
    instructions = joined(await _home_doc(thread, host), await _project_docs(thread, settings, machine))
    if instructions:
        text = agents_md_text(settings.cwd, instructions)
        fragments.append(Fragment(key="agents_md", place="user", text=text, order=10))
    place = machine.place_lines(settings.cwd)
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
    limited = None
    if settings.sandbox.readable_roots is not None:
        from codex_sandboxing.file_scope import readable_files

        async def limited(folders: Sequence[str]) -> FileSystem:
            return await readable_files(environment, settings, folders)

    texts, unreadable = await find_docs(environment.files, settings.cwd, DocSettings.of(thread.config), limited)
    for error in unreadable:
        await _tell(thread, f"the instruction file {error.path} is left out: {error}")
    return texts


async def _base(thread: AgentThread, settings: ThreadSettings, host: Host) -> str:
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
        await _tell(thread, f"model_instructions_file {path} {problem}; {_INSTEAD}")
    configured = thread.config.get("base_instructions")
    return configured if isinstance(configured, str) and configured else BASE_PROMPT


def _configured_path(name: str, host: Host, cwd: str) -> str:
    """Return the path a configuration value names: relative ones count from the file that sets it."""
    origin = host.config.origin("model_instructions_file")
    folder = os.path.dirname(origin) if origin and os.path.isabs(origin) else cwd
    return os.path.join(folder, os.path.expanduser(name))


async def _home_doc(thread: AgentThread, host: Host) -> str:
    """Return the user's own instructions, without blank space around them."""
    for name in HOME_NAMES:
        path = os.path.join(host.codex_home, name)
        try:
            text = (read_text(path, errors="replace") or "").strip()
        except ConfigError as error:
            await _tell(thread, f"the instruction file {path} is left out: it {error.message}")
            continue
        if text:
            return text
    return ""


async def _tell(thread: AgentThread, message: str) -> None:
    """Warn the user, in a thread's first turn: the reason stays the same in later ones."""
    if not thread.history:
        await thread.warn(message)
