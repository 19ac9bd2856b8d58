from __future__ import annotations

import pytest

from codex_hooks_command import matching
from codex_hooks_command.matching import fault_of, hits, unknown_in


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


@pytest.mark.parametrize(
    ("matcher", "subject", "hit"),
    [
        (r"\p{Lu}ash", "Bash", True),
        (r"^\p{Lu}+$", "Bash", False),
        (r"^[\p{L}_]+$", "mcp_bücher", True),
        (r"^\pL+$", "Bash", True),
        (r"^\P{Lu}+$", "bash", True),
        (r"^\p{^Lu}", "Bash", False),
        (r"\p{Uppercase_Letter}ash", "Bash", True),
        (r"\p{gc=Lu}ash", "Bash", True),
        ("^[[:alpha:]_]+$", "Bash", True),
        ("^[[:digit:]]+$", "Bash", False),
        (r"B(?<x>a)sh", "Bash", True),
        (r"Bash\z", "Bash", True),
        (r"\x{42}ash", "Bash", True),
        (r"\x42ash", "Bash", True),
        (r"^[\x{41}-\u{43}]ash$", "Bash", True),
        ("(?i)bash", "Bash", True),
        ("(?i:b)ash", "Bash", True),
        (r"\bBash\b", "Bash", True),
        ("^[^]]+$", "Bash", True),
        ("^[]B]ash$", "Bash", True),
        ("^[B|a||x]ash$", "Bash", True),
        (r"mcp__.*__read\.file", "mcp__fs__read.file", True),
    ],
)
@pytest.mark.filterwarnings("error")
def test_patterns_are_those_of_rust(matcher: str, subject: str, hit: bool) -> None:
    assert fault_of(matcher) is None
    assert unknown_in(matcher) is None
    assert hits(matcher, [subject]) is hit


@pytest.mark.parametrize(
    "matcher", ["[", "(?=B)", "(?<!B)", r"(a)\1", r"(?P<a>b)(?P=a)", r"\q", r"\Z", "(?>a)", "*a", "(a"]
)
def test_what_rust_refuses_is_a_fault(matcher: str) -> None:
    assert fault_of(matcher)


@pytest.mark.parametrize("matcher", ["[a-z&&[^b]]ash", "^[a[b]]", r"\p{Greek}", "a(?i)b", "(?U)a", "[[:^alpha:]]"])
@pytest.mark.filterwarnings("error")
def test_what_is_not_known_here_hits_everything(matcher: str) -> None:
    assert fault_of(matcher) is None
    assert unknown_in(matcher)
    assert hits(matcher, ["x"])
