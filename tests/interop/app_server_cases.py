"""How app-servers answer HTTP requests and refuse to start: cases that Codex 0.118.0 and 0.169.0 both pass."""

from __future__ import annotations

import base64
import hmac
import json
import time
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
MISSING, INVALID = "missing websocket bearer token", "invalid authorization header"
BAD_TOKEN, BAD_JWT = "invalid websocket bearer token", "invalid websocket jwt"
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


def signed(
    claims: dict[str, Any] | str, *, header: dict[str, Any] | None = None, key: str = SECRET, digest: str = "sha256"
) -> str:
    """Sign claims as a JSON web token."""
    head = {"alg": "HS256", "typ": "JWT"} if header is None else header
    body = claims if isinstance(claims, str) else json.dumps(claims)
    text = f"{_base64(json.dumps(head).encode())}.{_base64(body.encode())}"
    return f"{text}.{_base64(hmac.new(key.encode(), text.encode(), digest).digest())}"


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def with_authorization(value: str) -> bytes:
    return request("GET / HTTP/1.1", f"Authorization: {value}")


def servers(folder: str) -> dict[str, tuple[str, ...]]:
    """Give the flags of the servers that the cases are for."""
    signing = ("--ws-auth", "signed-bearer-token", "--ws-shared-secret-file", f"{folder}/secret")
    return {
        "open": (),
        "token": ("--ws-auth", "capability-token", "--ws-token-file", f"{folder}/token"),
        "signed": signing,
        "claims": (*signing, "--ws-issuer", " me ", "--ws-audience", "you", "--ws-max-clock-skew-seconds", "5"),
        "blank": (*signing, "--ws-issuer", " ", "--ws-audience", ""),
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


def _tokens() -> list[Handshake]:
    def case(name: str, value: str, status: int, body: str = "") -> Handshake:
        return Handshake(f"token: {name}", with_authorization(value), status, body, "token")

    twice = "Authorization: Bearer the token"
    return [
        Handshake("token: none", request(), 401, MISSING, "token"),
        Handshake("token: none, and no upgrade", plain("GET / HTTP/1.1"), 400, CONNECTION, "token"),
        Handshake("token: none, and POST", plain("POST / HTTP/1.1"), 405, GET_ONLY, "token"),
        Handshake("token: from a page", request("GET / HTTP/1.1", twice, "Origin: x"), 403, "", "token"),
        Handshake("token: good, and no upgrade", plain("GET / HTTP/1.1", twice), 400, CONNECTION, "token"),
        Handshake(
            "token: good, then bad", request("GET / HTTP/1.1", twice, "Authorization: Bearer x"), 101, "", "token"
        ),
        Handshake(
            "token: bad, then good",
            request("GET / HTTP/1.1", "Authorization: Bearer x", twice),
            401,
            BAD_TOKEN,
            "token",
        ),
        Handshake("token: in the query", request("GET /?token=the%20token HTTP/1.1"), 401, MISSING, "token"),
        Handshake("token: in a cookie", request("GET / HTTP/1.1", "Cookie: token=the token"), 401, MISSING, "token"),
        case("good", f"Bearer {TOKEN}", 101),
        case("scheme in small letters", f"bearer {TOKEN}", 101),
        case("scheme in capitals", f"BEARER {TOKEN}", 101),
        case("blanks around", f"Bearer   {TOKEN}  ", 101),
        case("bad", "Bearer other", 401, BAD_TOKEN),
        case("too long", f"Bearer {TOKEN}x", 401, BAD_TOKEN),
        case("too short", f"Bearer {TOKEN[:-1]}", 401, BAD_TOKEN),
        case("in capitals", f"Bearer {TOKEN.upper()}", 401, BAD_TOKEN),
        case("no scheme", TOKEN, 401, INVALID),
        case("only a scheme", "Bearer", 401, INVALID),
        case("an empty one", "Bearer ", 401, INVALID),
        case("a tab behind the scheme", f"Bearer\t{TOKEN}", 401, INVALID),
        case("another scheme", f"Basic {TOKEN}", 401, INVALID),
        case("not ASCII", "Bearer \xe9", 401, INVALID),
        case("an empty header", "", 401, INVALID),
    ]


def _jwts() -> list[Handshake]:
    now = int(time.time())
    good = {"exp": now + 3600}
    full = {**good, "iss": "me", "aud": "you"}

    def case(name: str, claims: Any, status: int, body: str = "", server: str = "signed", **more: Any) -> Handshake:
        return Handshake(
            f"{server}: {name}", with_authorization(f"Bearer {signed(claims, **more)}"), status, body, server
        )

    def claims(name: str, body: str = "", **changes: Any) -> Handshake:
        return case(name, {**full, **changes}, 401 if body else 101, body, "claims")

    header = {"alg": "HS256"}
    expired, early = "expired websocket jwt", "websocket jwt is not valid yet"
    issuer, audience = "websocket jwt issuer mismatch", "websocket jwt audience mismatch"
    return [
        Handshake("signed: none", request(), 401, MISSING, "signed"),
        Handshake("signed: no token of that kind", with_authorization("Bearer x"), 401, BAD_JWT, "signed"),
        Handshake("signed: two parts", with_authorization("Bearer a.b"), 401, BAD_JWT, "signed"),
        Handshake("signed: another scheme", with_authorization(f"Basic {signed(good)}"), 401, INVALID, "signed"),
        case("good", good, 101),
        case("no type", good, 101, header=header),
        case("another type", good, 101, header={**header, "typ": "x"}),
        case("a key id", good, 101, header={**header, "kid": "../x", "jku": "http://x"}),
        case("others", {**good, "sub": "x", "iat": "x", "jti": 1}, 101),
        case("an issuer that nobody asked for", {**good, "iss": "x"}, 101),
        case("an audience that nobody asked for", {**good, "aud": ["x"]}, 101),
        case("another secret", good, 401, BAD_JWT, key="t" * 32),
        case("no algorithm", good, 401, BAD_JWT, header={"typ": "JWT"}),
        case("algorithm none", good, 401, BAD_JWT, header={"alg": "none"}),
        case("algorithm in small letters", good, 401, BAD_JWT, header={"alg": "hs256"}),
        case("HS384", good, 401, BAD_JWT, header={"alg": "HS384"}, digest="sha384"),
        case("HS512", good, 401, BAD_JWT, header={"alg": "HS512"}, digest="sha512"),
        case("RS256", good, 401, BAD_JWT, header={"alg": "RS256"}),
        case("ES256", good, 401, BAD_JWT, header={"alg": "ES256"}),
        case("no exp", {"sub": "x"}, 401, BAD_JWT),
        case("exp as a text", {"exp": str(now + 3600)}, 401, BAD_JWT),
        case("exp as a fraction", {"exp": now + 3600.5}, 401, BAD_JWT),
        case("exp null", {"exp": None}, 401, BAD_JWT),
        case("exp true", {"exp": True}, 401, BAD_JWT),
        case("exp of more than 64 bits", {"exp": 2**64}, 401, BAD_JWT),
        case("exp the greatest", {"exp": 2**63 - 1}, 101),
        case("exp 10 s ago", {"exp": now - 10}, 101),
        case("exp long ago", {"exp": now - 1000}, 401, expired),
        case("exp negative", {"exp": -1}, 401, expired),
        case("nbf in the past", {**good, "nbf": now - 10}, 101),
        case("nbf 10 s ahead", {**good, "nbf": now + 10}, 101),
        case("nbf far ahead", {**good, "nbf": now + 1000}, 401, early),
        case("nbf null", {**good, "nbf": None}, 101),
        case("nbf as a text", {**good, "nbf": "0"}, 401, BAD_JWT),
        case("nbf as a fraction", {**good, "nbf": 0.5}, 401, BAD_JWT),
        case("iss as a number", {**good, "iss": 1}, 401, BAD_JWT),
        case("aud as a number", {**good, "aud": 1}, 401, BAD_JWT),
        case("aud with a number", {**good, "aud": ["x", 1]}, 401, BAD_JWT),
        case("repeated exp", f'{{"exp":{now + 9},"exp":{now + 9}}}', 401, BAD_JWT),
        case("a list", "[1]", 401, BAD_JWT),
        case("no JSON", "x", 401, BAD_JWT),
        claims("good"),
        claims("in a list", aud=["other", "you"]),
        claims("an empty list", audience, aud=[]),
        claims("another audience", audience, aud="other"),
        claims("other audiences", audience, aud=["a", "b"]),
        claims("no audience", audience, aud=None),
        claims("another issuer", issuer, iss="other"),
        claims("no issuer", issuer, iss=None),
        claims("blanks around the issuer", issuer, iss=" me "),
        claims("exp before the smaller tolerance", expired, exp=now - 20),
        claims("exp long ago and another issuer", expired, exp=now - 1000, iss="other"),
        case("without them", good, 101, "", "blank"),
    ]


HANDSHAKES = [*_upgrades(), *_probes(), *_tokens(), *_jwts()]


def _refusals() -> list[Refusal]:
    token, secret = ("--ws-token-file", "FOLDER/token"), ("--ws-shared-secret-file", "FOLDER/secret")
    capability, signing = ("--ws-auth", "capability-token"), ("--ws-auth", "signed-bearer-token")
    skew = "--ws-max-clock-skew-seconds"
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
    both = "`--ws-shared-secret-file`, `--ws-issuer`, `--ws-audience`, and `--ws-max-clock-skew-seconds` require "
    without = "websocket auth flags require `--ws-auth capability-token` or `--ws-auth signed-bearer-token`"
    return [
        *found,
        Refusal(("--listen",), 2, "a value is required for '--listen <URL>' but none was supplied"),
        Refusal(
            ("--listen", "stdio://", "--listen", "stdio://"), 2, "the argument '--listen <URL>' cannot be used multiple"
        ),
        Refusal(("--bogus",), 2, "unexpected argument '--bogus' found"),
        Refusal(("extra",), 2, "unrecognized subcommand 'extra'"),
        Refusal(("--ws-auth", "other"), 2, "[possible values: capability-token, signed-bearer-token"),
        Refusal(("--ws-auth",), 2, "a value is required for '--ws-auth <MODE>' but none was supplied"),
        Refusal((*capability, *capability), 2, "the argument '--ws-auth <MODE>' cannot be used multiple times"),
        Refusal(capability, 1, "is required when `--ws-auth capability-token` is set"),
        Refusal(signing, 1, "`--ws-shared-secret-file` is required when `--ws-auth signed-bearer-token` is set"),
        Refusal((*capability, "--ws-token-file", ""), 2, "a value is required for '--ws-token-file <PATH>'"),
        Refusal(
            (*capability, "--ws-token-file", "FOLDER/none"), 1, "FOLDER/none: No such file or directory (os error 2)"
        ),
        Refusal(
            (*capability, "--ws-token-file", "FOLDER/empty"), 1, "websocket auth secret FOLDER/empty must not be empty"
        ),
        Refusal(
            (*capability, "--ws-token-file", "FOLDER/blank"), 1, "websocket auth secret FOLDER/blank must not be empty"
        ),
        Refusal(
            (*capability, "--ws-token-file", "FOLDER/bytes"), 1, "FOLDER/bytes: stream did not contain valid UTF-8"
        ),
        Refusal((*capability, "--ws-token-file", "FOLDER"), 1, "FOLDER: Is a directory (os error 21)"),
        Refusal((*capability, *token, "--ws-issuer", "i"), 1, both + "`--ws-auth signed-bearer-token`"),
        Refusal((*capability, *token, "--ws-audience", "i"), 1, both + "`--ws-auth signed-bearer-token`"),
        Refusal((*capability, *token, skew, "1"), 1, both + "`--ws-auth signed-bearer-token`"),
        Refusal((*capability, *token, *secret), 1, both + "`--ws-auth signed-bearer-token`"),
        Refusal((*signing, *secret, *token), 1, "`--ws-auth capability-token`, not `signed-bearer-token`"),
        Refusal((*signing, secret[0], "FOLDER/short"), 1, "secret FOLDER/short must be at least 32 bytes"),
        Refusal((*signing, secret[0], "FOLDER/padded"), 1, "secret FOLDER/padded must be at least 32 bytes"),
        Refusal((*signing, secret[0], "FOLDER/none"), 1, "FOLDER/none: No such file or directory (os error 2)"),
        Refusal((*signing, secret[0], "FOLDER/empty"), 1, "FOLDER/empty must not be empty"),
        Refusal((*signing, secret[0], "FOLDER/bytes"), 1, "FOLDER/bytes: stream did not contain valid UTF-8"),
        *(
            Refusal(flags, 1, without)
            for flags in (token, secret, ("--ws-issuer", "i"), ("--ws-audience", "a"), (skew, "1"))
        ),
        Refusal((*signing, *secret, skew, "-1"), 2, "unexpected argument '-1' found"),
        Refusal((*signing, *secret, f"{skew}=-1"), 2, f"invalid value '-1' for '{skew} <SECONDS>'"),
        Refusal((*signing, *secret, skew, "x"), 2, f"invalid value 'x' for '{skew} <SECONDS>': invalid digit found"),
        Refusal(
            (*signing, *secret, skew, "1.5"), 2, f"invalid value '1.5' for '{skew} <SECONDS>': invalid digit found"
        ),
        Refusal(
            (*signing, *secret, skew, str(2**63)), 1, "websocket auth clock skew must fit in a signed 64-bit integer"
        ),
        Refusal((*signing, *secret, skew, str(2**64)), 2, "number too large to fit in target type"),
    ]


REFUSALS = _refusals()


def write_files(folder: Any) -> None:
    """Write the files that the flags name."""
    contents = {
        "token": f" {TOKEN}\n".encode(),
        "secret": f"{SECRET}\n".encode(),
        "empty": b"",
        "blank": b" \n",
        "bytes": b"\xff\xfe",
        "short": b"s" * 31,
        "padded": b"s" * 31 + b"  \n",
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
