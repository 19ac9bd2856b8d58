"""Merging the verdicts of several plugins."""

from __future__ import annotations

from codex_hookspecs import PermissionVerdict, PreToolUseVerdict, StopVerdict
from codex_host.plugins.merging import merge_verdicts


def test_texts_are_joined_in_order_and_of_anything_else_the_first_value_counts() -> None:
    answers = [
        PreToolUseVerdict(contexts=("one",)),
        PreToolUseVerdict(contexts=("two",), ask_reason="sure?"),
        PreToolUseVerdict(deny_reason="no", ask_reason="really?"),
    ]

    merged = merge_verdicts("concat", PreToolUseVerdict, answers)

    assert merged == PreToolUseVerdict(contexts=("one", "two"), ask_reason="sure?", deny_reason="no")


def test_a_refusal_in_a_field_of_its_own_is_kept_beside_everything_else() -> None:
    answers = [StopVerdict.block("more"), StopVerdict(stop_reason="enough"), StopVerdict.block("and more")]

    merged = merge_verdicts("any_block", StopVerdict, answers)

    assert merged.stop_reason == "enough"
    assert [prompt.text for prompt in merged.prompts] == ["more", "and more"]


def test_the_strictest_word_on_a_permission_counts_with_its_own_message() -> None:
    answers = [
        PermissionVerdict(behavior="allow", message="fine"),
        PermissionVerdict(behavior="ask", message="not sure"),
        PermissionVerdict(behavior="deny"),
    ]

    assert merge_verdicts("any_block", PermissionVerdict, answers) == PermissionVerdict(behavior="deny")
    assert merge_verdicts("any_block", PermissionVerdict, answers[:2]) == answers[1]
