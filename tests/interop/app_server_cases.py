"""How app-servers answer HTTP requests and refuse to start: cases that Codex 0.118.0 and 0.169.0 both pass.

Credentials and their options are the subject of ``websocket_handshakes`` and ``websocket_refusals``.
"""

from __future__ import annotations

from typing import Any

from attrs import frozen

SECRET = "s" * 32
TOKEN = "the token"
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
CONNECTION = "Connection header did not include 'upgrade'"
UPGRADE = "`Upgrade` header did not include 'websocket'"
VERSION = "`Sec-WebSocket-Version` header did not include '13'"
NO_KEY = "`Sec-WebSocket-Key` header missing"
GET_ONLY = "Request method must be `GET`"
UPGRADE_HEADERS = {
    "Host": "x",
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": KEY,
    "Sec-WebSocket-Version": "13",
}


@frozen
class Handshake:
    """A request and the status and body of its response.

    :param server: the flags of the server, by name.
    """

    name: str
    request: bytes
    status: int
    body: str = ""
    server: str = "open"


@frozen
class Refusal:
    """Arguments that no server is started with.

    :param said: what stderr holds.
    """

    arguments: tuple[str, ...]
    status: int
    said: str


def request(line: str = "GET / HTTP/1.1", *more: str, **changes: str | None) -> bytes:
    """Build an upgrade; changes replace headers (``_`` stands for a hyphen), or leave them out."""
    given = {name.replace("_", "-").lower(): value for name, value in changes.items()}
    headers = [
        f"{name}: {given.get(name.lower(), value)}"
        for name, value in UPGRADE_HEADERS.items()
        if given.get(name.lower(), value) is not None
    ]
    return "\r\n".join([line, *headers, *more, "", ""]).encode("latin-1")


def plain(line: str, *headers: str) -> bytes:
    """Build a request without an upgrade."""
    return "\r\n".join([line, "Host: x", *headers, "", ""]).encode("latin-1")


def with_authorization(value: str) -> bytes:
    return request("GET / HTTP/1.1", f"Authorization: {value}")


def servers(folder: str) -> dict[str, tuple[str, ...]]:
    """Give the flags of the servers that the cases are for."""
    return {
        "open": (),
        "token": ("--ws-auth", "capability-token", "--ws-token-file", f"{folder}/token"),
        "signed": ("--ws-auth", "signed-bearer-token", "--ws-shared-secret-file", f"{folder}/secret"),
    }


def _upgrades() -> list[Handshake]:
    no = Handshake
    many = [f"x{number}: y" for number in range(95)]
    return [
        no("an upgrade", request(), 101),
        no("an upgrade of another path", request("GET /a/b HTTP/1.1"), 101),
        no("an upgrade with a query", request("GET /?token=x HTTP/1.1"), 101),
        no("an upgrade of a whole URL", request("GET http://x/ HTTP/1.1"), 101),
        no("an upgrade without a host", request(host=None), 101),
        no("an upgrade in capitals", request(upgrade="WEBSOCKET"), 101),
        no("several connection options", request(connection="keep-alive, UPGRADE"), 101),
        no("a key that is no base64", request(sec_websocket_key="zz"), 101),
        no("an empty key", request(sec_websocket_key=""), 101),
        no("two keys", request("GET / HTTP/1.1", f"Sec-WebSocket-Key: {KEY}"), 101),
        no("a subprotocol", request("GET / HTTP/1.1", "Sec-WebSocket-Protocol: a, b"), 101),
        no("an extension", request("GET / HTTP/1.1", "Sec-WebSocket-Extensions: permessage-deflate"), 101),
        no("an authorization that nobody asked for", with_authorization("Bearer x"), 101),
        no("a strange authorization that nobody asked for", with_authorization("Basic x"), 101),
        no("a cookie", request("GET / HTTP/1.1", "Cookie: a=b"), 101),
        no("a hundred headers", request("GET / HTTP/1.1", *many), 101),
        no("more than a hundred headers", request("GET / HTTP/1.1", *many, "z: z"), 431),
        no("a header of 10 kB", request("GET / HTTP/1.1", f"X: {'y' * 10_000}"), 101),
        no("a header of 300 kB", request("GET / HTTP/1.1", f"X: {'y' * 300_000}"), 101),
        no("a header of 1 MB", request("GET / HTTP/1.1", f"X: {'y' * 1_000_000}"), 431),
        no("lines without carriage returns", request().replace(b"\r", b""), 101),
        no("no version", request(sec_websocket_version=None), 400, VERSION),
        no("an older version", request(sec_websocket_version="8"), 400, VERSION),
        no("an empty version", request(sec_websocket_version=""), 400, VERSION),
        no("no key", request(sec_websocket_key=None), 400, NO_KEY),
        no("no upgrade header", request(upgrade=None), 400, UPGRADE),
        no("another upgrade", request(upgrade="h2c"), 400, UPGRADE),
        no("no connection header", request(connection=None), 400, CONNECTION),
        no("another connection header", request(connection="close"), 400, CONNECTION),
        no(
            "HTTP 1.0",
            request("GET / HTTP/1.0"),
            426,
            "WebSocket request couldn't be upgraded since no upgrade state was present",
        ),
        no("POST with an upgrade", request("POST / HTTP/1.1"), 405, GET_ONLY),
        no("a method in small letters", request("get / HTTP/1.1"), 405, GET_ONLY),
        no("CONNECT", request("CONNECT x:1 HTTP/1.1"), 405, GET_ONLY),
        no("an empty origin", request("GET / HTTP/1.1", "Origin:"), 403),
        no("an origin", request("GET / HTTP/1.1", "Origin: http://localhost"), 403),
        no("an origin in capitals", request("GET / HTTP/1.1", "ORIGIN: null"), 403),
        no("an origin of another path", request("GET /x HTTP/1.1", "Origin: https://x"), 403),
        no("no HTTP", b"hello\r\n\r\n", 400),
        no("a header without a colon", request("GET / HTTP/1.1", "foo"), 400),
        no("a blank in front of a colon", request("GET / HTTP/1.1", "foo : bar"), 400),
        no("a path that is not ASCII", request("GET /\xe9 HTTP/1.1"), 400),
    ]


def _probes() -> list[Handshake]:
    found = []
    for path in ("/readyz", "/healthz"):
        for server in ("open", "token", "signed"):
            found += [
                Handshake(f"{path} of {server}", plain(f"GET {path} HTTP/1.1"), 200, server=server),
                Handshake(
                    f"{path} of {server} from a page", plain(f"GET {path} HTTP/1.1", "Origin: x"), 403, server=server
                ),
            ]
        found += [
            Handshake(f"HEAD {path}", plain(f"HEAD {path} HTTP/1.1"), 200),
            Handshake(f"{path} over HTTP 1.0", plain(f"GET {path} HTTP/1.0"), 200),
            Handshake(f"{path} with a query", plain(f"GET {path}?a HTTP/1.1"), 200),
            Handshake(f"an upgrade of {path}", request(f"GET {path} HTTP/1.1"), 200),
            Handshake(f"POST {path}", plain(f"POST {path} HTTP/1.1", "Content-Length: 0"), 405),
            Handshake(f"POST {path} from a page", plain(f"POST {path} HTTP/1.1", "Origin: x"), 403),
            Handshake(f"{path}/", plain(f"GET {path}/ HTTP/1.1"), 400, CONNECTION),
            Handshake(f"{path} in capitals", plain(f"GET {path.upper()} HTTP/1.1"), 400, CONNECTION),
        ]
    return [
        *found,
        Handshake("a page", plain("GET / HTTP/1.1"), 400, CONNECTION),
        Handshake("another page", plain("GET /other HTTP/1.1"), 400, CONNECTION),
        Handshake("POST", plain("POST / HTTP/1.1", "Content-Length: 0"), 405, GET_ONLY),
        Handshake("OPTIONS", plain("OPTIONS * HTTP/1.1"), 405, GET_ONLY),
    ]


HANDSHAKES = [*_upgrades(), *_probes()]


def _refusals() -> list[Refusal]:
    value = "invalid value '{}' for '--listen <URL>': "
    found = [
        Refusal(
            ("--listen", url), 2, value.format(url) + f"invalid websocket --listen URL `{url}`; expected `ws://IP:PORT`"
        )
        for url in (
            "ws://localhost:0",
            "ws://127.0.0.1",
            "ws://127.0.0.1:99999",
            "ws://127.0.0.1:0/",
            "ws://127.0.0.1:0/p",
            "ws://127.0.0.1:x",
            "ws://::1:0",
            "ws://",
            "ws://:0",
            "ws://127.0.0.1:",
            "ws://127.0.0.1:-1",
            "ws://1.2.3:0",
        )
    ]
    found += [
        Refusal(("--listen", url), 2, value.format(url) + f"unsupported --listen URL `{url}`; expected `stdio://`")
        for url in ("wss://127.0.0.1:0", "http://127.0.0.1:0", "stdio", "stdio:", "unix:/x", "127.0.0.1:0", "")
    ]
    return [
        *found,
        Refusal(("--listen",), 2, "a value is required for '--listen <URL>' but none was supplied"),
        Refusal(
            ("--listen", "stdio://", "--listen", "stdio://"), 2, "the argument '--listen <URL>' cannot be used multiple"
        ),
        Refusal(("--bogus",), 2, "unexpected argument '--bogus' found"),
        Refusal(("extra",), 2, "unrecognized subcommand 'extra'"),
    ]


REFUSALS = _refusals()


def write_files(folder: Any) -> None:
    """Write the files that the flags name."""
    contents = {
        "token": f" {TOKEN}\n".encode(),
        "secret": f"{SECRET}\n".encode(),
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
