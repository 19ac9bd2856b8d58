"""Requests go through the configured proxies and trust the configured certificate authorities."""

from __future__ import annotations

import asyncio
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from codex_exec_local.http import LocalHttp
from codex_hookspecs.environments import HttpRequest
from codex_hookspecs.errors import HttpError

pytestmark = pytest.mark.anyio

CERTIFICATES = Path(__file__).parent / "certificates"
AUTHORITY = str(CERTIFICATES / "authority.pem")


class Server:
    """Answers every request with its name, opens every tunnel, and records the first lines of requests.

    :ivar authorizations: what they had for ``proxy-authorization``.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.port = 0
        self.seen: list[str] = []
        self.authorizations: list[str | None] = []

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        try:
            first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
            self.seen.append(first)
            self.authorizations.append(dict(line.lower().split(": ", 1) for line in lines).get("proxy-authorization"))
            if first.startswith("CONNECT "):
                await self._tunnel(int(first.split()[1].rpartition(":")[2]), reader, writer)
            else:
                writer.write(f"HTTP/1.1 200 OK\r\ncontent-length: {len(self.name)}\r\n\r\n{self.name}".encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.transport.abort()

    async def _tunnel(self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        pumps = [asyncio.create_task(pump(reader, back)), asyncio.create_task(pump(there, writer))]
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        back.transport.abort()
        for task in pumps:
            task.cancel()


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


@asynccontextmanager
async def serving(name: str, *, tls: bool = False) -> AsyncIterator[Server]:
    server = Server(name)
    context = None
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATES / "server.pem")
    listening = await asyncio.start_server(server.talk, "127.0.0.1", 0, ssl=context)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()


async def fetched(url: str, environ: Mapping[str, str]) -> str:
    """Return the body of a URL."""
    http = LocalHttp(environ)
    try:
        return (await (await http.send(HttpRequest(url=url, timeout=20))).read()).decode()
    finally:
        await http.aclose()


@pytest.mark.parametrize("variable", ["CODEX_CA_CERTIFICATE", "SSL_CERT_FILE"])
async def test_the_users_authority_is_trusted(variable: str) -> None:
    async with serving("secret", tls=True) as server:
        assert await fetched(f"https://localhost:{server.port}/", {variable: AUTHORITY}) == "secret"


async def test_an_unknown_authority_is_not_trusted() -> None:
    async with serving("secret", tls=True) as server:
        with pytest.raises(HttpError, match="error sending request"):
            await fetched(f"https://localhost:{server.port}/", {})

    assert server.seen == []


async def test_a_file_of_authorities_that_is_missing_is_named() -> None:
    with pytest.raises(HttpError, match=r"^http/request failed: CODEX_CA_CERTIFICATE names /missing\.pem, which can't"):
        await fetched("https://localhost:1/", {"CODEX_CA_CERTIFICATE": "/missing.pem"})


async def test_an_http_request_needs_no_authorities() -> None:
    async with serving("plain") as server:
        environ = {"CODEX_CA_CERTIFICATE": "/missing.pem"}

        assert await fetched(f"http://127.0.0.1:{server.port}/", environ) == "plain"


async def test_an_http_request_goes_through_the_proxy() -> None:
    async with serving("proxy") as proxy:
        environ = {"http_proxy": f"http://user:p%40ss@127.0.0.1:{proxy.port}", "HTTP_PROXY": "http://127.0.0.1:1"}

        assert await fetched("http://far.test:8080/x", environ) == "proxy"

    assert proxy.seen == ["GET http://far.test:8080/x HTTP/1.1"]
    assert proxy.authorizations == [f"basic {b64encode(b'user:p@ss').decode().lower()}"]


async def test_a_tls_request_goes_through_a_tunnel() -> None:
    async with serving("secret", tls=True) as server, serving("proxy") as proxy:
        environ = {"ALL_PROXY": f"127.0.0.1:{proxy.port}", "SSL_CERT_FILE": AUTHORITY}

        assert await fetched(f"https://localhost:{server.port}/x", environ) == "secret"

    assert proxy.seen == [f"CONNECT localhost:{server.port} HTTP/1.1"]
    assert server.seen == ["GET /x HTTP/1.1"]


async def test_the_certificate_of_a_tls_proxy_is_verified() -> None:
    async with serving("proxy", tls=True) as proxy:
        environ = {"HTTP_PROXY": f"https://localhost:{proxy.port}"}

        assert await fetched("http://far.test/x", {**environ, "CODEX_CA_CERTIFICATE": AUTHORITY}) == "proxy"
        with pytest.raises(HttpError, match="error sending request"):
            await fetched("http://far.test/x", environ)

    assert proxy.seen == ["GET http://far.test/x HTTP/1.1"]


async def test_some_servers_are_reached_directly() -> None:
    async with serving("direct") as server, serving("proxy") as proxy:
        environ = {"ALL_PROXY": f"http://127.0.0.1:{proxy.port}", "NO_PROXY": "10.0.0.0/8,127.0.0.0/8"}

        assert await fetched(f"http://127.0.0.1:{server.port}/", environ) == "direct"
        assert await fetched("http://far.test/", environ) == "proxy"


async def test_a_proxy_that_cannot_be_used_is_named() -> None:
    with pytest.raises(HttpError) as caught:
        await fetched("http://far.test/", {"all_proxy": "socks5://secret@proxy:1"})

    assert str(caught.value) == (
        "http/request failed: environment: all_proxy does not name a proxy that can be used, "
        "allowed is an address like http://proxy:3128"
    )


async def test_variables_of_the_tests_process_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")

    async with serving("direct") as server:
        assert await fetched(f"http://127.0.0.1:{server.port}/", {}) == "direct"
