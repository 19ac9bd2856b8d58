"""Files that outlive the program are old or new, never half of each."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
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


KILLED = """
import os, signal, sys
from pathlib import Path
from codex_hookspecs import state_file

state_file.os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)
state_file.replace_file(Path(sys.argv[1]), "half")
"""

STOPPED = KILLED.replace("SIGKILL", "SIGSTOP")


def test_what_a_killed_program_had_begun_is_removed_by_the_next_writer(tmp_path: Path) -> None:
    for _ in range(3):
        subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "f")], check=False, timeout=30)
    assert os.listdir(tmp_path)
    (tmp_path / ".other.1-0a.new").write_text("of another file")
    time.sleep(0.3)

    replace_file(tmp_path / "f", "whole")

    assert sorted(os.listdir(tmp_path)) == [".other.1-0a.new", "f"]
    assert (tmp_path / "f").read_text() == "whole"


def test_what_another_program_is_writing_is_left_to_it(tmp_path: Path) -> None:
    other = subprocess.Popen([sys.executable, "-c", STOPPED, str(tmp_path / "f")])
    os.waitid(os.P_PID, other.pid, os.WSTOPPED)
    time.sleep(0.3)

    replace_file(tmp_path / "f", "first")
    other.send_signal(signal.SIGCONT)

    assert other.wait(30) == 0
    assert (tmp_path / "f").read_text() == "half"
    assert os.listdir(tmp_path) == ["f"]
