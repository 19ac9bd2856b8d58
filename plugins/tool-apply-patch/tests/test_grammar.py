"""What a patch text means, and what is said about one that means nothing (texts of Codex 0.118)."""

import pytest

from codex_tool_apply_patch.grammar import AddFile, Chunk, DeleteFile, PatchError, UpdateFile, parse_patch

LAST_LINE = "invalid patch: The last line of the patch must be '*** End Patch'"
SIGNS = "Every line should start with ' ' (context line), '+' (added line), or '-' (removed line)"
HEADERS = (
    "is not a valid hunk header. Valid hunk headers: '*** Add File: {path}', '*** Delete File: {path}', "
    "'*** Update File: {path}'"
)


def wrapped(body: str) -> str:
    return f"*** Begin Patch\n{body}\n*** End Patch"


def test_all_operations_are_read_in_order():
    patch = parse_patch(
        wrapped(
            "*** Add File: a.txt\n+one\n+\n*** Delete File: b.txt\n*** Update File: c.txt\n*** Move to: d.txt\n"
            "@@ def f():\n keep\n-old\n+new\n*** End of File"
        )
    )

    assert patch.operations == (
        AddFile("a.txt", "one\n\n"),
        DeleteFile("b.txt"),
        UpdateFile("c.txt", (Chunk("def f():", ((" ", "keep"), ("-", "old"), ("+", "new")), True),), "d.txt"),
    )


def test_the_first_chunk_needs_no_marker_and_an_empty_line_is_context():
    patch = parse_patch(wrapped("*** Update File: a\n-x\n\n+y\n@@\n z\n+q"))

    assert patch.operations == (
        UpdateFile(
            "a",
            (Chunk(None, (("-", "x"), (" ", ""), ("+", "y")), False), Chunk(None, ((" ", "z"), ("+", "q")), False)),
            None,
        ),
    )


@pytest.mark.parametrize("opening", ["<<EOF", "<<'EOF'", '<<"EOF"'])
def test_a_here_document_around_the_patch_is_taken_off(opening):
    patch = parse_patch(f"{opening}\n{wrapped('*** Delete File: a')}\nEOF\n")

    assert patch.operations == (DeleteFile("a"),)
    assert patch.text == wrapped("*** Delete File: a")


def test_white_space_and_carriage_returns_around_markers_do_not_matter():
    patch = parse_patch(" *** Begin Patch \r\n  *** Add File: a\r\n+x\r\n *** End Patch\r\n")

    assert patch.operations == (AddFile("a", "x\n"),)


def test_an_environment_may_be_named_once():
    assert parse_patch(wrapped("*** Environment ID: remote\n*** Delete File: a")).environment == "remote"


def test_a_patch_without_operations_is_read():
    assert parse_patch("*** Begin Patch\n*** End Patch").operations == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "invalid patch: The first line of the patch must be '*** Begin Patch'"),
        ("garbage", "invalid patch: The first line of the patch must be '*** Begin Patch'"),
        ("*** Begin Patch\n*** Add File: h\n+1", LAST_LINE),
        (
            wrapped("*** Add File: h\n+1") + "\nmore",
            "invalid patch: The last line of the patch must be '*** End Patch'",
        ),
        (
            "<<EOF2\n" + wrapped("*** Add File: h\n+1") + "\nEOF2",
            "invalid patch: The first line of the patch must be '*** Begin Patch'",
        ),
        (wrapped("*** Frob: a"), f"invalid hunk at line 2, '*** Frob: a' {HEADERS}"),
        (wrapped(""), f"invalid hunk at line 2, '' {HEADERS}"),
        (wrapped("*** Add File: \n+1"), f"invalid hunk at line 2, '*** Add File:' {HEADERS}"),
        (wrapped("*** Add File: a\n+1\n\n+2"), f"invalid hunk at line 4, '' {HEADERS}"),
        (wrapped("*** Add File: a\n+1\n*** End of File"), f"invalid hunk at line 4, '*** End of File' {HEADERS}"),
        (
            wrapped("*** Update File: a\n@@\n-x\n+y\n*** Move to: b"),
            f"invalid hunk at line 6, '*** Move to: b' {HEADERS}",
        ),
        (wrapped("*** Update File: a"), "invalid hunk at line 2, Update file hunk for path 'a' is empty"),
        (
            wrapped("*** Update File: a\n*** Move to: b"),
            "invalid hunk at line 2, Update file hunk for path 'a' is empty",
        ),
        (wrapped("*** Update File: a\n@@"), "invalid hunk at line 4, Update hunk does not contain any lines"),
        (
            wrapped("*** Update File: a\n@@\n-x\n+y\n@@"),
            "invalid hunk at line 7, Update hunk does not contain any lines",
        ),
        (
            wrapped("*** Update File: a\n@@\n*** End of File"),
            "invalid hunk at line 4, Update hunk does not contain any lines",
        ),
        (
            wrapped("*** Update File: a\n@@\nq"),
            f"invalid hunk at line 4, Unexpected line found in update hunk: 'q'. {SIGNS}",
        ),
        (
            wrapped("*** Update File: a\n@@\n-x\n+y\nq"),
            "invalid hunk at line 6, Expected update hunk to start with a @@ context marker, got: 'q'",
        ),
        (
            wrapped("*** Environment ID: \n*** Delete File: a"),
            "invalid patch: apply_patch environment_id cannot be empty",
        ),
        (
            wrapped("*** Environment ID: a\n*** Environment ID: b\n*** Delete File: a"),
            "invalid patch: apply_patch environment_id cannot be specified more than once",
        ),
    ],
)
def test_a_wrong_patch_is_refused_in_the_known_words(text, message):
    with pytest.raises(PatchError) as caught:
        parse_patch(text)

    assert str(caught.value) == message
