"""Any edit of any text can be written as a patch and applied, and any difference shown can be followed by git."""

import subprocess
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codex_tool_apply_patch.diffs import differing_blocks, split_lines, unified_hunks
from codex_tool_apply_patch.grammar import PatchError, UpdateFile, parse_patch
from codex_tool_apply_patch.updates import apply_chunks

line = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=8)
lines = st.lists(st.sampled_from(["a", "b", "c", "", " x"]) | line, max_size=25)
whole_texts = lines.map(lambda found: "".join(f"{text}\n" for text in found))
texts = st.tuples(whole_texts, st.booleans()).map(lambda pair: pair[0][:-1] if pair[1] else pair[0])


def patch_between(old: list[str], new: list[str]) -> str:
    """Write one chunk that holds the whole of both texts, so that its place can't be mistaken."""
    body = [f"-{text}" for text in old] + [f"+{text}" for text in new]
    return "\n".join(["*** Begin Patch", "*** Update File: f", "@@", *body, "*** End of File", "*** End Patch"])


@given(lines.filter(bool), lines.filter(bool))
def test_a_patch_from_one_text_to_another_gives_the_other(old, new):
    operation = parse_patch(patch_between(old, new)).operations[0]
    assert isinstance(operation, UpdateFile)

    result = apply_chunks("".join(f"{text}\n" for text in old), operation.chunks, "f")

    assert result == "".join(f"{text}\n" for text in new)


@given(st.lists(st.integers(0, 10**6).map(str), min_size=1, max_size=40, unique=True), st.data())
def test_chunks_with_context_change_their_lines_only(old, data):
    start = data.draw(st.integers(0, len(old) - 1))
    end = data.draw(st.integers(start + 1, len(old)))
    inserted = data.draw(st.lists(line, max_size=5))
    before, after = old[max(start - 3, 0) : start], old[end : end + 3]
    body = [*(f" {text}" for text in before), *(f"-{text}" for text in old[start:end])]
    body += [*(f"+{text}" for text in inserted), *(f" {text}" for text in after)]
    operation = parse_patch("\n".join(["*** Begin Patch", "*** Update File: f", *body, "*** End Patch"])).operations[0]
    assert isinstance(operation, UpdateFile)

    result = apply_chunks("".join(f"{text}\n" for text in old), operation.chunks, "f")

    assert result == "".join(f"{text}\n" for text in [*old[:start], *inserted, *old[end:]])


@given(st.text(max_size=300) | lines.map("\n".join).map("*** Begin Patch\n{}\n*** End Patch".format))
def test_any_text_is_read_or_refused(text):
    with suppress(PatchError):
        assert parse_patch(text).text.strip().startswith("*** Begin Patch")


@given(texts, texts)
def test_the_blocks_of_a_difference_rebuild_the_new_text(old, new):
    before, after = split_lines(old), split_lines(new)
    rebuilt, position = [], 0
    for old_from, old_to, new_from, new_to in differing_blocks(before, after):
        rebuilt += before[position:old_from] + after[new_from:new_to]
        position = old_to
    rebuilt += before[position:]

    assert "".join(rebuilt) == new


@settings(max_examples=25, deadline=None)
@given(whole_texts, texts.filter(bool), st.integers(1, 3))
def test_git_can_apply_what_is_shown(tmp_path_factory, old, new, context):
    directory = tmp_path_factory.mktemp("git")
    hunks = unified_hunks(old, new, context)
    if not hunks:
        assert old == new
        return
    (directory / "f").write_text(old, newline="")
    (directory / "p").write_text(f"--- f\n+++ f\n{hunks}", newline="")

    done = subprocess.run(["git", "apply", "-p0", "p"], cwd=directory, capture_output=True, check=False)

    assert done.returncode == 0, done.stderr
    assert (directory / "f").read_bytes().decode() == new


@pytest.mark.parametrize("size", [3_000, 60_000])
def test_texts_that_share_little_are_compared_in_bounded_time(size):
    old = "".join(f"{number % 997}\n" for number in range(size))
    new = "".join(f"{(number * 7) % 991} \n" for number in range(size))

    hunks = unified_hunks(old, new, 1)

    assert hunks.count("\n-") + hunks.count("\n+") > size


def test_lines_that_occur_once_hold_a_rewritten_text_together():
    old = [f"{number}\n" for number in range(2_000)]
    new = [line if number % 3 else f"new {line}" for number, line in enumerate(old)]

    blocks = differing_blocks(old, new)

    assert len(blocks) == 667
    assert {block[1] - block[0] for block in blocks} == {1}
