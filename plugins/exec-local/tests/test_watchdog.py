"""What ends the commands of a program that was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from codex_exec_local import sweeping
from codex_exec_local import watchdog as watchdog_module
from codex_exec_local.sweeping import Seen, belonging
from codex_exec_local.watchdog import Watchdog
from codex_hookspecs.protocol import uuid4

pytestmark = pytest.mark.anyio
LIMIT = 20


def sleeper() -> subprocess.Popen[bytes]:
    return subprocess.Popen(["/bin/sleep", "60"], stdout=subprocess.PIPE, start_new_session=True)


def watch(watchdog: Watchdog, process: subprocess.Popen[bytes]) -> None:
    assert process.stdout is not None
    watchdog.coming(process.stdout.fileno())
    watchdog.running(process.pid)


def test_sessions_and_all_that_descends_belong_to_a_leader() -> None:
    processes = {
        1: Seen(0, 1),
        10: Seen(1, 10),
        11: Seen(10, 10),
        12: Seen(11, 12),
        13: Seen(12, 13),
        14: Seen(1, 10),
        20: Seen(1, 20),
        21: Seen(20, 20),
    }

    assert belonging(processes, {10}, set()) == {10, 11, 12, 13, 14}
    assert belonging(processes, set(), {20}) == {20, 21}


async def test_the_end_of_the_watched_program_is_the_end_of_what_runs() -> None:
    watchdog = Watchdog()
    with sleeper() as running, sleeper() as over:
        watch(watchdog, over)
        watch(watchdog, running)
        watchdog.over(over.pid)

        await watchdog.aclose()

        assert running.wait(LIMIT) == -signal.SIGKILL
        assert over.poll() is None
        over.kill()


async def test_another_shell_takes_the_place_of_one_that_was_killed() -> None:
    watchdog = Watchdog()
    with sleeper() as first, sleeper() as second, sleeper() as third:
        watch(watchdog, first)
        os.kill(watchdog._shell, signal.SIGKILL)
        os.waitid(os.P_PID, watchdog._shell, os.WEXITED | os.WNOWAIT)
        watch(watchdog, second)
        watch(watchdog, third)

        await watchdog.aclose()

        ends = [process.wait(LIMIT) for process in (first, second, third)]
        assert ends == [-signal.SIGKILL] * 3


async def test_a_command_that_was_only_about_to_start_is_known_by_its_output() -> None:
    watchdog = Watchdog()
    reader, writer = os.pipe()
    watchdog.coming(writer)
    started = subprocess.Popen(["/bin/sleep", "60"], stdout=writer, start_new_session=True)
    os.close(writer)

    await watchdog.aclose()

    assert started.wait(LIMIT) == -signal.SIGKILL
    os.close(reader)


async def test_commands_are_run_where_there_is_no_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog_module, "_SHELL", "/nope")
    before = len(os.listdir("/dev/fd"))
    watchdog = Watchdog()
    with sleeper() as process:
        watch(watchdog, process)
        watchdog.over(process.pid)
        process.kill()
    await watchdog.aclose()

    assert len(os.listdir("/dev/fd")) == before


async def test_nothing_is_killed_when_all_is_over() -> None:
    watchdog = Watchdog()
    with sleeper() as process:
        watch(watchdog, process)
        watchdog.over(process.pid)
        watchdog.failed()

        await watchdog.aclose()

        assert process.poll() is None
        process.kill()


def test_the_sweep_needs_nothing_of_ours() -> None:
    with sleeper() as process:
        arguments = [str(os.getsid(0)), "", "", str(process.pid)]
        program = Path(sweeping.__file__)

        subprocess.run([sys.executable, "-I", "-S", program, *arguments], check=True, timeout=LIMIT, env={})

        assert process.wait(LIMIT) == -signal.SIGKILL


async def test_what_has_the_mark_of_a_command_ends_and_nothing_that_has_the_programs_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    outer, inner = uuid4(), uuid4()
    monkeypatch.setenv(sweeping.MARK, outer)
    watchdog = Watchdog()
    with (
        subprocess.Popen(["/bin/sleep", "60"], env={sweeping.MARK: inner}, start_new_session=True) as left,
        subprocess.Popen(["/bin/sleep", "60"], env={sweeping.MARK: outer}, start_new_session=True) as others,
    ):
        for mark in (outer, inner, "* no mark"):
            watchdog.mark({sweeping.MARK: mark})

        await watchdog.aclose()

        assert left.wait(LIMIT) == -signal.SIGKILL
        assert others.poll() is None
        others.kill()
