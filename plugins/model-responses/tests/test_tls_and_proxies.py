"""TLS with the user's own authorities, and proxies."""

from __future__ import annotations

import ssl
from base64 import b64encode

import pytest

from codex_hookspecs.errors import ModelError
from codex_hookspecs.models import Completed

pytestmark = pytest.mark.anyio


@pytest.fixture
def served(raw):
    """A server that answers everything, over TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(raw.certificates / "server.pem")

    async def talk(reader, writer):
        while True:
            await raw.read_request(reader)
            writer.write(raw.answer(raw.completed))

    return raw.listening(talk, ssl=context)


@pytest.mark.parametrize("variable", ["CODEX_CA_CERTIFICATE", "SSL_CERT_FILE"])
async def test_the_users_authority_is_trusted(variable, served, raw, choose, ask, listen) -> None:
    environ = {variable: str(raw.certificates / "authority.pem")}

    async with served as port:
        provider = choose("mock", {"base_url": f"https://localhost:{port}/v1"}, environ=environ)
        events = [*await listen(provider, ask()), *await listen(provider, ask())]
        await provider.aclose()

    assert isinstance(events[-1], Completed)


async def test_the_variable_of_codex_comes_first(served, raw, choose, ask, listen) -> None:
    environ = {"CODEX_CA_CERTIFICATE": str(raw.certificates / "authority.pem"), "SSL_CERT_FILE": "/missing.pem"}

    async with served as port:
        provider = choose("mock", {"base_url": f"https://localhost:{port}/v1"}, environ=environ)
        events = await listen(provider, ask())
        await provider.aclose()

    assert isinstance(events[-1], Completed)


async def test_an_unknown_authority_is_refused_without_another_attempt(served, patient, ask, waits, outlast) -> None:
    async with served as port:
        provider = patient(f"https://localhost:{port}/v1")
        _, failure = await outlast(provider, ask())
        await provider.aclose()

    assert "certificate of the model provider can't be verified" in str(failure)
    assert "CODEX_CA_CERTIFICATE" in str(failure)
    assert waits.seconds == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "can't be read (No such file or directory)"), ("", "no usable certificate"), ("junk", "no usable certif")],
)
async def test_a_bad_certificate_file_is_named(content, reason, choose, ask, listen, tmp_path) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    provider = choose("mock", {"base_url": "https://localhost:1/v1"}, environ={"CODEX_CA_CERTIFICATE": str(path)})

    with pytest.raises(ModelError) as failure:
        await listen(provider, ask())

    assert str(failure.value).startswith(f"CODEX_CA_CERTIFICATE names {path}, which ")
    assert reason in str(failure.value)


async def test_a_plain_request_goes_through_the_proxy_with_its_whole_address(raw, choose, ask, listen) -> None:
    seen = []

    async def talk(reader, writer):
        first, headers, _ = await raw.read_request(reader)
        seen.append((first, headers["host"], headers["proxy-authorization"]))
        writer.write(raw.answer(raw.completed))

    async with raw.listening(talk) as port:
        provider = choose(
            "mock",
            {"base_url": "http://model.test:8080/v1"},
            environ={"http_proxy": f"http://user:p%40ss@127.0.0.1:{port}"},
        )
        await listen(provider, ask())
        await provider.aclose()

    password = b64encode(b"user:p@ss").decode()
    assert seen == [
        ("POST http://model.test:8080/v1/responses HTTP/1.1", "model.test:8080", f"Basic {password}"),
    ]


async def test_a_tls_request_goes_through_a_tunnel(served, raw, choose, ask, listen) -> None:
    import asyncio

    seen = []

    async def pump(reader, writer):
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def talk(reader, writer):
        seen.append((await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[0])
        target = int(seen[-1].split()[1].rpartition(":")[2])
        there, back = await asyncio.open_connection("127.0.0.1", target)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(pump(reader, back), pump(there, writer))

    async with served as port, raw.listening(talk) as proxy:
        provider = choose(
            "mock",
            {"base_url": f"https://localhost:{port}/v1"},
            environ={
                "HTTPS_PROXY": f"http://127.0.0.1:{proxy}",
                "CODEX_CA_CERTIFICATE": str(raw.certificates / "authority.pem"),
            },
        )
        events = [*await listen(provider, ask()), *await listen(provider, ask())]
        await provider.aclose()

    assert isinstance(events[-1], Completed)
    assert seen == [f"CONNECT localhost:{port} HTTP/1.1"]


async def test_a_proxy_that_refuses_the_tunnel_is_quoted(raw, choose, ask, outlast) -> None:
    async def talk(reader, writer):
        await raw.read_request(reader)
        writer.write(raw.answer(b"", status="407 Proxy Authentication Required"))

    async with raw.listening(talk) as port:
        provider = choose(
            "mock",
            {"base_url": "https://model.test/v1", "request_max_retries": 0, "stream_max_retries": 0},
            environ={"ALL_PROXY": f"127.0.0.1:{port}"},
        )
        _, failure = await outlast(provider, ask())
        await provider.aclose()

    assert failure.details == "the proxy answered 407 to CONNECT model.test:443"


async def test_a_proxy_that_cannot_be_used_is_refused_before_any_request(choose, ask, listen) -> None:
    provider = choose("mock", {"base_url": "http://model.test/v1"}, environ={"ALL_PROXY": "socks5://secret@proxy:1"})

    with pytest.raises(ModelError) as failure:
        await listen(provider, ask())

    assert str(failure.value) == (
        "environment: ALL_PROXY does not name a proxy that can be used, allowed is an address like http://proxy:3128"
    )
