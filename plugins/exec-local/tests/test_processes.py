"""Processes of this machine: descriptors, groups, terminals, large outputs."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from codex_exec_local.backend import LocalExecBackend
from codex_exec_local.process import LocalProcess
from codex_hookspecs.environments import ExecParams, OutputChunk, ProcessClosed, ProcessEvent, ProcessExited
from codex_hookspecs.errors import ExecError
from codex_hookspecs.sandbox import SandboxPolicy

pytestmark = pytest.mark.anyio

LIMIT = 20
_numbers = count(1)


@pytest.fixture
async def backend() -> AsyncIterator[LocalExecBackend]:
    backend = LocalExecBackend()
    yield backend
    await backend.aclose()


async def start(backend: LocalExecBackend, script: str, **params: Any) -> LocalProcess:
    given = {
        "process_id": str(next(_numbers)),
        "argv": ("/bin/sh", "-c", script),
        "cwd": "/",
        "env": {"PATH": os.environ["PATH"]},
        **params,
    }
    return await backend.start(ExecParams(**given))


async def finish(process: LocalProcess) -> list[ProcessEvent]:
    async with asyncio.timeout(LIMIT):
        return [event async for event in process.events()]


async def until(process: LocalProcess, text: bytes) -> None:
    seen = b""
    async with asyncio.timeout(LIMIT):
        async for event in process.events():
            seen += event.data if isinstance(event, OutputChunk) else b""
            if text in seen:
                return
    raise AssertionError(f"{text!r} not in {seen!r}")


def output(events: list[ProcessEvent]) -> bytes:
    return b"".join(event.data for event in events if isinstance(event, OutputChunk))


def code(events: list[ProcessEvent]) -> int | None:
    return next((event.exit_code for event in events if isinstance(event, ProcessExited)), None)


def open_descriptors() -> int:
    return len(os.listdir("/dev/fd"))


def children() -> set[str]:
    command = ["ps", "--ppid", str(os.getpid()), "-ww", "-o", "pid=,stat=,args="]
    listed = subprocess.run(command, check=False, capture_output=True, text=True)
    ours = ("ps --ppid", "/bin/sh -c cd / ", "exec-server --listen")
    return {line for line in listed.stdout.splitlines() if not any(each in line for each in ours)}


@pytest.fixture
def others() -> set[str]:
    """Return the children that this process already has, from other tests."""
    return children()


async def test_the_child_leads_its_own_session_and_group(backend: LocalExecBackend) -> None:
    process = await start(backend, "ps -o pid=,pgid=,sid= -p $$")

    numbers = output(await finish(process)).split()

    assert numbers == [str(process.pid).encode()] * 3


async def test_the_child_inherits_no_descriptors(backend: LocalExecBackend, tmp_path: Path) -> None:
    with (tmp_path / "x").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        found = output(await finish(await start(backend, "ls /proc/self/fd")))

    assert found.split() == [b"0", b"1", b"2", b"3"]  # 3 is the directory that ls reads


async def test_no_descriptor_is_left_open_and_no_child_unreaped(backend: LocalExecBackend, others: set[str]) -> None:
    await finish(await start(backend, "true"))
    before = open_descriptors()

    for options in ({}, {"pipe_stdin": True}, {"tty": True}):
        for _ in range(5):
            await finish(await start(backend, "echo x", **options))
    with pytest.raises(ExecError):
        await start(backend, "", argv=("/nope",))
    with pytest.raises(ExecError):
        await start(backend, "", argv=("/nope",), tty=True)

    assert open_descriptors() == before
    assert children() <= others


async def test_arg0_is_what_the_program_sees(backend: LocalExecBackend) -> None:
    process = await start(backend, "", argv=("/bin/sh", "-c", "echo $0"), arg0="another-name")

    assert output(await finish(process)) == b"another-name\n"


async def test_the_program_is_searched_in_the_child_s_path(backend: LocalExecBackend, tmp_path: Path) -> None:
    program = tmp_path / "greet"
    program.write_text("#!/bin/sh\necho hello\n")
    program.chmod(0o755)

    process = await start(backend, "", argv=("greet",), env={"PATH": str(tmp_path)})

    assert output(await finish(process)) == b"hello\n"


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"argv": ("/etc/passwd",)}, "Permission denied (os error 13)"),
        ({"argv": ("a\0b",)}, "nul byte found in provided data"),
        ({"env": {"A": "a\0b"}}, "nul byte found in provided data"),
        ({"cwd": "/etc/passwd"}, "Not a directory (os error 20)"),
        ({"argv": ("/bin/echo", "x" * 3_000_000)}, "Argument list too long (os error 7)"),
    ],
)
@pytest.mark.parametrize("tty", [False, True])
async def test_a_failed_launch_has_the_error_message_of_the_system(
    backend: LocalExecBackend, params: dict[str, Any], text: str, tty: bool
) -> None:
    with pytest.raises(ExecError) as caught:
        await start(backend, "true", tty=tty, **params)

    assert str(caught.value) == text


async def test_a_policy_is_not_ignored(backend: LocalExecBackend) -> None:
    with pytest.raises(ExecError, match="cannot enforce the sandbox policy read-only"):
        await start(backend, "true", sandbox=SandboxPolicy("readOnly"))


async def test_a_signal_shows_in_the_exit_code(backend: LocalExecBackend) -> None:
    assert code(await finish(await start(backend, "kill -TERM $$"))) == 143
    assert code(await finish(await start(backend, "kill -TERM $$", tty=True))) == 1


async def test_a_grandchild_delays_the_close_but_not_the_exit(backend: LocalExecBackend) -> None:
    process = await start(backend, "echo a; (sleep 0.4; echo late) & exit 7")

    result = await process.read(1, wait=LIMIT)
    found = await finish(process)

    assert (result.exited, result.exit_code, result.closed) == (True, 7, False)
    assert [type(event) for event in found] == [OutputChunk, ProcessExited, OutputChunk, ProcessClosed]


async def test_an_exit_is_reported_after_all_output_before_it(backend: LocalExecBackend) -> None:
    for _ in range(20):
        found = await finish(await start(backend, "head -c 300000 /dev/zero"))

        assert isinstance(found[-2], ProcessExited)


async def test_a_grandchild_is_killed_with_the_process(backend: LocalExecBackend) -> None:
    process = await start(backend, "sleep 60 & echo ready; exit 0")
    async with asyncio.timeout(LIMIT):
        while not (await process.read(1, wait=1)).exited:
            pass

    assert await process.terminate() is False

    assert isinstance((await finish(process))[-1], ProcessClosed)


async def test_a_terminal_is_the_controlling_one(backend: LocalExecBackend) -> None:
    process = await start(backend, "echo hi > /dev/tty; stty size; tty; echo $SHELL", tty=True, rows=50, columns=132)

    lines = output(await finish(process)).split(b"\r\n")

    assert lines[:2] == [b"hi", b"50 132"]
    assert lines[2].startswith(b"/dev/")
    assert lines[3].startswith(b"/")


async def test_the_interrupt_character_interrupts_and_is_echoed(backend: LocalExecBackend) -> None:
    process = await start(backend, "echo ready; exec cat", tty=True)
    await until(process, b"ready")

    await process.write(b"\x03")

    found = await finish(process)
    assert code(found) == 1
    assert b"^C" in output(found)


async def test_the_end_of_file_character_closes_the_input_of_a_terminal(backend: LocalExecBackend) -> None:
    process = await start(backend, "cat; echo over", tty=True)

    await process.write(b"hey\n\x04")

    assert output(await finish(process)).split() == [b"hey", b"hey", b"over"]


async def test_a_resize_is_signalled(backend: LocalExecBackend) -> None:
    script = "trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.05; done"
    process = await start(backend, script, tty=True)
    await until(process, b"ready")

    await process.resize(10, 20)

    assert b"10 20" in output(await finish(process))


async def test_input_to_a_program_that_closed_stdin_is_discarded(backend: LocalExecBackend) -> None:
    process = await start(backend, "exec 0<&-; echo ready; exec sleep 60", pipe_stdin=True)
    await until(process, b"ready")

    async with asyncio.timeout(LIMIT):
        statuses = {await process.write(b"x" * 65536) for _ in range(300)}

    assert statuses == {"accepted"}
    await process.terminate()


async def test_a_large_input_arrives_completely(backend: LocalExecBackend) -> None:
    process = await start(backend, "head -c 5000000 | wc -c", pipe_stdin=True)

    for _ in range(100):
        await process.write(b"x" * 50_000)

    assert output(await finish(process)).strip() == b"5000000"


async def test_two_hundred_processes_run_at_once(backend: LocalExecBackend) -> None:
    processes = [await start(backend, f"read x; echo $x {number}", pipe_stdin=True) for number in range(200)]

    await asyncio.gather(*(process.write(b"go\n") for process in processes))
    found = await asyncio.gather(*(finish(process) for process in processes))

    assert [output(events) for events in found] == [f"go {number}\n".encode() for number in range(200)]


def test_a_large_output_needs_bounded_memory() -> None:
    script = (
        "import asyncio, os, resource\n"
        "from codex_hookspecs.types.environment import ExecParams, OutputChunk\n"
        "from codex_exec_local.backend import LocalExecBackend\n"
        "async def main():\n"
        "    process = await LocalExecBackend().start(ExecParams(process_id='1', cwd='/',\n"
        "        argv=('/bin/sh', '-c', 'yes | head -c 200000000'), env=dict(os.environ)))\n"
        "    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "    size = 0\n"
        "    async for event in process.events():\n"
        "        size += len(event.data) if isinstance(event, OutputChunk) else 0\n"
        "    print(size, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
        "asyncio.run(main())\n"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)

    size, grown_kib = map(int, done.stdout.split())
    assert size == 200_000_000
    assert grown_kib < 10_000


async def test_a_cancelled_reader_does_not_block_the_process(backend: LocalExecBackend) -> None:
    process = await start(backend, "head -c 10000000 /dev/zero")
    events = process.events()
    await anext(events)

    del events

    async with asyncio.timeout(LIMIT):
        after = 1
        while not (result := await process.read(after, wait=LIMIT)).closed:
            after = result.next_seq - 1


async def test_exits_are_detected_without_pidfd_too(
    backend: LocalExecBackend, monkeypatch: pytest.MonkeyPatch, others: set[str]
) -> None:
    monkeypatch.delattr(os, "pidfd_open")

    found = await finish(await start(backend, "echo hi; exit 5"))

    assert (output(found), code(found)) == (b"hi\n", 5)
    assert children() <= others


async def test_exit_codes_are_available_when_the_parent_ignored_sigchld() -> None:
    old = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        assert code(await finish(await start(LocalExecBackend(), "exit 5"))) == 5
    finally:
        signal.signal(signal.SIGCHLD, old)


async def test_waiting_writes_keep_their_order(backend: LocalExecBackend) -> None:
    process = await start(backend, "exec cat", pipe_stdin=True)
    events = process.events()
    blocks = [f"{number:06}".encode() * 5000 for number in range(200)]

    writing = asyncio.gather(*(process.write(block) for block in blocks))
    seen = b""
    async with asyncio.timeout(LIMIT):
        while len(seen) < 200 * 30_000:
            seen += (await anext(events)).data

    await writing
    assert seen == b"".join(blocks)


async def test_too_many_descriptors_is_an_error_that_leaks_nothing(backend: LocalExecBackend, others: set[str]) -> None:
    await finish(await start(backend, "true"))
    before = open_descriptors()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for limit in range(before, before + 12):
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
        try:
            await finish(await start(backend, "true", tty=limit % 2 == 0))
        except ExecError as error:
            assert str(error) == "Too many open files (os error 24)"  # noqa: PT017
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert open_descriptors() == before
    assert children() <= others


async def test_a_closed_environment_starts_nothing() -> None:
    backend = LocalExecBackend()
    await backend.aclose()

    with pytest.raises(ExecError, match="closed"):
        await start(backend, "true")
