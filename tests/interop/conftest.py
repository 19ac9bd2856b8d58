"""Fixtures of the comparisons; a missing peer fails in CI and is skipped with its name elsewhere."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from codex_testkit.servers.responses import ResponsesServer
from interop.clients import OURS, PEERS, REAL_118, REAL_169, Codex, Stage
from interop.exec_server import Server
from interop.hook_runs import Play

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CLIENTS = {codex.name: codex for codex in (OURS, REAL_118, REAL_169)}


def need(path: Path, name: str) -> None:
    """Fail in CI, skip elsewhere, when a peer is not installed."""
    if not path.exists():
        message = f"{name} is not installed at {path}; run: python tools/peers.py"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)


@pytest.fixture
def server() -> Iterator[ResponsesServer]:
    with ResponsesServer() as running:
        yield running


@pytest.fixture
def folder(request: pytest.FixtureRequest) -> Iterator[Path]:
    """A directory of the test's own, outside the temporary directory; kept when the test fails."""
    path = PEERS / "runs" / "".join(sign if sign.isalnum() else "-" for sign in request.node.name)
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    failed = request.session.testsfailed
    yield path
    if request.session.testsfailed == failed:
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def stage(folder: Path, server: ResponsesServer) -> Stage:
    return Stage(folder, server.url)


@pytest.fixture(params=["0.169.0", "ours"])
def codex(request: pytest.FixtureRequest) -> Codex:
    chosen = _CLIENTS[request.param]
    need(chosen.path, f"codex {chosen.name}")
    return chosen


@pytest.fixture
def play(codex: Codex, stage: Stage, server: ResponsesServer) -> Play:
    """Run a conversation with hook scripts."""
    return Play(codex, stage, server)


@pytest.fixture(scope="session", params=["0.169.0", "ours"])
def serving(request: pytest.FixtureRequest) -> Codex:
    """The program whose exec-server a case is about."""
    chosen = _CLIENTS[request.param]
    need(chosen.path, f"codex {chosen.name}")
    return chosen


@pytest.fixture(scope="session")
def served(serving: Codex) -> Iterator[Server]:
    """An exec-server that the cases share."""
    folder = PEERS / "runs" / f"exec-server-{serving.name}"
    shutil.rmtree(folder, ignore_errors=True)
    running = Server(serving, folder)
    yield running
    running.close()
    shutil.rmtree(folder, ignore_errors=True)
