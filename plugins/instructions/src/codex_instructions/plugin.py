"""Hook implementations of instructions."""

from __future__ import annotations

from collections.abc import Sequence

from codex_hookspecs import hookimpl
from codex_hookspecs.context import Fragment
from codex_hookspecs.host import AgentThread, Host
from codex_hookspecs.protocol import ThreadSettings


@hookimpl
async def instruction_fragments(thread: AgentThread, settings: ThreadSettings, host: Host) -> Sequence[Fragment]:
    """Provide the system prompt, permissions, the client's instructions, AGENTS.md files and the environment."""
    from codex_instructions.fragments import gather_fragments

    return await gather_fragments(thread, settings, host)
