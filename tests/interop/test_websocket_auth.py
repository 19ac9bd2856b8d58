"""Who may connect: the same handshakes and command lines against both real releases and ours."""

from __future__ import annotations

import shutil
import time
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from interop.clients import OURS, PEERS, REAL_118, REAL_169
from interop.conftest import need
from interop.websocket_auth import CAPABILITY, TOKEN, Program, Running, refusal, write_files
from interop.websocket_handshakes import (
    ALGORITHMS,
    ANY_PATH,
    CLAIMS,
    DIGESTS,
    HEADERS,
    REQUESTS,
    SERVERS,
    TOKENS,
    Handshake,
)
from interop.websocket_refusals import DIGEST_REFUSALS, NO_MODE, REFUSALS, STARTS, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PROGRAMS = [
    Program(REAL_118, "app-server"),
    Program(REAL_169, "app-server"),
    Program(REAL_169, "exec-server"),
    Program(OURS, "app-server"),
    Program(OURS, "exec-server"),
]
TEXT = "text/plain; charset=utf-8"


@pytest.fixture(scope="module", params=PROGRAMS, ids=lambda program: program.label)
def program(request: pytest.FixtureRequest) -> Program:
    chosen: Program = request.param
    need(chosen.codex.path, f"codex {chosen.codex.name}")
    return chosen


@pytest.fixture(scope="module")
def place(program: Program) -> Iterator[Path]:
    """The directory that servers are started in, with good and bad files."""
    path = PEERS / "runs" / f"websocket-auth-{program.label.replace(' ', '-')}"
    shutil.rmtree(path, ignore_errors=True)
    write_files(path)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="module")
def serving(program: Program, place: Path) -> Iterator[Callable[[str], Running]]:
    """Return the server with some options; it is started when a case first needs it."""
    running: list[Running] = []

    @cache
    def started(name: str) -> Running:
        running.append(Running(program, place, *SERVERS[name], log=f"output-{name}"))
        return running[-1]

    yield started
    for server in running:
        server.close()


def has_digests(program: Program) -> bool:
    return program.codex is not REAL_118


def sentences(cases: list[Any]) -> list[Any]:
    return [pytest.param(case, id=case[0]) for case in cases]


@pytest.mark.parametrize("case", sentences([*HEADERS, *DIGESTS, *TOKENS, *ALGORITHMS, *CLAIMS]))
def test_credentials(program: Program, serving: Callable[[str], Running], case: Handshake) -> None:
    if case.server == "digest" and not has_digests(program):
        pytest.skip("0.118 has no option for a digest")
    server = serving(case.server)
    lines = case.lines(int(time.time())) if callable(case.lines) else case.lines

    answer = server.knock(*lines)

    assert (answer.status, answer.body) == ((401, case.told) if case.told else (101, ""))
    if case.told:
        assert answer.headers["content-type"] == TEXT
        assert "www-authenticate" not in answer.headers


@pytest.mark.parametrize(("request_line", "status", "body"), [pytest.param(*case[1:], id=case[0]) for case in REQUESTS])
def test_requests(serving: Callable[[str], Running], request_line: dict[str, Any], status: int, body: str) -> None:
    lines = request_line.get("lines", ())
    answer = serving("token").knock(*lines, **{name: value for name, value in request_line.items() if name != "lines"})

    assert (answer.status, answer.body) == (status, body)


@pytest.mark.parametrize(("request_line", "status", "body"), [pytest.param(*case[1:], id=case[0]) for case in ANY_PATH])
def test_other_paths_of_app_servers(
    program: Program, serving: Callable[[str], Running], request_line: dict[str, Any], status: int, body: str
) -> None:
    if program.command != "app-server":
        pytest.skip("an exec-server knows other paths")
    test_requests(serving, request_line, status, body)


@pytest.mark.parametrize("case", sentences([*REFUSALS, *DIGEST_REFUSALS]))
def test_command_lines_that_start_no_server(program: Program, place: Path, case: Refusal) -> None:
    older = program.codex is REAL_118
    if case in DIGEST_REFUSALS and older:
        pytest.skip("0.118 has no option for a digest")
    status, output = refusal(program, place, *case.arguments)

    told = (case.older if older else "") or case.told
    assert status == case.status
    assert told.format(place) in output.splitlines()


@pytest.mark.parametrize("arguments", [pytest.param(arguments, id=sentence) for sentence, arguments in STARTS])
def test_command_lines_that_start_a_server(program: Program, place: Path, arguments: tuple[str, ...]) -> None:
    status, output = refusal(program, place, *arguments)

    assert status is None, output


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        pytest.param(("--ws-token-file", "token"), 1, NO_MODE, id="options need a mode over stdio, too"),
        pytest.param(CAPABILITY, 1, "is required when `--ws-auth capability-token` is set", id="a mode needs its file"),
        pytest.param(
            TOKEN, {"app-server": 0, "exec-server": 1}, "", id="an exec-server has no authentication over stdio"
        ),
    ],
)
def test_options_over_stdio(
    program: Program, place: Path, arguments: tuple[str, ...], status: int | dict[str, int], told: str
) -> None:
    listen = "stdio" if program.command == "exec-server" else "stdio://"

    found, output = refusal(program, place, *arguments, listen=listen)

    assert found == (status if isinstance(status, int) else status[program.command])
    assert told in output
    if not told and found:
        assert "Error: WebSocket auth requires a WebSocket listener, not stdio" in output.splitlines()
