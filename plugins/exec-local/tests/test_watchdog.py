"""The commands of a program that was killed are killed, too."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from codex_exec_local import orphan_killer
from codex_exec_local import watchdog as watchdog_module
from codex_exec_local.orphan_killer import ProcessInfo, descendants
from codex_exec_local.watchdog import Watchdog
from codex_hookspecs.protocol import uuid4

pytestmark = pytest.mark.anyio
LIMIT = 20


def sleeper() -> subprocess.Popen[bytes]:
    return subprocess.Popen(["/bin/sleep", "60"], stdout=subprocess.PIPE, start_new_session=True)


def watch(watchdog: Watchdog, process: subprocess.Popen[bytes]) -> None:
    assert process.stdout is not None
    watchdog.starting(process.stdout.fileno())
    watchdog.started(process.pid)


def test_descendants_include_sessions_of_leaders_and_children_in_other_sessions() -> None:
    processes = {
        1: ProcessInfo(0, 1),
        10: ProcessInfo(1, 10),
        11: ProcessInfo(10, 10),
        12: ProcessInfo(11, 12),
        13: ProcessInfo(12, 13),
        14: ProcessInfo(1, 10),
        20: ProcessInfo(1, 20),
        21: ProcessInfo(20, 20),
    }

    assert descendants(processes, {10}, set()) == {10, 11, 12, 13, 14}
    assert descendants(processes, set(), {20}) == {20, 21}


async def test_running_commands_are_killed_when_the_program_ends() -> None:
    watchdog = Watchdog()
    with sleeper() as started, sleeper() as ended:
        watch(watchdog, ended)
        watch(watchdog, started)
        watchdog.ended(ended.pid)

        await watchdog.aclose()

        assert started.wait(LIMIT) == -signal.SIGKILL
        assert ended.poll() is None
        ended.kill()


async def test_a_shell_that_was_killed_is_replaced() -> None:
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


async def test_a_command_that_was_about_to_start_is_found_by_its_output() -> None:
    watchdog = Watchdog()
    reader, writer = os.pipe()
    watchdog.starting(writer)
    started = subprocess.Popen(["/bin/sleep", "60"], stdout=writer, start_new_session=True)
    os.close(writer)

    await watchdog.aclose()

    assert started.wait(LIMIT) == -signal.SIGKILL
    os.close(reader)


async def test_commands_run_without_a_shell_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog_module, "_SHELL", "/nope")
    before = len(os.listdir("/dev/fd"))
    watchdog = Watchdog()
    with sleeper() as process:
        watch(watchdog, process)
        watchdog.ended(process.pid)
        process.kill()
    await watchdog.aclose()

    assert len(os.listdir("/dev/fd")) == before


async def test_nothing_is_killed_when_all_commands_have_ended() -> None:
    watchdog = Watchdog()
    with sleeper() as process:
        watch(watchdog, process)
        watchdog.ended(process.pid)
        watchdog.start_failed()

        await watchdog.aclose()

        assert process.poll() is None
        process.kill()


def test_the_orphan_killer_runs_without_site_packages() -> None:
    with sleeper() as process:
        arguments = [str(os.getsid(0)), "", "", str(process.pid)]
        program = Path(orphan_killer.__file__)

        subprocess.run([sys.executable, "-I", "-S", program, *arguments], check=True, timeout=LIMIT, env={})

        assert process.wait(LIMIT) == -signal.SIGKILL


async def test_processes_with_the_mark_of_a_command_are_killed_but_not_those_with_the_programs_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    outer, inner = uuid4(), uuid4()
    monkeypatch.setenv(orphan_killer.MARK, outer)
    watchdog = Watchdog()
    with (
        subprocess.Popen(["/bin/sleep", "60"], env={orphan_killer.MARK: inner}, start_new_session=True) as left,
        subprocess.Popen(["/bin/sleep", "60"], env={orphan_killer.MARK: outer}, start_new_session=True) as others,
    ):
        for mark in (outer, inner, "* no mark"):
            watchdog.mark({orphan_killer.MARK: mark})

        await watchdog.aclose()

        assert left.wait(LIMIT) == -signal.SIGKILL
        assert others.poll() is None
        others.kill()
