"""What becomes of a file's text; the expectations are what Codex 0.169 does with the same files.

Two are not: it puts new lines with an anchor at the end of the file, and finds no first line behind a byte order mark.
"""

import time

import pytest

from codex_tool_apply_patch.grammar import PatchError, UpdateFile, parse_patch
from codex_tool_apply_patch.updates import apply_chunks


def apply(content: str, body: str) -> str:
    operation = parse_patch(f"*** Begin Patch\n*** Update File: a\n{body}\n*** End Patch").operations[0]
    assert isinstance(operation, UpdateFile)
    return apply_chunks(content, operation.chunks, "a")


@pytest.mark.parametrize(
    ("content", "body", "result"),
    [
        pytest.param("x\ny\n", "@@\n-x\n+Z\n@@\n-y\n+Q", "Z\nQ\n", id="two chunks"),
        pytest.param("a\nb", "@@\n-a\n+A", "A\nb\n", id="a missing last line end is added"),
        pytest.param("", "@@\n+A", "A\n", id="into an empty file"),
        pytest.param("x\n", "@@\n-x", "", id="nothing is left"),
        pytest.param("1\n", "@@\n+x\n@@\n+y", "1\nx\ny\n", id="chunks without old lines go to the end"),
        pytest.param("1\n2\n3\n", "@@ 1\n+X", "1\nX\n2\n3\n", id="or behind their anchor"),
        pytest.param("1\n2\n3\n", "@@ 1\n+X\n@@\n-2\n+Y", "1\nX\nY\n3\n", id="where the next chunk goes on"),
        pytest.param("1\n2\n", "@@ 1\n+X\n*** End of File", "1\n2\nX\n", id="unless they want the end"),
        pytest.param("\ufeffx\ny\n", "@@\n-x\n+z\n y", "\ufeffz\ny\n", id="a byte order mark stays"),
        pytest.param("\ufeffx\r\n", "@@ x\n+y", "\ufeffx\r\ny\r\n", id="an anchor behind a byte order mark"),
        pytest.param("1\n\n", "@@\n+X", "1\n\nX\n", id="and behind empty lines"),
        pytest.param("x\ny\nx\n", "@@\n-x\n+Z\n*** End of File", "x\ny\nZ\n", id="at the end of the file"),
        pytest.param("1\n2\n", "@@\n-2\n-\n+3\n+", "1\n3\n", id="an empty last line stands for the last line end"),
        pytest.param("1\n2\n", "@@\n 2\n\n+3", "1\n2\n\n3\n", id="unless something follows it"),
        pytest.param("x\n", "@@\n-x\n+Z\n", "Z\n", id="an empty line after the chunk"),
        pytest.param("1\n\n", "@@\n 1\n+2", "1\n2\n\n", id="empty lines at the end stay"),
        pytest.param("x\n\ny\n", "@@\n x\n\n-y\n+z", "x\n\nz\n", id="empty context line"),
        pytest.param("foo \n foo\nfoo\n", "@@\n-foo\n+bar", "foo \n foo\nbar\n", id="an exact match wins"),
        pytest.param("  keep   \nold\n", "@@\n keep\n-old\n+new", "  keep   \nnew\n", id="near context stays as it is"),
        pytest.param("  def f():\n x\n", "@@ def f():\n- x\n+ y", "  def f():\n y\n", id="a near anchor"),
        pytest.param("say \u201chi\u201d \u2013 ok\n", '@@\n-say "hi" - ok\n+done', "done\n", id="plain punctuation"),
        pytest.param("a\u00a0b\n", "@@\n-a b\n+c", "c\n", id="plain spaces"),
        pytest.param("a\r\nb\r\nc\r\n", "@@\n a\n-b\n+B", "a\r\nB\r\nc\r\n", id="line ends of the file"),
        pytest.param("1\r\n2", "@@\n 2\n+3", "1\r\n2\r\n3\r\n", id="also for the last line"),
        pytest.param(
            "1\r\n2\n3\r\n4\n", "@@\n 1\n-2\n+two\n 3\n+4a\n 4", "1\r\ntwo\r\n3\r\n4a\r\n4\n", id="mixed line ends stay"
        ),
        pytest.param(
            "class A\n  f\nclass B\n  f\n", "@@ class B\n-  f\n+  g", "class A\n  f\nclass B\n  g\n", id="anchor"
        ),
        pytest.param("f\x0bg\u2028h\n", "@@\n-f\x0bg\u2028h\n+x", "x\n", id="only line feeds end lines"),
    ],
)
def test_a_chunk_changes_its_place_and_nothing_else(content, body, result):
    assert apply(content, body) == result


@pytest.mark.parametrize(
    ("content", "body", "message"),
    [
        ("x\n", "@@\n-q\n+y", "Failed to find expected lines in a:\nq"),
        ("x\n", "@@ nope\n-x\n+y", "Failed to find context 'nope' in a"),
        ("1\n2\n3\n", "@@\n-3\n+c\n@@\n-1\n+a", "Failed to find expected lines in a:\n1"),
        ("1\n2\n3\n", "@@\n-1\n+a\n*** End of File", "Failed to find expected lines in a:\n1"),
        ("x\n", "@@\n-x\n+y\n@@\n-x\n+z\n*** End of File", "Failed to find expected lines in a:\nx"),
        ("", "@@\n-x\n+y", "Failed to find expected lines in a:\nx"),
        ("a\n", "@@\n-a\n-b\n-c\n+y", "Failed to find expected lines in a:\na\nb\nc"),
    ],
)
def test_a_chunk_without_a_place_is_refused(content, body, message):
    with pytest.raises(PatchError) as caught:
        apply(content, body)

    assert str(caught.value) == message


def test_a_large_repetitive_file_is_searched_in_reasonable_time():
    content = "same\n" * 300_000 + "other\n"
    body = "@@\n" + " same\n" * 2_000 + "-other\n+done"

    started = time.monotonic()
    result = apply(content, body)

    assert result == "same\n" * 300_000 + "done\n"
    assert time.monotonic() - started < 10
