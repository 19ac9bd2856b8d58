"""Who may connect to servers of the program: by token, with names in the log, and after the tokens have changed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LIMIT = 60.0
MISSING = (401, "missing websocket bearer token")
WRONG = (401, "invalid websocket bearer token")
UNCHECKED = (401, "the credentials could not be checked")
BOTH = pytest.mark.parametrize("command", ["app-server", "exec-server"])
SECRET = b"0123456789abcdef0123456789abcdef"


class Server:
    """A server with tokens in a file, and its log."""

    def __init__(self, folder: Path, command: str, *options: str, listen: str = "127.0.0.1") -> None:
        self._log = folder / "log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "codex_host", command, "--listen", f"ws://{listen}:0", *options],
                cwd=folder,
                env={"CODEX_HOME": str(folder), "HOME": str(folder), "PATH": "/usr/bin:/bin", "CODEX_LOG": "info"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._port = int(self.said(r"ws://[0-9.]+:([0-9]+)")[1])

    def said(self, pattern: str) -> re.Match[str]:
        """Wait for a text in the log."""
        end = time.monotonic() + LIMIT
        while not (found := re.search(pattern, self.log)):
            assert time.monotonic() < end, f"{pattern} is not in the log:\n{self.log}"
            assert self._process.poll() is None, self.log
            time.sleep(0.01)
        return found

    @property
    def log(self) -> str:
        return self._log.read_text("utf-8", "replace")

    def knock(self, token: str | bytes | None) -> tuple[int, str]:
        """Ask for an upgrade; give status and body."""
        sent = token.encode() if isinstance(token, str) else token
        line = b"" if sent is None else b"Authorization: Bearer " + sent + b"\r\n"
        with socket.create_connection(("127.0.0.1", self._port), timeout=LIMIT) as client:
            client.sendall(
                b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" + line + b"\r\n"
            )
            with client.makefile("rb") as answer:
                status = int(answer.readline().split()[1])
                length = 0
                while field := answer.readline().strip().lower():
                    if field.startswith(b"content-length:"):
                        length = int(field.split(b":")[1])
                return status, "" if status == 101 else answer.read(length).decode()

    def end(self) -> None:
        self._process.terminate()
        try:
            assert self._process.wait(LIMIT) == 0
        finally:
            self._process.kill()
            self._process.wait(LIMIT)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Any]:
    """Return how servers are started: ``start("app-server", "--ws-auth", …)``."""
    servers: list[Server] = []

    def started(command: str, *options: str, **more: Any) -> Server:
        servers.append(Server(tmp_path, command, *options, **more))
        return servers[-1]

    yield started
    for server in servers:
        server.end()


def signed(**claims: Any) -> str:
    parts = [{"alg": "HS256"}, {"exp": 2**40, **claims}]
    texts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts]
    mark = base64.urlsafe_b64encode(hmac.new(SECRET, b".".join(texts), hashlib.sha256).digest()).rstrip(b"=")
    return b".".join([*texts, mark]).decode()


@BOTH
def test_clients_are_logged_by_name_and_tokens_never(start: Any, tmp_path: Path, command: str) -> None:
    (tmp_path / "tokens").write_text("laptop = s3cret-one\nci = s3cret-two\n")
    server = start(command, "--ws-auth", "capability-token", "--ws-token-file", "tokens")

    assert server.knock("s3cret-two") == (101, "")
    assert server.knock("s3cret-three") == WRONG
    assert server.knock(None) == MISSING

    place = rf"{command}: accepted a connection from 127\.0\.0\.1:[0-9]+ "
    server.said(rf"{place}\(ci\)")
    server.said(rf"{command}: refused a connection from 127\.0\.0\.1:[0-9]+: invalid websocket bearer token")
    server.said("missing websocket bearer token")
    assert "s3cret" not in server.log


@BOTH
def test_changed_tokens_count_without_a_restart(start: Any, tmp_path: Path, command: str) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text("first\n")
    server = start(command, "--ws-auth=capability-token", f"--ws-token-file={tokens}")
    assert server.knock("first") == (101, "")

    (tmp_path / "new").write_text("second\n")
    (tmp_path / "new").replace(tokens)

    assert server.knock("first") == WRONG
    assert server.knock("second") == (101, "")

    tokens.write_text("")

    assert [server.knock("second") for _ in range(2)] == [UNCHECKED] * 2
    server.said("must not be empty; clients are refused until it is valid again")
    assert server.log.count("must not be empty") == 1


@BOTH
def test_the_subject_of_a_signed_token_cannot_forge_the_log(start: Any, tmp_path: Path, command: str) -> None:
    (tmp_path / "secret").write_bytes(SECRET)
    server = start(command, "--ws-auth", "signed-bearer-token", "--ws-shared-secret-file", "secret")

    assert server.knock(signed(sub="ann\n2026 INFO \x1b[2J" + "x" * 1000)) == (101, "")
    assert server.knock(signed(exp=1)) == (401, "expired websocket jwt")

    found = server.said(r"accepted a connection from .*")
    assert "(ann^J2026 INFO ^[[2Jxxx" in found[0]
    assert len(found[0]) < 200


@BOTH
def test_the_log_alone_says_what_is_wrong_with_a_signed_token(start: Any, tmp_path: Path, command: str) -> None:
    (tmp_path / "secret").write_bytes(SECRET)
    server = start(command, "--ws-auth", "signed-bearer-token", "--ws-shared-secret-file", "secret")
    valid = signed()
    tokens = {
        "x.y": "it is not three parts of Base64 for URLs",
        signed(exp=None): "the claim exp is missing",
        signed(nbf="soon"): "the claim nbf is no integer",
        valid[:-3] + ("AAA" if valid[-3:] != "AAA" else "BBB"): "it is not signed with this secret",
        f"eyJhbGciOiJub25lIn0.{valid.partition('.')[2]}": "its algorithm is not HS256",
    }

    for token, detail in tokens.items():
        assert server.knock(token) == (401, "invalid websocket jwt")
        server.said(rf"auth-websocket: invalid websocket jwt: {detail}\n.*refused a connection from 127")
        assert token not in server.log


def test_the_log_of_an_app_server_names_connections(start: Any) -> None:
    server = start("app-server")

    assert server.knock(None) == (101, "")

    place = server.said(r"accepted a connection from (127\.0\.0\.1:[0-9]+) connection=1\n")[1]
    server.said(rf"INFO app-server: the connection from {place} has ended connection=1\n")


@BOTH
@pytest.mark.parametrize(
    "token",
    [b"x" * 1_000_000, b"\xff" * 1000, b"a\0b", b"." * 30_000, b"e30." + b"W1tb" * 7_000 + b".x", b"\t" * 30_000],
    ids=["a megabyte", "not UTF-8", "NUL", "dots", "deep", "tabs"],
)
def test_hostile_tokens_are_refused_and_the_server_goes_on(
    start: Any, tmp_path: Path, command: str, token: bytes
) -> None:
    (tmp_path / "secret").write_bytes(SECRET)
    server = start(command, "--ws-auth", "signed-bearer-token", "--ws-shared-secret-file", "secret")

    try:
        status = server.knock(token)[0]
    except ConnectionError:  # The server has closed before everything was sent.
        status = 431

    assert status in (400, 401, 431)
    assert server.knock(signed()) == (101, "")


@BOTH
@pytest.mark.parametrize("authenticated", [False, True])
def test_a_server_that_other_machines_reach_warns_unless_clients_authenticate(
    start: Any, tmp_path: Path, command: str, authenticated: bool
) -> None:
    (tmp_path / "token").write_text("s3cret")
    options = ("--ws-auth", "capability-token", "--ws-token-file", "token") if authenticated else ()
    server = start(command, *options, listen="0.0.0.0")

    server.said(r"WebSockets\)\n  listening on: ws://0\.0\.0\.0:")
    assert server.knock("s3cret") == (101, "")
    assert ("arning: whoever can connect to this port can run commands" in server.log) != authenticated
