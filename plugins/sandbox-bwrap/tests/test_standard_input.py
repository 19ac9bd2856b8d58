"""A command reads what is on stdin and can't write the file it comes from."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys
from codex_sandbox_bwrap import standard_input
standard_input._MAX_COPY_BYTES = int(sys.argv[1])
standard_input.shield_input()
print(sys.stdin.read())
try:
    open("/proc/self/fd/0", "w").write("evil")
except OSError as error:
    print(type(error).__name__)
"""


@pytest.mark.parametrize("most", [100, 0], ids=["copied", "piped"])
def test_a_file_is_read_from_its_position_and_can_not_be_written(most: int, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("onetwo")
    with open(tmp_path / "file") as file:
        file.seek(3)

        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(most)],
            stdin=file,
            capture_output=True,
            text=True,
            check=True,
            timeout=20,
        )

    assert done.stdout.splitlines()[0] == "two"
    assert (tmp_path / "file").read_text() == "onetwo"


def test_a_pipe_is_left_alone() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "100"], input="fed", capture_output=True, text=True, check=True, timeout=20
    )

    assert done.stdout.splitlines()[0] == "fed"


def test_a_file_that_is_open_for_writing_is_left_alone(tmp_path: Path) -> None:
    with open(tmp_path / "file", "w+") as file:
        file.write("old")
        file.seek(0)
        subprocess.run([sys.executable, "-c", PROGRAM, "100"], stdin=file, capture_output=True, check=True, timeout=20)

    assert (tmp_path / "file").read_text() == "evil"


def test_a_closed_stdin_is_no_error() -> None:
    done = subprocess.run(
        [
            "sh",
            "-c",
            '"$0" -c "$1" 0 <&-',
            sys.executable,
            "from codex_sandbox_bwrap import standard_input as s; s.shield_input()",
        ],
        capture_output=True,
        check=False,
        timeout=20,
    )

    assert done.returncode == 0
