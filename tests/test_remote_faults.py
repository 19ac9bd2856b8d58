"""What becomes of processes on another machine when the worst happens to either end, with real ones of both."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from codex_exec_local.environment import LocalEnvironment
from codex_exec_remote import client
from codex_exec_remote.environment import RemoteEnvironment
from codex_exec_remote.websocket_link import Target
from codex_exec_server.listening import serve
from codex_exec_server.server import ExecServer
from codex_hookspecs.errors import ExecError
from codex_hookspecs.ports.environment import ExecProcess
from codex_hookspecs.types.environment import ExecParams, OutputChunk, ProcessExited, ProcessFailed
from codex_listener.sockets import bind
from codex_testkit.servers.exec_client import ExecServerAt, exec_server

pytestmark = pytest.mark.anyio
LIMIT = 60.0
LOST = "the connection to the exec-server was lost and could not be resumed"
PRODUCED = 80_000_000
PATTERN = b"123456789012345\n"
WALL = """
import itertools, time
_real, _jumps = time.time, itertools.count()
time.time = lambda: _real() + (-1) ** next(_jumps) * 10.0 ** 6
"""
"""Has a program's clock on the wall jump by days each time it is read."""
CLIENT = """
import asyncio, logging, sys
from codex_exec_remote.environment import RemoteEnvironment
from codex_exec_remote.websocket_link import Target
from codex_hookspecs.types.environment import ExecParams
async def main():
    remote = RemoteEnvironment("remote", Target(sys.argv[1]), {}, logging.getLogger("test"))
    argv = ("/bin/sh", "-c", "echo $$; exec sleep 300")
    started = await remote.exec.start(ExecParams(process_id="p", argv=argv, cwd="/", env={"PATH": "/usr/bin:/bin"}))
    print((await anext(started.events())).data.decode().strip(), flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


@pytest.fixture
async def server() -> AsyncIterator[ExecServerAt]:
    async with exec_server() as running:
        yield running


@pytest.fixture
async def remote(server: ExecServerAt) -> AsyncIterator[RemoteEnvironment]:
    environment = machine(server.url)
    yield environment
    await environment.aclose()


def machine(url: str) -> RemoteEnvironment:
    return RemoteEnvironment("remote", Target(url), {}, logging.getLogger("codex.exec-remote"))


async def start(environment: RemoteEnvironment, process_id: str, script: str, **more: Any) -> ExecProcess:
    env = {"PATH": "/usr/local/bin:/usr/bin:/bin"}
    return await environment.exec.start(
        ExecParams(process_id=process_id, argv=("/bin/sh", "-c", script), cwd="/", env=env, **more)
    )


async def output(process: ExecProcess) -> bytes:
    async with asyncio.timeout(LIMIT):
        return b"".join([event.data async for event in process.events() if isinstance(event, OutputChunk)])


def peak(pid: int | str | None = "self") -> int:
    """Return the most bytes of memory that a process has had."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no such line")


def forget_peak(pid: int | str | None = "self") -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5")


async def test_a_killed_server_fails_every_process_and_the_next_one_works_on_the_next_server(
    server: ExecServerAt, remote: RemoteEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "RESUME_SECONDS", 0.3)
    running = [await start(remote, f"p{number}", "echo up; sleep 300") for number in range(3)]
    follow = [process.events() for process in running]
    for events in follow:
        await anext(events)
    assert server.process is not None

    server.process.kill()
    await server.process.wait()

    async with asyncio.timeout(LIMIT):
        ends = [[event async for event in events] for events in follow]
    assert ends == [[ProcessFailed(LOST)]] * 3
    with pytest.raises(ExecError, match=r"Connection refused \(os error 111\)$"):
        await start(remote, "q", "true")


async def test_a_server_that_comes_back_serves_what_is_started_then(
    server: ExecServerAt, remote: RemoteEnvironment
) -> None:
    lost = await start(remote, "p", "echo up; sleep 300")
    follow = lost.events()
    await anext(follow)
    assert server.process is not None
    server.process.kill()
    await server.process.wait()
    program = (os.path.join(os.path.dirname(sys.executable), "codex"), "exec-server", "--listen", server.url)
    again = await asyncio.create_subprocess_exec(*program, stdout=asyncio.subprocess.PIPE)
    assert again.stdout is not None
    await again.stdout.readline()
    try:
        async with asyncio.timeout(LIMIT):
            assert [event async for event in follow] == [ProcessFailed(LOST)]

        assert await output(await start(remote, "q", "echo here")) == b"here\n"
    finally:
        again.terminate()
        await again.communicate()


async def test_the_processes_of_a_killed_client_end_after_the_retention(tmp_path: Path) -> None:
    local = LocalEnvironment(os.environ)
    host: Any = SimpleNamespace(version="1", codex_home=str(tmp_path), environ={}, logger=logging.getLogger)
    bound, url = bind("127.0.0.1", 0)
    async with ExecServer(host, local, concurrent=64, retention=0.3) as server:
        listener = await serve(server, bound, None)
        running = await asyncio.create_subprocess_exec(
            sys.executable, "-c", CLIENT, url, stdout=asyncio.subprocess.PIPE
        )
        assert running.stdout is not None
        pid = int(await running.stdout.readline())
        ended, watched = asyncio.Event(), os.pidfd_open(pid)
        asyncio.get_running_loop().add_reader(watched, ended.set)

        running.kill()
        await running.communicate()

        async with asyncio.timeout(LIMIT):
            await ended.wait()
        asyncio.get_running_loop().remove_reader(watched)
        os.close(watched)
        listener.close()
    await local.aclose()


async def test_a_slow_reader_costs_neither_end_memory_and_loses_no_byte(
    server: ExecServerAt, remote: RemoteEnvironment
) -> None:
    process = await start(remote, "p", f"yes 123456789012345 | head -c {PRODUCED}")
    follow = process.events()
    first = await anext(follow)
    assert isinstance(first, OutputChunk)
    for pid in ("self", server.pid):
        forget_peak(pid)
    before = [peak("self"), peak(server.pid)]
    size, rest, wrong = len(first.data), first.data, 0

    async with asyncio.timeout(LIMIT):
        held = (await process.read()).next_seq
        while held != (later := (await process.read(held - 1, wait=0.3)).next_seq):
            held = later
        async for event in follow:
            if isinstance(event, OutputChunk):
                size += len(event.data)
                rest += event.data
                lines, rest = rest[: len(rest) // 16 * 16], rest[len(rest) // 16 * 16 :]
                wrong += lines != PATTERN * (len(lines) // 16)

    assert (size, wrong, rest) == (PRODUCED, 0, b"")
    grown = [peak("self") - before[0], peak(server.pid) - before[1]]
    assert all(each < 24 * 1024 * 1024 for each in grown), grown


async def test_two_hundred_processes_at_once_are_kept_apart(remote: RemoteEnvironment) -> None:
    count = 200
    script = "i=0; while [ $i -lt 20 ]; do echo $NAME $i; i=$((i+1)); done; exit $((NAME % 7))"
    started = await asyncio.gather(
        *(start(remote, f"p{number}", f"NAME={number}; {script}") for number in range(count))
    )

    async def events(process: ExecProcess) -> tuple[bytes, int | None, list[int]]:
        async with asyncio.timeout(LIMIT):
            found = [event async for event in process.events()]
        said = b"".join(event.data for event in found if isinstance(event, OutputChunk))
        codes = [event.exit_code for event in found if isinstance(event, ProcessExited)]
        return said, codes[0] if codes else None, [event.seq for event in found]  # type: ignore[union-attr]

    found = await asyncio.gather(*map(events, started))

    for number, (said, code, seqs) in enumerate(found):
        assert said == "".join(f"{number} {line}\n" for line in range(20)).encode()
        assert code == number % 7
        assert seqs == list(range(1, len(seqs) + 1))


async def test_one_stalled_reader_holds_up_nobody_else(remote: RemoteEnvironment) -> None:
    stalled = (await start(remote, "p", f"yes | head -c {PRODUCED}")).events()
    await anext(stalled)

    found = await asyncio.gather(*[output(await start(remote, f"q{n}", "seq 1 50000")) for n in range(10)])

    assert set(found) == {"".join(f"{number}\n" for number in range(1, 50_001)).encode()}


async def test_large_input_goes_through_frames_that_servers_take(remote: RemoteEnvironment, tmp_path: Path) -> None:
    data = os.urandom(40 * 1024 * 1024)
    reader = await start(remote, "p", f"head -c {len(data)} | cksum", pipe_stdin=True)

    await remote.files.write_file(f"{tmp_path}/large", data)
    status = await reader.write(data)

    assert status == "accepted"
    assert (tmp_path / "large").read_bytes() == data
    assert await remote.files.read_file(f"{tmp_path}/large") == data
    assert (await output(reader)).split()[1] == str(len(data)).encode()


async def test_clocks_on_walls_say_nothing_to_either_end(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    real, jumps = time.time, iter(range(10**9))
    monkeypatch.setattr(time, "time", lambda: real() + (-1) ** next(jumps) * 10.0**6)
    async with exec_server(
        command=(sys.executable, "-c", f"{WALL}\nfrom codex_host.cli import main\nmain()")
    ) as running:
        remote = machine(running.url)
        process = await start(remote, "p", "read x; echo got $x; sleep 0.3; echo bye", pipe_stdin=True)
        reading = asyncio.create_task(output(process))
        await process.write(b"a\n")
        (await remote.exec.client()).reconnect("a test cuts it")

        assert await reading == b"got a\nbye\n"
        await remote.aclose()


async def test_nothing_is_left_of_what_is_over(remote: RemoteEnvironment) -> None:
    for number in range(20):
        await output(await start(remote, f"p{number}", "echo x"))
    before = len(asyncio.all_tasks())

    for number in range(100):
        await output(await start(remote, f"q{number}", "echo x"))

    found = await remote.exec.client()
    assert found.processes == {}
    assert len(asyncio.all_tasks()) <= before
    await remote.aclose()
    assert {task for task in asyncio.all_tasks() if "exec-server" in task.get_name()} == set()
