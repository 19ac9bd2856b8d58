"""Patterns of denied paths match what they say, within bounds, and miss nothing because it can't be seen."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codex_hookspecs.errors import ConfigError
from codex_sandboxing.globs import MOST_MATCHES, Search, expression, fixed_part

NAMES = st.sampled_from(["a", "b", "ab", "a.env", ".env", "[a", "x-y"])
TREES = st.lists(st.lists(NAMES, min_size=1, max_size=3).map("/".join), max_size=8)
PARTS = st.sampled_from(["a", "*", "?", "**", "*.env", "[ab]", "[!a]*", "a**", "b", "[a"])
PATTERNS = st.lists(PARTS, min_size=1, max_size=4).map("/".join)


def found(folder: Path, pattern: str, **bounds: int) -> list[str]:
    return sorted(os.path.relpath(path, folder) for path in Search(**bounds).matches(f"{folder}/{pattern}"))


def grow(folder: Path, files: list[str]) -> None:
    for name in files:
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        except OSError:  # A file is in the way of a directory, or the other way round.
            continue


def topmost_matches(folder: Path, pattern: str) -> list[str]:
    """Look at everything there is, whether anything can be there or not."""
    whole = re.compile(expression(f"{folder}/{pattern}"))
    every = [os.path.join(at, name) for at, folders, files in os.walk(folder) for name in (*folders, *files)]
    matching = {path for path in every if whole.fullmatch(path)}
    return sorted(
        os.path.relpath(path, folder)
        for path in matching
        if not any(path.startswith(f"{other}/") for other in matching)
    )


@settings(max_examples=150, deadline=None)
@given(TREES, PATTERNS)
def test_a_search_finds_what_a_look_at_everything_does(files: list[str], pattern: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        grow(folder, files)

        assert found(folder, pattern) == topmost_matches(folder, pattern)


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("/w/**/*.env", ["/w/.env", "/w/a/b/x.env"], ["/w/env", "/x/.env"]),
        ("/w/*", ["/w/a", "/w/.a"], ["/w", "/w/a/b"]),
        ("/w/?", ["/w/a"], ["/w/ab", "/w//"]),
        ("/w/[!a]", ["/w/b"], ["/w/a", "/w//"]),
        ("/w/[a-c]x", ["/w/bx"], ["/w/dx"]),
        ("/w/[]]", ["/w/]"], ["/w/[]]"]),
        ("/w/[x", ["/w/[x"], ["/w/x"]),
        ("/w/a+(b)", ["/w/a+(b)"], ["/w/aab"]),
        ("/w/a**z", ["/w/az", "/w/a/b/z"], ["/w/b/z"]),
    ],
)
def test_signs_mean_what_they_mean_everywhere(pattern: str, matching: list[str], others: list[str]) -> None:
    whole = re.compile(expression(pattern))

    assert all(whole.fullmatch(path) for path in matching)
    assert not any(whole.fullmatch(path) for path in others)


def test_a_search_begins_where_the_first_sign_stands() -> None:
    assert fixed_part("/w/a/*.env") == "/w/a"
    assert fixed_part("/*.env") == "/"
    assert fixed_part("/w/a") == "/w/a"


def test_a_directory_that_can_not_be_looked_into_matches_as_a_whole(tmp_path: Path) -> None:
    deep = tmp_path.resolve()
    for _ in range(20):
        deep = deep / ("d" * 200)
    at = os.open(tmp_path, os.O_RDONLY)
    for _ in range(22):
        os.mkdir("d" * 200, dir_fd=at)
        below = os.open("d" * 200, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
    os.close(at)

    matches = list(Search().matches(f"{tmp_path}/**/*.env"))

    assert len(matches) == 1
    assert matches[0].startswith(str(tmp_path.resolve()))


def test_links_are_followed_where_they_are_named_and_not_by_two_stars(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "x.env").touch()
    (tmp_path / "link").symlink_to("real")

    assert found(tmp_path.resolve(), "*/x.env") == ["link/x.env", "real/x.env"]
    assert found(tmp_path.resolve(), "**/x.env") == ["real/x.env"]


def test_a_search_through_a_link_finds_the_real_place(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "x.env").touch()
    (tmp_path / "link").symlink_to("real")

    assert list(Search().matches(f"{tmp_path}/link/*.env")) == [f"{tmp_path.resolve()}/real/x.env"]


def test_what_takes_too_long_is_refused(tmp_path: Path) -> None:
    grow(tmp_path, [f"d/{number}" for number in range(20)])

    with pytest.raises(ConfigError, match=r"requires searching more than 10 paths; begin it with a narrower directory"):
        found(tmp_path, "**/*.env", most=10)


def test_what_matches_too_much_is_refused(tmp_path: Path) -> None:
    grow(tmp_path, [str(number) for number in range(MOST_MATCHES + 1)])

    with pytest.raises(ConfigError, match="matches too much"):
        found(tmp_path, "*")


@pytest.mark.parametrize("pattern", ["/proc/*/environ", "/sys/**", "/dev/*"])
def test_what_the_kernel_makes_up_is_refused(pattern: str) -> None:
    with pytest.raises(ConfigError, match="is for a file system of the kernel"):
        list(Search().matches(pattern))


def test_a_class_that_makes_no_sense_is_one_clear_line() -> None:
    with pytest.raises(ConfigError, match=r"the pattern '/tmp/\[z-a\]' is not valid: bad character range z-a"):
        list(Search().matches("/tmp/[z-a]"))
