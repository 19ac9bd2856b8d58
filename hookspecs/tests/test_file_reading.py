"""Files that are not what they seem, and documents that are too deep, are one clear error each."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import pytest

from codex_hookspecs.errors import ConfigError
from codex_hookspecs.file_reading import MAX_DEPTH, parse_toml, read_bytes, read_text
from codex_hookspecs.json_text import TooDeep, parse_json


def refusal(path: Path, **options: int) -> str:
    with pytest.raises(ConfigError) as caught:
        read_text(str(path), **options)  # type: ignore[arg-type]
    assert caught.value.source == str(path)
    return caught.value.message


def test_what_is_no_file_is_neither_waited_for_nor_read(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    assert refusal(path) == "is a pipe, expected a file"
    path = tmp_path / "zero"
    path.symlink_to("/dev/zero")
    assert refusal(path) == "is a device, expected a file"
    assert refusal(tmp_path) == "is a directory, expected a file"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        assert refusal(tmp_path / "s").startswith("can't be read: ")


def test_a_file_that_is_too_large_is_told_with_its_size(tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(3 * 1024**3)

    assert refusal(path) == "has 3221225472 bytes, allowed are at most 4194304"
    path.write_bytes(b"12345")
    assert refusal(path, limit=4) == "has 5 bytes, allowed are at most 4"
    assert read_bytes(str(path), limit=5) == b"12345"


def test_what_is_not_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    assert read_text(str(tmp_path / "none")) is None
    assert read_text(str(tmp_path / "file/none")) is None
    assert read_text(str(tmp_path / "file")) == ""
    assert read_text("/dev/null") == ""


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbfa")

    assert read_text(str(tmp_path / "a")) == "a"
    assert parse_json(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


def test_what_is_not_utf_8_is_told_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"ab\xff")

    assert refusal(tmp_path / "a") == "is not UTF-8 (byte 2)"
    assert read_text(str(tmp_path / "a"), errors="replace") == "ab\ufffd"


def test_a_link_is_followed_unless_it_must_not_be(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    (tmp_path / "b").symlink_to("a")

    assert read_bytes(str(tmp_path / "b")) == b"x"
    with pytest.raises(ConfigError):
        read_bytes(str(tmp_path / "b"), follow=False)


def test_a_name_that_no_file_can_have_is_one_error() -> None:
    with pytest.raises(ConfigError, match="can't be read: embedded null byte"):
        read_bytes("/a\0b")


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 900, 5_000, 100_000])
@pytest.mark.parametrize("form", ['{{"a": {}}}', '[{{"a": {}}}]', "[{}]"])
def test_deep_json_is_a_parse_error(depth: int, form: str) -> None:
    before, after = form.format("*").split("*")

    with pytest.raises(TooDeep, match="recursion limit exceeded"):
        parse_json(before * depth + "1" + after * depth)


def test_json_may_be_as_deep_as_a_document_of_a_person(tmp_path: Path) -> None:
    assert parse_json("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    assert parse_json('{"text": "' + "[{" * 10_000 + '"}') == {"text": "[{" * 10_000}


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 5_000 + "]" * 5_000,
        "a = " + "{a = " * 5_000 + "1" + "}" * 5_000,
        "a" + ".a" * 5_000 + " = 1",
        "[" + "a." * 200_000 + "a]\n",
        'x = 1\n["a"' + ' . "a"' * 5_000 + "]\n",
        "a = " + "[" * 200 + "]" * 200,
    ],
)
def test_deep_toml_is_a_parse_error_at_once(text: str) -> None:
    began = time.monotonic()

    with pytest.raises(ValueError, match="nested more than 127 levels deep"):
        parse_toml(text)

    assert time.monotonic() - began < 5


def test_a_long_text_with_dots_is_no_deep_key() -> None:
    text = "one. two... three.four " * 1_000

    assert parse_toml(f'a = "{text}"') == {"a": text}
    assert parse_toml(f'a = "{"x" * 1_000_000}." ' + "\n" * 200) == {"a": "x" * 1_000_000 + "."}
