"""``codex app-server`` over standard input and output: ours and the real one in turns, by one client."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import attrs
from attrs import frozen

from benchmarks.turn import FASTEST
from interop.clients import PEERS, Codex, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LIMIT = 120.0
TURNS = 300
EDGE = 20
CALLS = 400
READS = 5
LARGE = 10_000_000
PARALLEL = 50
IDLE = 200
CONFIG = """
approval_policy = "never"
sandbox_mode = "danger-full-access"

[features]
plugins = false
shell_snapshot = false

[analytics]
enabled = false
"""
"""Spares both a look for plugins on the network, a shell that only shows variables, and reports of use."""


@frozen
class Sample:
    """What one server did in one round.

    :param start: milliseconds from the start of the process until ``initialize`` and ``thread/start`` are answered.
    :param thread: milliseconds of ``thread/start`` in a running server, median.
    :param turn: milliseconds of a turn without tools, median of the first.
    :param late: the same after three hundred turns of the thread.
    :param growth: the latter divided by the former.
    :param small: microseconds of ``fs/getMetadata``, median.
    :param read: milliseconds of ``fs/readFile`` of 10 MB, median.
    :param parallel: milliseconds until turns of fifty threads, started at once, are completed.
    :param idle: KiB of memory that each of 200 loaded threads with one turn takes.
    :param peak: MiB of memory at most.
    """

    start: float
    thread: float
    turn: float
    late: float
    growth: float
    small: float
    read: float
    parallel: float
    idle: float
    peak: float


class Client:
    """A server process and its only client."""

    def __init__(self, codex: Codex, stage: Stage) -> None:
        self.began = time.perf_counter()
        self.process = subprocess.Popen(
            [str(codex.path), "app-server"],
            cwd=stage.ws,
            env=stage.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=1 << 16,
        )
        self._number = 0

    def send(self, method: str, params: Any) -> int:
        assert self.process.stdin is not None
        self._number += 1
        self.process.stdin.write(json.dumps({"id": self._number, "method": method, "params": params}).encode() + b"\n")
        self.process.stdin.flush()
        return self._number

    def ask(self, method: str, params: Any) -> bytes:
        """Send a request and return the line that answers it."""
        number = self.send(method, params)
        marks = (f'{{"id":{number},'.encode(), f'"id":{number}'.encode())
        while True:
            line = self.line()
            if line.startswith(marks[0]) or (b'"method"' not in line[:80] and marks[1] in line[:200] + line[-200:]):
                if line.startswith(b'{"error"') or b'"error":{"code"' in line[:200]:
                    raise RuntimeError(f"{method}: {line[:500]!r}")
                return line

    def line(self) -> bytes:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the server ended")
        return line

    def thread(self) -> str:
        result = json.loads(self.ask("thread/start", {}))["result"]
        return str(result["thread"]["id"])

    def turn(self, thread: str) -> float:
        """Run a turn; return its milliseconds."""
        began = time.perf_counter()
        self.send("turn/start", _turn(thread))
        while b'"method":"turn/completed"' not in self.line():
            pass
        return (time.perf_counter() - began) * 1000

    def memory(self, key: str = "VmRSS") -> float:
        """Return the resident KiB."""
        with open(f"/proc/{self.process.pid}/status") as file:
            return next(float(line.split()[1]) for line in file if line.startswith(f"{key}:"))

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
        self.process.stdout.close()


def measure(clients: Sequence[Codex], rounds: int) -> dict[str, list[Sample]]:
    """Measure every server in turn, so that a slow moment of the machine hits all of them."""
    folder = PEERS / "bench-app-server"
    samples: dict[str, list[Sample]] = {codex.name: [] for codex in clients}
    with _fast_model() as url:
        for number in range(rounds):
            for codex in clients if number % 2 else reversed(clients):
                shutil.rmtree(folder, ignore_errors=True)
                stage = Stage(folder, url)
                stage.set_up(codex, CONFIG, provider=FASTEST)
                (stage.ws / "large").write_bytes(os.urandom(LARGE))
                Client(codex, stage).close()  # compiles, and finds its plugins
                samples[codex.name].append(_measured(codex, stage))
    shutil.rmtree(folder, ignore_errors=True)
    return samples


def report(samples: dict[str, list[Sample]]) -> list[str]:
    """Tell the medians of each server, and the ratios to the last one."""
    names = [each.name for each in attrs.fields(Sample)]
    heads = (
        "start ms",
        "thread ms",
        "turn ms",
        "turn 300",
        "growth",
        "small us",
        "10 MB ms",
        "50 at once",
        "KiB/thread",
        "peak MiB",
    )
    lines = [f"{'codex app-server':20}" + "".join(f"{head:>11}" for head in heads)]
    middle = {
        name: [statistics.median(getattr(one, key) for one in runs) for key in names] for name, runs in samples.items()
    }
    for name, values in middle.items():
        lines.append(f"{name:20}" + "".join(f"{value:11.2f}" for value in values))
    *others, base = middle
    for name in others:
        ratios = (mine / theirs if theirs else 0.0 for mine, theirs in zip(middle[name], middle[base], strict=True))
        lines.append(f"{name + ' / ' + base:20}" + "".join(f"{ratio:11.2f}" for ratio in ratios))
    return lines


def _measured(codex: Codex, stage: Stage) -> Sample:
    client = Client(codex, stage)
    try:
        client.ask("initialize", {"clientInfo": {"name": "bench", "version": "1"}})
        thread = client.thread()
        start = (time.perf_counter() - client.began) * 1000
        client.turn(thread)
        turns = [client.turn(thread) for _ in range(TURNS)]
        first, late = statistics.median(turns[:EDGE]), statistics.median(turns[-EDGE:])
        file = str(stage.ws / "large")
        small = _median(lambda: client.ask("fs/getMetadata", {"path": file}), CALLS) * 1000
        read = _median(lambda: client.ask("fs/readFile", {"path": file}), READS)
        threads: list[str] = []
        opened = _median(lambda: threads.append(client.thread()), PARALLEL)
        parallel = _together(client, threads)
        return Sample(
            start,
            opened,
            first,
            late,
            late / first,
            small,
            read,
            parallel,
            _idle(codex, stage),
            client.memory("VmHWM") / 1024,
        )
    finally:
        client.close()


def _idle(codex: Codex, stage: Stage) -> float:
    """Return the KiB that a loaded thread takes after one turn, in a server with nothing else."""
    client = Client(codex, stage)
    try:
        client.ask("initialize", {"clientInfo": {"name": "bench", "version": "1"}})
        for _ in range(IDLE // 10):
            client.turn(client.thread())
        before = client.memory()
        for _ in range(IDLE):
            client.turn(client.thread())
        return (client.memory() - before) / IDLE
    finally:
        client.close()


def _together(client: Client, threads: Sequence[str]) -> float:
    began = time.perf_counter()
    for thread in threads:
        client.send("turn/start", _turn(thread))
    done = 0
    while done < len(threads):
        done += b'"method":"turn/completed"' in client.line()
    return (time.perf_counter() - began) * 1000


def _turn(thread: str) -> dict[str, Any]:
    return {"threadId": thread, "input": [{"type": "text", "text": "go"}]}


def _median(work: Any, times: int) -> float:
    """Return the milliseconds that a piece of work takes, the median of several times."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)


@contextmanager
def _fast_model() -> Iterator[str]:
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.fast_model"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
        process.stdin.close()
        process.wait(10)
