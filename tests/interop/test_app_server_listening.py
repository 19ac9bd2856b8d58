"""How app-servers are started, and which clients they let in."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

import pytest

from interop.app_server_cases import HANDSHAKES, REFUSALS, Handshake, Refusal, servers, write_files
from interop.clients import OURS, PEERS, REAL_118, REAL_169, clean_environment
from interop.conftest import need

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from interop.clients import Codex

LIMIT = 20


class Place:
    """A program, its home and the servers of it that run."""

    def __init__(self, codex: Codex, folder: Path) -> None:
        self.codex = codex
        self.folder = folder
        (folder / "home").mkdir(parents=True)
        write_files(folder)
        self.ports: dict[str, int] = {}
        self.running: list[subprocess.Popen[bytes]] = []

    def launch(self, *arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [str(self.codex.path), "app-server", *arguments],
            cwd=self.folder,
            env={**clean_environment(self.folder, self.folder / "home"), "RUST_LOG": "error"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )

    def port(self, server: str) -> int:
        if server not in self.ports:
            running = self.launch("--listen", "ws://127.0.0.1:0", *servers(str(self.folder))[server])
            self.running.append(running)
            self.ports[server] = read_port(running)
        return self.ports[server]

    def end(self) -> None:
        for running in self.running:
            running.terminate()
            running.communicate(timeout=LIMIT)


def read_port(running: subprocess.Popen[bytes]) -> int:
    assert running.stderr is not None
    for line in running.stderr:
        if found := re.search(rb"listening on: ws://.*:(\d+)", line):
            return int(found[1])
    raise AssertionError("the server did not start")


@pytest.fixture(scope="module", params=[REAL_118, REAL_169, OURS], ids=lambda codex: codex.name)
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    codex: Codex = request.param
    need(codex.path, f"codex {codex.name}")
    folder = PEERS / "runs" / f"app-server-{codex.name}"
    shutil.rmtree(folder, ignore_errors=True)
    with ExitStack() as stack:
        made = Place(codex, folder)
        stack.callback(made.end)
        yield made


def answer(port: int, request: bytes) -> tuple[int, str]:
    """Send a request and give status and body of its response."""
    with socket.create_connection(("127.0.0.1", port), timeout=LIMIT) as connection:
        with suppress(OSError):  # Refused before all of it was sent.
            connection.sendall(request)
        received = b""
        while b"\r\n\r\n" not in received:
            piece = connection.recv(4096)
            if not piece:
                break
            received += piece
        head, _, body = received.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        while length and not request.startswith(b"HEAD") and len(body) < int(length[1]):
            body += connection.recv(4096)
    return int(head.split()[1]), body.decode()


@pytest.mark.parametrize("case", HANDSHAKES, ids=lambda case: case.name)
def test_a_request_is_answered(place: Place, case: Handshake) -> None:
    assert answer(place.port(case.server), case.request) == (case.status, case.body)


@pytest.mark.parametrize("case", REFUSALS, ids=lambda case: " ".join(case.arguments)[:60] or "none")
def test_a_server_that_cannot_be_is_not_started(place: Place, case: Refusal) -> None:
    arguments = [argument.replace("FOLDER", str(place.folder)) for argument in case.arguments]
    if "--listen" not in arguments and case.status == 1:
        arguments = ["--listen", "ws://127.0.0.1:0", *arguments]
    running = place.launch(*arguments)
    try:
        out, said = running.communicate(timeout=LIMIT)
    finally:
        running.kill()

    assert out == b""
    assert case.said.replace("FOLDER", str(place.folder)) in said.decode()
    assert running.returncode == case.status


def test_a_server_says_where_it_listens_and_ends_at_a_signal(place: Place) -> None:
    running = place.launch("--listen", "ws://127.0.0.1:0")
    port = read_port(running)
    assert answer(port, b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n") == (200, "")
    time.sleep(0.5)  # Codex 0.169 does not handle signals from the start.

    running.send_signal(signal.SIGTERM)
    out, rest = running.communicate(timeout=LIMIT)

    lines = rest.decode().splitlines()
    assert running.returncode == 0
    assert out == b""
    assert lines[:3] == [
        f"  readyz: http://127.0.0.1:{port}/readyz",
        f"  healthz: http://127.0.0.1:{port}/healthz",
        "  note: binds localhost only (use SSH port-forwarding for remote access)",
    ]
