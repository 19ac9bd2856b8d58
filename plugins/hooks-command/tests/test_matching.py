from __future__ import annotations

import pytest

from codex_hooks_command import matching


@pytest.mark.parametrize(
    ("matcher", "subject", "hit"),
    [
        (None, "Bash", True),
        ("", "Bash", True),
        ("*", "Bash", True),
        ("Bash", "Bash", True),
        ("Bash", "BashOutput", False),
        ("start", "startup", False),
        ("startup|resume", "resume", True),
        ("Edit|Write", "Bash", False),
        ("mcp__memory", "mcp__memory__read", False),
        ("mcp__memory__.*", "mcp__memory__read", True),
        ("^Bash", "BashOutput", True),
        ("^Bash$", "BashOutput", False),
        ("ash.", "Bashful", True),
        ("Ba sh", "Bash", False),
    ],
)
def test_a_list_of_names_is_whole_words_and_anything_else_is_searched(matcher: str, subject: str, hit: bool) -> None:
    assert matching.hits(matcher, [subject]) is hit


@pytest.mark.parametrize("matcher", ["apply_patch", "Write", "Edit", "Edit|Write", "^Wri"])
def test_a_patch_is_also_known_as_write_and_edit(matcher: str) -> None:
    assert matching.hits(matcher, matching.subjects_of("apply_patch"))


def test_an_event_without_subject_ignores_matchers() -> None:
    assert matching.hits("nothing like it", None)


def test_only_a_bad_pattern_has_a_fault() -> None:
    assert matching.fault_of("[") is not None
    assert [matching.fault_of(fine) for fine in (None, "", "*", "a|b", "^a.*$")] == [None] * 5
