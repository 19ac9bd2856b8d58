"""``codex exec-server``: ours and the real one in turns, by a client that costs next to nothing."""

from __future__ import annotations

import json
import os
import selectors
import socket
import statistics
import subprocess
import time
from base64 import b64encode
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import attrs
from attrs import frozen
from websockets.frames import apply_mask

from interop.clients import PEERS, Codex, clean_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

LIMIT = 60.0
FLOOD = 100_000_000
PARALLEL = 50
SPAWNS = 300
LAUNCHES = 25
CALLS = 400
WARM_UP = 5
BLOCK = 1024 * 1024
BLOCKS = 57
_UPGRADE = (
    "GET / HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


@frozen
class Sample:
    """What one server did in one round.

    :param start_up: milliseconds until the URL is printed.
    :param launch: milliseconds of ``/bin/true`` from the request to its closing, median.
    :param spawns: processes per second, fifty at a time.
    :param flood: megabytes per second of output.
    :param status: microseconds of ``environment/status``, median.
    :param metadata: microseconds of ``fs/getMetadata``, median.
    :param upload: MB per second written to a file by blocks of a mebibyte, each awaited.
    :param download: the same for reading it.
    :param peak: MiB of memory at most.
    """

    start_up: float
    launch: float
    spawns: float
    flood: float
    status: float
    metadata: float
    upload: float
    download: float
    peak: float


class Served:
    """A running server."""

    def __init__(self, codex: Codex, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        began = time.perf_counter()
        self.process = subprocess.Popen(
            [str(codex.path), "exec-server", "--listen", "ws://127.0.0.1:0"],
            env=clean_environment(home, home),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self.process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            if not selector.select(LIMIT):
                message = f"{codex.name} said no URL"
                raise RuntimeError(message)
        self.url = self.process.stdout.readline().decode().strip()
        self.start_up = (time.perf_counter() - began) * 1000

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.process.terminate()
        self.process.wait(LIMIT)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def peak(self) -> float:
        """Give the MiB of memory that it has had at most."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text("utf-8").splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


class Wire:
    """A connection that parses no more than it must."""

    def __init__(self, url: str) -> None:
        host, _, port = url.removeprefix("ws://").rpartition(":")
        self._socket = socket.create_connection((host, int(port)), LIMIT)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(_UPGRADE.format(host=host).encode())
        self._data = b""
        while b"\r\n\r\n" not in self._data:
            self._data += self._socket.recv(65536)
        self._data = self._data.partition(b"\r\n\r\n")[2]
        self._place = 0
        self._count = 0
        self.call("initialize", {"clientName": "bench"})
        self.send({"method": "initialized", "params": {}})

    def send(self, message: dict[str, Any]) -> None:
        self.send_frame(framed(message))

    def send_frame(self, frame: bytes) -> None:
        self._socket.sendall(frame)

    def message(self) -> bytes:
        """Give the next whole message."""
        while True:
            data, place = self._data, self._place
            if len(data) - place >= 10:
                size, start = data[place + 1], place + 2
                if size == 126:
                    size, start = int.from_bytes(data[place + 2 : place + 4], "big"), place + 4
                elif size == 127:
                    size, start = int.from_bytes(data[place + 2 : place + 10], "big"), place + 10
                if len(data) >= start + size:
                    self._place = start + size
                    return data[start : start + size]
            more = self._socket.recv(1 << 20)
            if not more:
                message = "the server hung up"
                raise RuntimeError(message)
            self._data, self._place = data[place:] + more, 0

    def call(self, method: str, params: Any = None) -> None:
        """Ask something and wait for the answer."""
        self._count += 1
        self.send({"id": self._count, "method": method, "params": params})
        self.answer()

    def answer(self) -> bytes:
        """Wait for the next answer."""
        while not (found := self.message()).startswith((b'{"id"', b'{"result"')):
            if found.startswith(b'{"error"'):
                raise RuntimeError(found.decode())
        return found

    def start(self, name: str, *argv: str) -> None:
        """Ask for a process and wait for nothing."""
        self._count += 1
        env = {"PATH": "/usr/bin:/bin"}
        params = {"processId": name, "argv": argv, "cwd": "file:///", "env": env, "tty": False}
        self.send({"id": self._count, "method": "process/start", "params": params})

    def closed(self) -> int:
        """Wait until a process is closed; give how many bytes came meanwhile."""
        size = 0
        while not (message := self.message()).startswith(b'{"method":"process/closed"'):
            size += len(message)
        return size

    def close(self) -> None:
        self._socket.close()


def framed(message: dict[str, Any], mask: bytes = b"\0\0\0\0") -> bytes:
    """Put a message into a frame; a mask of zeros leaves the bytes as they are."""
    body = json.dumps(message).encode()
    size = len(body)
    if size < 126:
        head = bytes([0x81, 0x80 | size])
    elif size < 65536:
        head = b"\x81\xfe" + size.to_bytes(2, "big")
    else:
        head = b"\x81\xff" + size.to_bytes(8, "big")
    return head + mask + apply_mask(body, mask)


def measure(servers: Sequence[Codex], rounds: int) -> dict[str, list[Sample]]:
    """Measure every server in turn, so that a slow moment of the machine hits all of them."""
    samples: dict[str, list[Sample]] = {codex.name: [] for codex in servers}
    for number in range(rounds):
        for codex in servers if number % 2 else reversed(servers):
            samples[codex.name].append(_measured(codex))
    return samples


def report(samples: dict[str, list[Sample]]) -> list[str]:
    """Give the medians and the ratio of the first to the second server."""
    lines = [
        f"{'codex exec-server':<24}{'start ms':>9}{'true ms':>9}{'spawn/s':>9}{'MB/s':>7}"
        f"{'status us':>11}{'metadata us':>13}{'up MB/s':>9}{'down MB/s':>11}{'peak MiB':>10}"
    ]
    medians = {name: _medians(found) for name, found in samples.items()}
    lines += [_line(name, values, 0) for name, values in medians.items()]
    if len(medians) == 2:
        (one, ours), (other, theirs) = medians.items()
        lines.append(_line(f"{one} / {other}", [a / b for a, b in zip(ours, theirs, strict=True)], 2))
    return lines


def _measured(codex: Codex) -> Sample:
    home = PEERS / "bench-exec-server" / codex.name
    with Served(codex, home) as served:
        wire = Wire(served.url)
        for number in range(WARM_UP):
            _launched(wire, f"w{number}")
        launch = statistics.median(_launched(wire, f"t{number}") for number in range(LAUNCHES))
        with _on_one_core(served.process.pid):
            status = statistics.median(_asked(wire, "environment/status") for _ in range(CALLS))
            metadata = statistics.median(
                _asked(wire, "fs/getMetadata", {"path": "file:///etc/hostname"}) for _ in range(CALLS)
            )
        spawns = _spawned(wire)
        began = time.perf_counter()
        wire.start("flood", "/bin/sh", "-c", f"head -c {FLOOD} /dev/zero")
        if wire.closed() < FLOOD:
            message = f"{codex.name} lost output"
            raise RuntimeError(message)
        flood = FLOOD / 1e6 / (time.perf_counter() - began)
        upload, download = _moved(wire, home / "blocks")
        wire.close()
        return Sample(served.start_up, launch, spawns, flood, status, metadata, upload, download, served.peak())


@contextmanager
def _on_one_core(pid: int) -> Iterator[None]:
    """Keep this program and a server's threads on one core.

    A small call takes 40 us when both happen to be there and 120 us when one has to wake the other core, whichever the
    server; without this, luck is measured.
    """
    before = os.sched_getaffinity(0)
    threads = [0, *map(int, os.listdir(f"/proc/{pid}/task"))]
    for thread in threads:
        os.sched_setaffinity(thread, {min(before)})
    try:
        yield
    finally:
        for thread in threads:
            with suppress(ProcessLookupError):
                os.sched_setaffinity(thread, before)


def _launched(wire: Wire, name: str) -> float:
    began = time.perf_counter()
    wire.start(name, "/bin/true")
    wire.closed()
    return (time.perf_counter() - began) * 1000


def _asked(wire: Wire, method: str, params: Any = None) -> float:
    began = time.perf_counter()
    wire.call(method, params)
    return (time.perf_counter() - began) * 1e6


def _spawned(wire: Wire) -> float:
    began = time.perf_counter()
    for number in range(PARALLEL):
        wire.start(f"s{number}", "/bin/true")
    for number in range(PARALLEL, SPAWNS):
        wire.closed()
        wire.start(f"s{number}", "/bin/true")
    for _ in range(PARALLEL):
        wire.closed()
    return SPAWNS / (time.perf_counter() - began)


def _moved(wire: Wire, path: Path) -> tuple[float, float]:
    """Write a file block by block and read it again; give megabytes per second of both."""
    chunk = b64encode(os.urandom(BLOCK)).decode()
    places = range(0, BLOCK * BLOCKS, BLOCK)
    writes = [("fs/writeBlock", {"handleId": "w", "offset": place, "chunk": chunk}) for place in places]
    reads = [("fs/readBlock", {"handleId": "r", "offset": place, "len": BLOCK}) for place in places]
    try:
        wire.call("fs/open", {"handleId": "w", "path": path.as_uri(), "mode": "replace"})
        upload = _paced(wire, writes)
        wire.call("fs/close", {"handleId": "w"})
        if path.stat().st_size != BLOCK * BLOCKS:
            message = f"{path} was not written whole"
            raise RuntimeError(message)
        wire.call("fs/open", {"handleId": "r", "path": path.as_uri()})
        download = _paced(wire, reads)
        wire.call("fs/close", {"handleId": "r"})
    finally:
        path.unlink(missing_ok=True)
    return upload, download


def _paced(wire: Wire, calls: list[tuple[str, dict[str, Any]]]) -> float:
    frames = [
        framed({"id": f"b{number}", "method": method, "params": params}, os.urandom(4))
        for number, (method, params) in enumerate(calls)
    ]
    began = time.perf_counter()
    for frame in frames:
        wire.send_frame(frame)
        wire.answer()
    return BLOCK * BLOCKS / 1e6 / (time.perf_counter() - began)


def _medians(samples: list[Sample]) -> list[float]:
    rows = [attrs.astuple(each) for each in samples]
    return [statistics.median(column) for column in zip(*rows, strict=True)]


def _line(name: str, values: list[float], digits: int) -> str:
    widths = (9, 9, 9, 7, 11, 13, 9, 11, 10)
    digit = [digits or (1 if place == 1 else 0) for place in range(len(values))]
    return f"{name:<24}" + "".join(f"{v:>{w}.{d}f}" for v, w, d in zip(values, widths, digit, strict=True))
