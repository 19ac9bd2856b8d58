"""Gather the standing texts of a turn from settings, configuration and files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from codex_hookspecs.clock import local_date, local_timezone
from codex_hookspecs.errors import FileSystemError
from codex_hookspecs.ports.host import Host
from codex_hookspecs.ports.threads import AgentThread
from codex_hookspecs.types.context import Fragment
from codex_hookspecs.types.threads import ThreadSettings
from codex_instructions.agents_md import DocSettings, agents_md_text, find_docs, joined
from codex_instructions.base_prompt import BASE_PROMPT
from codex_instructions.collaboration import collaboration_text
from codex_instructions.environment import environment_text
from codex_instructions.permissions import permissions_text

HOME_NAMES = ("AGENTS.override.md", "AGENTS.md")


async def gather_fragments(thread: AgentThread, settings: ThreadSettings, host: Host) -> list[Fragment]:
    """Return the fragments of a turn.

    :param thread: its configuration says how instruction files are found.
    """
    environment = await host.environments.get()
    facts = await environment.facts()
    fragments = [
        Fragment(key="base_instructions", place="base", text=_base(settings, thread.config, host), order=10),
        Fragment(
            key="permissions",
            place="developer",
            text=permissions_text(settings, temporary_directory=facts.temporary_directory),
            order=10,
        ),
    ]
    if settings.developer_instructions:
        text = settings.developer_instructions
        fragments.append(Fragment(key="developer_instructions", place="developer", text=text, order=20))
    collaboration = collaboration_text(settings.collaboration_mode)
    if collaboration:
        fragments.append(Fragment(key="collaboration_mode", place="developer", text=collaboration, order=30))
    texts, unreadable = await find_docs(environment.files, settings.cwd, DocSettings.of(thread.config))
    for error in unreadable:
        _log(host, f"skipping an instruction file: {error}")
    instructions = joined(_home_doc(host), texts)
    if instructions:
        text = agents_md_text(settings.cwd, instructions)
        fragments.append(Fragment(key="agents_md", place="user", text=text, order=10))
    text = environment_text(settings.cwd, facts.shell, local_date(), local_timezone(host.environ))
    fragments.append(Fragment(key="environment_context", place="user", text=text, order=20))
    return fragments


def _base(settings: ThreadSettings, config: Mapping[str, Any], host: Host) -> str:
    if settings.base_instructions is not None:
        return settings.base_instructions
    name = config.get("model_instructions_file")
    if isinstance(name, str) and name:
        path = _configured_path(name, host, settings.cwd)
        try:
            with open(path, encoding="utf-8") as file:
                text = file.read()
        except (OSError, UnicodeDecodeError) as error:
            _log(host, f"reading model_instructions_file {path}: {error}; the standard instructions are used instead")
        else:
            if text.strip():
                return text
            _log(host, f"model_instructions_file {path} is empty; the standard instructions are used instead")
    configured = config.get("base_instructions")
    return configured if isinstance(configured, str) and configured else BASE_PROMPT


def _configured_path(name: str, host: Host, cwd: str) -> str:
    """Return the path a configuration value names: relative ones count from the file that sets it."""
    origin = host.config.origin("model_instructions_file")
    folder = os.path.dirname(origin) if origin and os.path.isabs(origin) else cwd
    return os.path.join(folder, os.path.expanduser(name))


def _home_doc(host: Host) -> str:
    """Return the user's own instructions, without blank space around them."""
    for name in HOME_NAMES:
        path = os.path.join(host.codex_home, name)
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                text = file.read().strip()
        except FileNotFoundError:
            continue
        except OSError as error:
            _log(host, f"skipping an instruction file: {FileSystemError(f'{path}: {error.strerror}', path=path)}")
            continue
        if text:
            return text
    return ""


def _log(host: Host, message: str) -> None:
    host.logger("instructions").warning(message)
