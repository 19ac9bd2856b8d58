"""Files that outlive the program are old or new, never half of each."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from codex_hookspecs.state_file import replace_file


def test_a_file_is_made_with_its_folders_for_the_user_alone(tmp_path: Path) -> None:
    replace_file(tmp_path / "a" / "b.json", "text")

    assert (tmp_path / "a" / "b.json").read_text() == "text"
    assert (tmp_path / "a" / "b.json").stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path / "a") == ["b.json"]


def test_line_ends_are_written_as_they_are(tmp_path: Path) -> None:
    replace_file(tmp_path / "f", "a\r\nb\n", mode=0o644)

    assert (tmp_path / "f").read_bytes() == b"a\r\nb\n"
    assert (tmp_path / "f").stat().st_mode & 0o777 == 0o644


def test_a_failure_leaves_the_old_content_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "f").mkdir()

    with pytest.raises(OSError, match="directory"):
        replace_file(tmp_path / "f", "text")

    assert os.listdir(tmp_path) == ["f"]


def test_text_that_cannot_be_encoded_leaves_the_old_content(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("old")

    with pytest.raises(UnicodeEncodeError):
        replace_file(tmp_path / "f", "\ud800")

    assert (tmp_path / "f").read_text() == "old"
    assert os.listdir(tmp_path) == ["f"]
