"""Write the user message that sends the agent back to work."""

from __future__ import annotations

from collections.abc import Sequence

from codex_hookspecs.types.json import JsonObject
from codex_hookspecs.types.lifecycle import ContinuationPrompt
from codex_host.session.history import message


def continuation_message(prompts: Sequence[ContinuationPrompt]) -> JsonObject:
    """Return one user message with one ``<hook_prompt>`` part for each prompt, in order (format of Codex 0.118)."""
    return message("user", *(_part(prompt) for prompt in prompts))


def _part(prompt: ContinuationPrompt) -> str:
    run_id = _escaped(prompt.run_id).replace('"', "&quot;")
    return f'<hook_prompt hook_run_id="{run_id}">{_escaped(prompt.text)}</hook_prompt>'


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
