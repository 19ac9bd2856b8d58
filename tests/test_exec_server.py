"""``codex exec-server`` as a program, with real processes."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from codex_testkit.servers.exec_client import LIMIT, ExecClient, ExecServerAt, exec_server, output_of

pytestmark = pytest.mark.anyio
CODEX = str(Path(sys.executable).with_name("codex"))
PRODUCED = 80_000_000


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ExecServerAt]:
    async with exec_server(env={"CODEX_HOME": str(tmp_path)}) as running:
        yield running


@pytest.fixture
async def client(server: ExecServerAt) -> AsyncIterator[ExecClient]:
    async with server.client() as connected:
        yield connected


def sh(script: str) -> list[str]:
    return ["/bin/sh", "-c", script]


def run(tmp_path: Path, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [CODEX, "exec-server", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        env={**os.environ, "CODEX_HOME": str(tmp_path)},
        check=False,
    )


def statuses() -> Iterator[tuple[str, int, int]]:
    """Iterate state, parent and group of all processes but the shells that watch over others."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent, group = path.read_text().rpartition(")")[2].split()[:3]
            command = path.with_name("cmdline").read_bytes()
            if b"orphan_killer.py" in command or b"cleanup.py" in command:
                continue
        except OSError:
            continue
        yield state, int(parent), int(group)


def children(pid: int | None) -> list[str]:
    """Return the states of a process's children."""
    return [state for state, parent, _ in statuses() if parent == pid]


def members(group: int) -> list[str]:
    """Return the states of the processes of a group that are not over."""
    return [state for state, _, found in statuses() if found == group and state != "Z"]


async def until_idle(pid: int | None) -> None:
    """Wait until a process has done nothing for a while."""
    before, now = [""], busy(pid)
    async with asyncio.timeout(LIMIT):
        while before != now:
            before = now
            await asyncio.sleep(0.3)
            now = busy(pid)


def busy(pid: int | None) -> list[str]:
    """Return the processor time that a process has used."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]


def status_of(pid: int | None, key: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key))


async def test_a_signal_ends_it_with_all_it_started(tmp_path: Path) -> None:
    async with exec_server(env={"CODEX_HOME": str(tmp_path)}) as server, server.client() as client:
        await client.start("p", sh("echo $$; sleep 60 & wait"))
        said = await client.event(lambda told: told["method"] == "process/output")
        group = int(output_of([said]))
        assert server.process is not None

        server.process.send_signal(signal.SIGTERM)

        assert await asyncio.wait_for(server.process.wait(), LIMIT) == 0
        assert members(group) == []


def test_over_stdio_a_message_is_a_line_and_the_end_of_input_the_end(tmp_path: Path) -> None:
    first = json.dumps({"id": 1, "method": "initialize", "params": {"clientName": "t"}})

    done = run(tmp_path, "--listen", "stdio", stdin=f"{first}\n\ngarbage\n")

    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.returncode, done.stderr) == (0, "")
    assert len(answers[0]["result"]["sessionId"]) == 36
    assert answers[1]["id"] == -1
    assert answers[1]["error"]["message"].startswith("failed to parse JSON-RPC message from exec-server stdio")


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (
            ["--listen", "http://x"],
            1,
            "Error: unsupported --listen URL `http://x`; expected `ws://IP:PORT` or `stdio`\n",
        ),
        (
            ["--listen", "ws://1.2.3.4"],
            1,
            "Error: invalid websocket --listen URL `ws://1.2.3.4`; expected `ws://IP:PORT`\n",
        ),
        (
            ["--listen", "ws://8.8.8.8:0"],
            1,
            "Error: Cannot assign requested address (os error 99): cannot listen at ws://8.8.8.8:0\n",
        ),
        (["--bogus"], 2, "error: unexpected argument '--bogus' found\n"),
    ],
)
def test_what_can_not_be_served_is_said(tmp_path: Path, arguments: list[str], status: int, message: str) -> None:
    done = run(tmp_path, *arguments)

    assert (done.returncode, done.stdout) == (status, "")
    assert done.stderr.startswith(message)


async def test_a_reader_that_stops_holds_up_the_producer_not_the_memory(
    server: ExecServerAt, client: ExecClient
) -> None:
    before = status_of(server.pid, "VmRSS")
    await client.start("p", sh(f"yes 123456789 | head -c {PRODUCED}"))
    await until_idle(server.pid)
    assert children(server.pid) == ["S"]

    events = await client.events("p")

    assert output_of(events) == b"123456789\n" * (PRODUCED // 10)
    assert [event["params"]["seq"] for event in events] == list(range(1, len(events) + 1))
    assert status_of(server.pid, "VmHWM") - before < 40 * 1024


async def test_two_hundred_processes_at_once_leave_nothing_behind(server: ExecServerAt, client: ExecClient) -> None:
    await client.start("first", ["true"])
    await client.events("first")
    before = len(os.listdir(f"/proc/{server.pid}/fd"))
    for number in range(200):
        await client.start(f"p{number}", sh("read x; echo $x; exit 7"), pipeStdin=True)
    assert len(children(server.pid)) == 200
    for number in range(200):
        await client.send("process/write", {"processId": f"p{number}", "chunk": "aGkK", "writeId": "w"})

    found = [await client.events(f"p{number}") for number in range(200)]

    assert [output_of(events) for events in found] == [b"hi\n"] * 200
    assert children(server.pid) == []
    assert len(os.listdir(f"/proc/{server.pid}/fd")) == before


async def test_a_grandchild_holds_up_the_closing_not_the_exit(client: ExecClient) -> None:
    await client.start("p", sh("sleep 0.5 & echo $!; exit 4"))
    events = await client.events("p")

    assert sorted(event["method"] for event in events[:2]) == ["process/exited", "process/output"]
    assert events[-1]["method"] == "process/closed"


async def test_a_terminal_has_the_usual_size(client: ExecClient) -> None:
    await client.start("p", sh("stty size; test -t 0 && echo terminal"), tty=True)

    assert (await client.output("p")).split() == [b"24", b"80", b"terminal"]


async def test_the_environment_can_be_made_of_the_servers(server: ExecServerAt, client: ExecClient) -> None:
    policy = {"inherit": "core", "ignoreDefaultExcludes": True, "exclude": [], "set": {"A": "1"}, "includeOnly": []}

    await client.start("p", ["env"], env={"B": "2"}, envPolicy=policy)

    lines = (await client.output("p")).decode().splitlines()
    assert {"A=1", "B=2", f"HOME={os.environ['HOME']}"} <= set(lines)
    assert not any(line.startswith("CODEX_HOME=") for line in lines)


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="bwrap is not installed")
async def test_a_managed_network_leads_to_the_proxy_at_a_port_and_nowhere_else(client: ExecClient) -> None:
    async with await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0) as proxy:
        port = proxy.sockets[0].getsockname()[1]
        ask = (
            "import os, socket\n"
            "print(sorted(name for name in os.environ if name.endswith('PROXY')))\n"
            "inner = int(os.environ['HTTP_PROXY'].rpartition(':')[2])\n"
            "print(socket.create_connection(('127.0.0.1', inner), 5).recv(1))\n"
            f"try: socket.create_connection(('127.0.0.1', {port}), 5)\n"
            "except OSError: print('nothing else')"
        )
        env = {"PATH": "/usr/bin:/bin", "HTTP_PROXY": f"http://127.0.0.1:{port}", "HTTPS_PROXY": "http://127.0.0.1:1"}

        found = await client.start(
            "p",
            [sys.executable, "-I", "-S", "-c", ask],
            env=env,
            enforceManagedNetwork=True,
            managedNetwork={"loopbackPorts": [port]},
        )
        said = await client.output("p")

    assert found["sandboxType"] == "linuxSeccomp"
    assert said == b"['HTTP_PROXY']\nb''\nnothing else\n"


async def test_a_server_of_the_kit_is_over_when_nobody_has_its_output_open_any_more(tmp_path: Path) -> None:
    command = ("/bin/sh", "-c", f'sleep 1 & exec {CODEX} "$@"', "sh")
    async with exec_server(command=command, env={"CODEX_HOME": str(tmp_path)}) as server:
        assert server.process is not None
        server.process.kill()
        while True:
            await asyncio.sleep(0.01)
            if server.process.returncode is not None:
                break

    assert server.process.stdout is not None
    assert server.process.stdout.at_eof()
