"""Texts that the program puts into a conversation are told from what the user said."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex_hookspecs.storage.fragments import (
    fragment_key,
    hook_prompt,
    hook_prompts,
    is_context,
    is_user_turn,
    sent_fragments,
    texts_of,
)


def said(*texts: str, role: str = "user") -> dict[str, Any]:
    return {"type": "message", "role": role, "content": [{"type": "input_text", "text": text} for text in texts]}


@pytest.mark.parametrize(
    "text",
    [
        "<permissions instructions>\nx",
        "# AGENTS.md instructions for /w\n\n<INSTRUCTIONS>",
        "<environment_context>\n",
        "<skill>\n<name>x</name>",
        "<user_shell_command>\n",
        "<turn_aborted>\n",
        '<hook_prompt hook_run_id="x">y</hook_prompt>',
        "<subagent_notification>\n{}",
    ],
)
def test_what_the_program_says_is_context(text: str) -> None:
    assert is_context(text)
    assert not is_user_turn(said(text))


@pytest.mark.parametrize("text", ["hello", "", "see <environment_context>", "# AGENTS.md is missing"])
def test_anything_else_is_said_by_the_user(text: str) -> None:
    assert is_user_turn(said(text))
    assert fragment_key(text) is None


def test_a_message_is_the_user_s_when_any_part_is() -> None:
    assert is_user_turn(said("<environment_context>", "hello"))
    assert is_user_turn({"type": "message", "role": "user", "content": [{"type": "input_image", "image_url": "x"}]})


@pytest.mark.parametrize(
    "item",
    [
        said("hello", role="developer"),
        {"type": "function_call", "role": "user"},
        {"type": "message", "role": "user"},
        {"type": "message", "role": "user", "content": ["odd", {"text": 5}]},
    ],
)
def test_other_items_are_not_the_user_s(item: dict[str, Any]) -> None:
    assert not is_user_turn(item)
    assert hook_prompts(item) == []


def test_sent_fragments_are_the_newest_of_each_key() -> None:
    history = [
        said("<permissions instructions>\na", "DEV", role="developer"),
        said("<environment_context>1", "# AGENTS.md instructions for /w"),
        said("<environment_context>2"),
        said("<environment_context>3", role="assistant"),
    ]

    assert sent_fragments(history) == {
        "permissions": "<permissions instructions>\na",
        "environment_context": "<environment_context>2",
        "agents_md": "# AGENTS.md instructions for /w",
    }
    assert texts_of(history[0], "developer") == ["<permissions instructions>\na", "DEV"]


def test_a_hook_prompt_is_written_as_codex_does() -> None:
    text = hook_prompt('a < b & "c" > d', "stop:0:/h/hooks.json")

    assert text == '<hook_prompt hook_run_id="stop:0:/h/hooks.json">a &lt; b &amp; "c" &gt; d</hook_prompt>'


@given(st.text(), st.text())
def test_a_hook_prompt_is_read_back_as_it_was(text: str, run_id: str) -> None:
    assert hook_prompts(said(hook_prompt(text, run_id), "hello")) == [(text, run_id)]
