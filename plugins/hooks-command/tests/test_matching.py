from __future__ import annotations

import pytest

from codex_hooks_command import matching
from codex_hooks_command.matching import matcher_error, matches, unsupported_part


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
    assert matching.matches(matcher, [subject]) is hit


@pytest.mark.parametrize("matcher", ["apply_patch", "Write", "Edit", "Edit|Write", "^Wri"])
def test_a_patch_is_also_known_as_write_and_edit(matcher: str) -> None:
    assert matching.matches(matcher, matching.match_names("apply_patch"))


def test_an_event_without_subject_ignores_matchers() -> None:
    assert matching.matches("nothing like it", None)


def test_only_an_invalid_pattern_is_an_error() -> None:
    assert matching.matcher_error("[") is not None
    assert [matching.matcher_error(fine) for fine in (None, "", "*", "a|b", "^a.*$")] == [None] * 5


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
    assert matcher_error(matcher) is None
    assert unsupported_part(matcher) is None
    assert matches(matcher, [subject]) is hit


@pytest.mark.parametrize(
    "matcher", ["[", "(?=B)", "(?<!B)", r"(a)\1", r"(?P<a>b)(?P=a)", r"\q", r"\Z", "(?>a)", "*a", "(a"]
)
def test_patterns_that_rust_rejects_are_errors(matcher: str) -> None:
    assert matcher_error(matcher)


@pytest.mark.parametrize("matcher", ["[a-z&&[^b]]ash", "^[a[b]]", r"\p{Greek}", "a(?i)b", "(?U)a", "[[:^alpha:]]"])
@pytest.mark.filterwarnings("error")
def test_an_unsupported_pattern_matches_everything(matcher: str) -> None:
    assert matcher_error(matcher) is None
    assert unsupported_part(matcher)
    assert matches(matcher, ["x"])
