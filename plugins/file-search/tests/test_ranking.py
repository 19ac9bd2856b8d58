"""What matches a query, with how many points, and in which order."""

from __future__ import annotations

from threading import Event

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex_file_search.query import parse
from codex_file_search.ranking import MAX_MATCHES, MAX_SCORED, rank, score
from codex_file_search.tree_walk import Entry

PATHS = [
    "src/abc.rs",
    "a/b/c",
    "xabc",
    ".abc",
    "src/a_b_c.py",
    "zab c",
    "ABC",
    "src/sub",
    "README.md",
    "Cargo/FooBar.rs",
]


def found(query: str, *paths: str) -> list[str]:
    entries = [Entry(path, directory=False) for path in paths or PATHS]
    return [match.path for match in rank([(0, entries)], query, Event())]


@pytest.mark.parametrize(
    ("query", "path", "points", "places"),
    [
        ("abc", "src/abc.rs", 84, (4, 5, 6)),
        ("abc", "ABC", 84, (0, 1, 2)),
        ("abc", ".abc", 80, (1, 2, 3)),
        ("abc", "a/b/c", 78, (0, 2, 4)),
        ("abc", "src/a_b_c.py", 76, (4, 6, 8)),
        ("abc", "zab c", 57, (1, 2, 4)),
        ("abc", "xabc", 56, (1, 2, 3)),
        ("src sub", "src/sub", 168, (0, 1, 2, 4, 5, 6)),
        ("srab", "src/abc.rs", 105, (0, 1, 4, 5)),
        ("README", "README.md", 159, (0, 1, 2, 3, 4, 5)),
        ("foobr", "Cargo/FooBar.rs", 128, (6, 7, 8, 9, 13)),
        ("FB", "Cargo/FooBar.rs", 51, (6, 9)),
        ("rs$", "src/abc.rs", 56, (8, 9)),
        ("!abc", "src", 0, ()),
        ("日md", "日本/語x.md", 75, (0, 6, 7)),
        ("heab", "héab/x", 109, (0, 1, 2, 3)),
        (r"b\ c", "zab c", 64, (2, 3, 4)),
    ],
)
def test_points_and_places(query: str, path: str, points: int, places: tuple[int, ...]) -> None:
    assert score(path, parse(query)) == (points, places)


@pytest.mark.parametrize(
    ("query", "paths"),
    [
        ("", []),
        ("  ", []),
        ("!", []),
        ("ABC", ["ABC"]),
        ("^src", ["src/a_b_c.py", "src/abc.rs", "src/sub"]),
        ("^src/sub$", ["src/sub"]),
        ("'abc", ["ABC", "src/abc.rs", ".abc", "xabc"]),
        ("abc !src !x", ["ABC", ".abc", "a/b/c", "zab c"]),
        ("nothing", []),
    ],
)
def test_signs_of_a_query(query: str, paths: list[str]) -> None:
    assert found(query) == paths


def test_of_equal_matches_the_shortest_are_kept_in_the_order_of_their_paths() -> None:
    paths = [f"many/file{number}" for number in range(200)]

    matches = found("file", *reversed(paths))

    assert len(matches) == MAX_MATCHES
    assert matches == sorted(matches)
    assert {f"many/file{number}" for number in range(10)} <= set(matches)


def test_of_very_many_matches_those_at_the_start_of_a_name_are_found() -> None:
    paths = [f"xa{number}" for number in range(MAX_SCORED + 1000)] + ["a/very/long/path/to/something/app"]

    assert found("a", *paths)[0] == "a/very/long/path/to/something/app"


def test_a_stopped_search_finds_nothing() -> None:
    stop = Event()
    stop.set()

    assert rank([(0, [Entry("abc", directory=False)])], "abc", stop) == []


@given(st.text(max_size=20), st.text(max_size=40).filter(lambda path: "\0" not in path))
def test_places_are_those_of_the_characters(query: str, path: str) -> None:
    words = parse(query)
    matched = score(path, words)

    if matched is not None and len(words) == 1 and words[0].kind == "fuzzy":
        assert "".join(words[0].fold(path)[place] for place in matched[1]) == words[0].text
    assert matched is None or all(0 <= place < len(path) for place in matched[1])


@given(st.lists(st.sampled_from("abA/_. "), max_size=12).map("".join), st.sampled_from(["a", "ab", "aab", "b", "bA"]))
def test_a_path_matches_when_it_has_the_characters_in_order(path: str, query: str) -> None:
    text = path if query != query.lower() else path.lower()
    rest = iter(text)

    assert (score(path, parse(query)) is not None) == all(sign in rest for sign in query)
