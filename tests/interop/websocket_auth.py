"""Servers that ask WebSocket clients for credentials, and a client that shows what they answer to the upgrade."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import socket
import subprocess
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from interop.clients import clean_environment

if TYPE_CHECKING:
    from pathlib import Path

    from interop.clients import Codex

LIMIT = 20
CAPABILITY = ("--ws-auth", "capability-token")
SIGNED = ("--ws-auth", "signed-bearer-token")
TOKEN = (*CAPABILITY, "--ws-token-file", "token")
SHARED = (*SIGNED, "--ws-shared-secret-file", "secret")
SKEW = "--ws-max-clock-skew-seconds"
LARGEST = 2**63 - 1
SECRET = b"0123456789abcdef0123456789abcdef"
FILES: dict[str, bytes] = {
    "token": b"\n open-sesame \r\n",
    "words": b"open sesame",
    "lines": b"open\nsesame\n",
    "bom": b"\xef\xbb\xbfopen-sesame",
    "wide": "\u3000\u00a0open-sesame\u2003".encode(),
    "other": "gr\u00fcezi".encode(),
    "short": b"x",
    "empty": b"",
    "blank": b" \n\t\xc2\xa0",
    "binary": b"\xff\xfeopen-sesame",
    "secret": b" " + SECRET + b"\n",
    "secret-31": b" " + b"x" * 31 + b"\n",
    "secret-16-wide": "\u00e9".encode() * 16,
}
"""Files in the directory that servers are started in."""

UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
}


class Program(NamedTuple):
    """A server program of a release.

    :param command: ``app-server`` or ``exec-server``.
    """

    codex: Codex
    command: str

    @property
    def label(self) -> str:
        return f"{self.command} of {self.codex.name}"


class Answer(NamedTuple):
    """What a server answers to the request for an upgrade."""

    status: int
    body: str
    headers: dict[str, str]


def write_files(folder: Path) -> None:
    """Write the files with tokens and secrets, good and bad ones."""
    (folder / "home").mkdir(parents=True, exist_ok=True)
    (folder / "directory").mkdir(exist_ok=True)
    for name, content in FILES.items():
        (folder / name).write_bytes(content)


def start(
    program: Program, folder: Path, *arguments: str, log: Path, listen: str = "ws://127.0.0.1:0"
) -> subprocess.Popen[bytes]:
    """Start a server, on a free port unless told otherwise; what it prints goes to a file."""
    with log.open("wb") as output:
        return subprocess.Popen(
            [str(program.codex.path), program.command, "--listen", listen, *arguments],
            cwd=folder,
            env=clean_environment(folder, folder / "home"),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )


class Running:
    """A server that listens."""

    def __init__(self, program: Program, folder: Path, *arguments: str, log: str = "output") -> None:
        self.log = folder / log
        self._process = start(program, folder, *arguments, log=self.log)
        self.port = self._listening()

    def _listening(self) -> int:
        end = time.monotonic() + LIMIT
        while not (found := re.search(rb"ws://[0-9.]+:([1-9][0-9]*)", self.log.read_bytes())):
            if self._process.poll() is not None or time.monotonic() > end:
                self.close()
                raise AssertionError(f"the server did not start: {self.log.read_text('utf-8', 'replace')}")
            time.sleep(0.01)
        return int(found[1])

    def close(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(LIMIT)
        finally:
            self._process.kill()
            self._process.wait(LIMIT)

    def knock(self, *lines: str | bytes, path: str = "/", upgrade: bool = True, method: str = "GET") -> Answer:
        """Send a request with more header lines and give the answer."""
        head = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}"]
        head += [f"{name}: {value}" for name, value in UPGRADE.items()] if upgrade else []
        raw = [line.encode("latin-1") if isinstance(line, str) else line for line in (*head, *lines)]
        with socket.create_connection(("127.0.0.1", self.port), LIMIT) as client:
            client.sendall(b"\r\n".join(raw) + b"\r\n\r\n")
            with client.makefile("rb") as answer:
                status = int(answer.readline().split()[1])
                fields = iter(lambda: answer.readline().decode().strip(), "")
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in fields)}
                body = "" if status == 101 else answer.read(int(headers.get("content-length", "0"))).decode()
        return Answer(status, body, headers)


def refusal(
    program: Program, folder: Path, *arguments: str, listen: str = "ws://127.0.0.1:0"
) -> tuple[int | None, str]:
    """Start a server; give its status and output when it ends, and no status when it listens."""
    log = folder / "refusal"
    process = start(program, folder, *arguments, log=log, listen=listen)
    try:
        end = time.monotonic() + LIMIT
        while process.poll() is None:
            if b"ws://127.0.0.1:" in log.read_bytes():
                return None, log.read_text("utf-8", "replace")
            assert time.monotonic() < end, "the server neither ended nor listened"
            time.sleep(0.005)
        return process.returncode, log.read_text("utf-8", "replace")
    finally:
        process.kill()
        process.wait(LIMIT)


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def jwt(payload: Any, header: Any = None, *, secret: bytes = SECRET, digest: str = "sha256") -> str:
    """Sign a token.

    :param payload: JSON value, or bytes as they are.
    :param header: the same; HS256 by default.
    """
    parts = [{"alg": "HS256", "typ": "JWT"} if header is None else header, payload]
    texts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in parts]
    signed = ".".join(map(b64, texts))
    return f"{signed}.{b64(hmac.new(secret, signed.encode(), digest).digest())}"


def sha256(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
