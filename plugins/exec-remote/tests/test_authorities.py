"""A server behind TLS is verified as every other server is."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve

from codex_exec_remote.websocket_link import LinkError, Target, open_link

pytestmark = pytest.mark.anyio

CERTIFICATES = Path(__file__).parent / "certificates"


async def outcome(environ: dict[str, str]) -> str:
    """Connect to a server whose certificate is signed by an authority of its own; return how that went."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / "server.pem")

    async def talk(connection: ServerConnection) -> None:
        await connection.wait_closed()

    async with serve(talk, "127.0.0.1", 0, ssl=context) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        try:
            link = await open_link(Target(f"wss://localhost:{port}", environ=environ), print, print)
        except LinkError as error:
            return str(error)
        await link.aclose()
        return "connected"


async def test_the_users_authority_is_trusted() -> None:
    assert await outcome({"CODEX_CA_CERTIFICATE": str(CERTIFICATES / "authority.pem")}) == "connected"


async def test_an_unknown_authority_is_not_trusted() -> None:
    told = await outcome({})

    assert told.startswith("its certificate can't be verified: ")
    assert told.endswith("name its PEM file in CODEX_CA_CERTIFICATE")


async def test_a_file_of_authorities_that_is_missing_is_named() -> None:
    assert (await outcome({"SSL_CERT_FILE": "/missing.pem"})).startswith("SSL_CERT_FILE names /missing.pem, which ")
