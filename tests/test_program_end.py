"""The program ends, and answers signals, whatever plugins do; what keeps it waiting is named."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lasting_programs import SAID, LastingProgram

pytestmark = pytest.mark.usefixtures("this_machine")
Begin = Callable[..., LastingProgram]
HOOK = "@hookimpl\nasync def stop(event):\n"
BUSY = f"{HOOK}    open('begun', 'w').close()\n"
BLOCKED = {
    "a hook that sleeps": ("import time\n" + BUSY + "    time.sleep(9e9)\n", "stop", "time.sleep(9e9)"),
    "a hook that waits for a lock": (
        "import threading\nlock = threading.Lock()\nlock.acquire()\n" + BUSY + "    lock.acquire()\n",
        "stop",
        "lock.acquire()",
    ),
    "a hook that computes": (
        "@hookimpl\ndef tools(thread):\n    open('begun', 'w').close()\n    while True: pass\n",
        "tools",
        "while True: pass",
    ),
    "an import that sleeps": (
        "import time\nopen('begun', 'w').close()\ntime.sleep(9e9)\n",
        "its import",
        "time.sleep(9e9)",
    ),
}
SWALLOWS = "    while True:\n        try: await asyncio.sleep(9e9)\n        except BaseException: pass\n"
LEFT = {
    "a thread": (
        "import threading, time\n"
        + HOOK
        + "    threading.Thread(target=lambda: time.sleep(9e9), name='Mine').start()\n",
        "plugin noisy: thread Mine is still running, at ",
    ),
    "a thread of the loop": (
        "import asyncio, time\n" + HOOK + "    asyncio.get_running_loop().run_in_executor(None, time.sleep, 9e9)\n",
        "thread asyncio_",
    ),
    "a task that keeps its cancellation to itself": (
        "import asyncio\nasync def forever():\n"
        + SWALLOWS
        + HOOK
        + "    global t\n    t = asyncio.create_task(forever())\n",
        "plugin noisy: forever did not end when it was cancelled, at ",
    ),
    "a task that blocks when it is cancelled": (
        "import asyncio, time\nasync def forever():\n    try: await asyncio.sleep(9e9)\n    finally: time.sleep(9e9)\n"
        + HOOK
        + "    global t\n    t = asyncio.create_task(forever())\n    await asyncio.sleep(0)\n",
        "plugin noisy: forever is still running, at ",
    ),
    "what it does when the thread ends": (
        "import asyncio\nasync def close():\n"
        + SWALLOWS
        + "@hookimpl\ndef tools(thread):\n    thread.on_close(close)\n    return []\n",
        "plugin noisy: close did not end when it was cancelled, at ",
    ),
    "a function for the exit": (
        "import atexit, time\ndef late(): time.sleep(9e9)\natexit.register(late)\n" + HOOK + "    pass\n",
        "plugin noisy: late is still running, at ",
    ),
}


TASK = "    global t\n    t = asyncio.get_running_loop().create_task(stray())\n    await asyncio.sleep(0.2)\n"
STRAY = "import asyncio, sys\nasync def stray():\n    {}\n" + HOOK
MEDDLES = {
    "a task that exits": (STRAY.format("sys.exit(3)") + TASK, "plugin noisy: stray raised SystemExit: 3 in a task"),
    "a task that interrupts": (
        STRAY.format("raise KeyboardInterrupt") + TASK,
        "plugin noisy: stray raised KeyboardInterrupt in a task",
    ),
    "a task that fails": (
        STRAY.format("raise ValueError('lost')") + TASK + "    del t\n",
        "plugin noisy: stray raised ValueError: lost in a task or callback of its own, at ",
    ),
    "a callback that exits": (
        "import asyncio, sys\n"
        + HOOK
        + "    asyncio.get_running_loop().call_soon(sys.exit, 3)\n    await asyncio.sleep(0.2)\n",
        "a task or callback raised SystemExit; the program continues",
    ),
    "a hook that stops the loop": (
        "import asyncio\n" + HOOK + "    asyncio.get_running_loop().stop()\n",
        "a plugin has stopped the program's event loop; it was restarted",
    ),
    "a callback that stops the loop again and again": (
        "import asyncio\n" + HOOK + "    loop = asyncio.get_running_loop()\n"
        "    def again():\n        loop.call_soon(again)\n        loop.stop()\n    again()\n",
        "a plugin has stopped the program's event loop; it was restarted",
    ),
    "a callback that exits again and again": (
        "import asyncio, os, sys\n" + HOOK + "    reader, writer = os.pipe()\n    os.write(writer, b'x')\n"
        "    asyncio.get_running_loop().add_reader(reader, sys.exit, 3)\n    await asyncio.sleep(0.1)\n",
        "a task or callback raised SystemExit; the program continues",
    ),
    "a hook that interrupts": (HOOK + "    raise KeyboardInterrupt\n", "plugin noisy (codex-noisy 1.0.0): stop raised"),
    "an offer that interrupts": (
        "@hookimpl\ndef tools(thread):\n    raise KeyboardInterrupt\n",
        "plugin noisy (codex-noisy 1.0.0): tools raised KeyboardInterrupt",
    ),
    "an error that hides its traceback": (
        "class Odd(Exception):\n    @property\n    def __traceback__(self): raise OSError\n" + HOOK + "    raise Odd\n",
        "plugin noisy (codex-noisy 1.0.0): stop raised RuntimeError: an error that can't be looked at",
    ),
    "an error whose class has no name": (
        "class Nameless(type):\n    @property\n    def __name__(self): raise OSError\n"
        "class Odd(Exception, metaclass=Nameless): pass\n" + HOOK + "    raise Odd\n",
        "plugin noisy (codex-noisy 1.0.0): stop raised RuntimeError: an error that can't be looked at",
    ),
    "an answer that says that it is another": (
        "from codex_hookspecs import StopVerdict\nclass Odd:\n    __class__ = StopVerdict\n"
        + HOOK
        + "    return Odd()\n",
        "plugin noisy (codex-noisy 1.0.0): stop returned Odd, not StopVerdict or None",
    ),
    "output that is taken away": ("import sys\n" + HOOK + "    sys.stdout = sys.stderr = None\n", ""),
}


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    """Return a function that starts a turn with a plugin; all are killed in the end."""
    programs: list[LastingProgram] = []

    def start(source: str = "") -> LastingProgram:
        programs.append(LastingProgram(tmp_path / str(len(programs)), source))
        return programs[-1].start()

    yield start
    for program in programs:
        if program.process.poll() is None:
            program.process.kill()
            program.process.wait()


def until(fits: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not fits():
        assert time.monotonic() < end
        time.sleep(0.01)


def at_work(program: LastingProgram) -> None:
    """Wait until the plugin has reached the place where it stays."""
    until((program.work / "begun").exists)


def test_a_plugin_that_keeps_everything_waiting_is_named_with_hook_and_line_and_signals_end_the_program(
    begin: Begin,
) -> None:
    going_on = begin("import time\n" + HOOK + "    time.sleep(13)\n")
    programs = {what: begin(source) for what, (source, _, _) in BLOCKED.items()}

    for what, program in programs.items():
        _, hook, line = BLOCKED[what]
        program.told(f"Warning: plugin noisy: {hook} has blocked the event loop for 10 s, at ")
        [told] = [told for told in program.err.splitlines() if "blocked the event loop" in told]
        assert told.endswith(f"`{line}`"), what
        assert "third_noisy/plugin.py:" in told

    for program in programs.values():
        program.send(signal.SIGINT)
    time.sleep(0.2)
    for program in programs.values():
        program.send(signal.SIGINT)
    assert {what: program.ended(10) for what, program in programs.items()} == dict.fromkeys(programs, 130)
    assert not any("Traceback" in program.err for program in programs.values())
    assert (going_on.ended(), going_on.out) == (0, f"{SAID}\n")
    assert "\nwarning: plugin noisy: stop has blocked the event loop" in going_on.err


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_one_signal_to_end_is_enough_also_when_a_plugin_blocks(
    begin: Begin, number: signal.Signals, status: int
) -> None:
    blocked = begin(BLOCKED["a hook that sleeps"][0])
    importing = begin(BLOCKED["an import that sleeps"][0])
    stubborn = begin("import asyncio\n" + BUSY + SWALLOWS)
    for program in (blocked, importing, stubborn):
        at_work(program)
        program.send(number)

    assert [program.ended(15) for program in (blocked, importing, stubborn)] == [status] * 3
    assert "Warning: the program was signalled to exit, but did not: plugin noisy: stop is still running" in blocked.err


def test_a_plugin_that_answers_signals_itself_does_not_keep_them_from_the_program(begin: Begin) -> None:
    ignore = "for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP): signal.signal(n, signal.SIG_IGN)\n"
    at_import = begin(f"import asyncio, signal\n{ignore}{BUSY}    await asyncio.sleep(9e9)\n")
    in_hook = begin(f"import asyncio, signal\n{BUSY}    {ignore}    await asyncio.sleep(9e9)\n")
    at_work(at_import)
    in_hook.told("a plugin has replaced the program's handler of SIGINT, SIGTERM, SIGHUP; it was restored")

    at_import.send(signal.SIGTERM)
    in_hook.send(signal.SIGTERM)

    assert (at_import.ended(15), in_hook.ended(15)) == (143, 143)


def test_nothing_that_a_plugin_has_left_keeps_the_program_from_ending(begin: Begin) -> None:
    programs = {what: begin(source) for what, (source, _) in LEFT.items()}

    for what, program in programs.items():
        program.told(SAID)
        assert program.ended(20) == 0, what

    for what, program in programs.items():
        assert program.out == f"{SAID}\n"
        assert LEFT[what][1] in program.err, what


def test_whatever_a_plugin_does_to_the_event_loop_the_turn_goes_on_and_tells_it(begin: Begin) -> None:
    programs = {what: begin(source) for what, (source, _) in MEDDLES.items()}

    ended = {what: (program.ended(), program.out) for what, program in programs.items()}

    assert ended == dict.fromkeys(programs, (0, f"{SAID}\n"))
    for what, program in programs.items():
        assert MEDDLES[what][1] in program.err, what
        assert "Traceback" not in program.err, what


def test_a_plugin_that_cancels_everything_is_told_of_as_an_error(begin: Begin) -> None:
    program = begin("import asyncio\n" + HOOK + "    for task in asyncio.all_tasks(): task.cancel()\n")

    assert (program.ended(), program.out) == (1, "")
    assert "Error: the program was cancelled by code in it: plugins may cancel their own tasks only" in program.err


def test_a_process_that_a_plugin_has_forked_answers_signals_as_any_process(begin: Begin) -> None:
    program = begin(
        "import os, signal, time\n" + HOOK + "    child = os.fork()\n    if not child: time.sleep(60)\n"
        "    time.sleep(0.3)\n    os.kill(child, signal.SIGTERM)\n    print('ended by', os.waitpid(child, 0)[1])\n"
    )

    assert program.ended(20) == 0
    assert f"ended by {int(signal.SIGTERM)}\n" in program.err


def test_three_interruptions_at_once_end_it_without_a_word(begin: Begin) -> None:
    programs = []
    for pause in (0.02, 0.1, 0.3):
        program = begin("")
        time.sleep(pause)
        for _ in range(3):
            program.send(signal.SIGINT)
        programs.append(program)

    assert {program.ended(20) for program in programs} <= {0, 1, 130}  # 0 when it was over already
    assert not any("Traceback" in program.err or "KeyboardInterrupt" in program.err for program in programs)


def test_an_interruption_at_any_moment_of_the_start_is_quiet_and_leaves_nothing_half_done(tmp_path: Path) -> None:
    program = LastingProgram(tmp_path / "place")
    program.start().ended()  # which finds the plugins
    whole = time.monotonic()
    program.start().ended()
    whole = time.monotonic() - whole
    moments, statuses, before = 30, set(), files(program.home)

    for number in range(moments):
        program.start()
        time.sleep(whole * number / moments)
        program.send(signal.SIGINT)
        statuses.add(program.ended(20))

        assert [word for word in ("Traceback", "KeyboardInterrupt", "rror") if word in program.err] == [], program.err

    assert statuses <= {0, 1, 130}  # over already, the turn interrupted in good order, ended on the way there
    assert 130 in statuses
    assert files(program.home) == before
    for state in program.home.rglob("*.json"):
        json.loads(state.read_text())


def files(home: Path) -> set[Path]:
    """Return what there is beside the threads."""
    return {path for path in home.rglob("*") if "sessions" not in path.parts}


def test_a_signal_that_comes_while_a_sandbox_is_prepared_keeps_its_command_from_starting(tmp_path: Path) -> None:
    told = "import os, signal\n@hookimpl\ndef sandbox_launcher(policy):\n    os.kill(os.getpid(), signal.SIGHUP)\n"
    program = LastingProgram(tmp_path / "place", told)

    program.start("sandbox", "linux", "--full-auto", "--", "touch", "ran")

    assert program.ended(20) == 128 + signal.SIGHUP
    assert not (program.work / "ran").exists()


def test_the_program_s_own_threads_leave_signals_to_the_main_thread(begin: Begin) -> None:
    look = "{path.read_text().split('SigBlk:')[1].split()[0] for path in Path('/proc/self/task').glob('*/status')}"
    program = begin(f"from pathlib import Path\n{HOOK}    print('blocked', sorted({look}))\n")

    assert program.ended() == 0
    assert program.err.count("blocked ['0000000000000000', 'ff") == 1, program.err
