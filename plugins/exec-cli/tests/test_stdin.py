"""A stdin that is left open does not block a run; a slow command of the same pipeline is waited for."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

from codex_exec_cli.prompt import read_optional_stdin, read_stdin


def test_input_is_read_to_eof() -> None:
    reader, writer = os.pipe()
    os.write(writer, b"some text")
    os.close(writer)

    assert read_optional_stdin(reader, silence=0.2) == (b"some text", True)
    os.close(reader)


def test_a_pipe_that_the_parent_keeps_open_times_out() -> None:
    reader, writer = os.pipe()
    os.write(writer, b"part")

    assert read_optional_stdin(reader, silence=0.2) == (b"part", False)
    os.close(reader)
    os.close(writer)


def test_a_command_of_the_same_pipeline_is_waited_for() -> None:
    reader, writer = os.pipe()
    slow = subprocess.Popen([sys.executable, "-I", "-c", "import time; time.sleep(1.5); print('late')"], stdout=writer)
    os.close(writer)

    assert read_optional_stdin(reader, silence=0.2) == (b"late\n", True)
    assert slow.wait(10) == 0
    os.close(reader)


def test_a_process_that_can_only_read_the_pipe_is_not_waited_for() -> None:
    reader, writer = os.pipe()
    other = subprocess.Popen(["sleep", "20"], stdin=reader)

    assert read_optional_stdin(reader, silence=0.2) == (b"", False)
    other.kill()
    other.wait(10)
    os.close(reader)
    os.close(writer)


def test_requested_input_is_read_to_eof_however_long_it_takes() -> None:
    reader, writer = os.pipe()

    def write() -> None:
        time.sleep(0.6)
        os.write(writer, b"the prompt")
        os.close(writer)

    thread = threading.Thread(target=write)
    thread.start()

    assert read_stdin(reader) == b"the prompt"
    thread.join()
    os.close(reader)


def test_a_closed_input_is_empty() -> None:
    reader, writer = os.pipe()
    os.close(writer)
    os.close(reader)

    assert read_optional_stdin(reader, silence=0.2) == (b"", True)
    assert read_stdin(reader) == b""
