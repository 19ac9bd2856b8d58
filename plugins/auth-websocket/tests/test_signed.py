"""Signed bearer tokens: signature, header, claims, and what hostile ones do."""

from __future__ import annotations

import time
from typing import Any

import pytest

from codex_hookspecs.auth import AcceptedClient
from codex_hookspecs.errors import ConfigError

from .conftest import HEADER, SECRET, b64, jwt

pytestmark = pytest.mark.anyio
MODE = "signed-bearer-token"
FUTURE = 2**40
GOOD = {"exp": FUTURE}
INVALID = "invalid websocket jwt"
DEEP = b"[" * 20_000 + b"]" * 20_000


@pytest.fixture
def secret_file(tmp_path):
    (tmp_path / "secret").write_bytes(SECRET + b"\n")
    return tmp_path / "secret"


@pytest.fixture
def check(prepare, secret_file):
    return prepare(MODE, shared_secret_file=secret_file)


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "HS256"},
        {"alg": "HS256", "typ": "at+jwt", "kid": "../../etc/passwd", "jku": "http://127.0.0.1/", "x": 5},
        {"alg": "HS256", "typ": None},
    ],
)
async def test_the_algorithm_is_all_that_counts_in_a_header(check, header: Any) -> None:
    assert check(f"Bearer {jwt(GOOD, header)}") == AcceptedClient()


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"typ": "JWT"},
        *(
            {"alg": name}
            for name in ("hs256", "none", "None", "", "HS384", "HS512", "RS256", "ES256", "EdDSA", None, 5)
        ),
        {"alg": ["HS256"]},
        {"alg": "HS256", "typ": 5},
        {"alg": "HS256", "kid": 5},
        {"alg": "HS256", "crit": ["x"], "x": 1},
        {"alg": "HS256", "crit": "x"},
        {"alg": "HS256", "b64": False},
        {"alg": "HS256", "b64": False, "crit": ["b64"]},
        b'{"alg":"HS256","alg":"HS256"}',
        b'{"alg":"none","alg":"HS256"}',
        b'{"alg":"HS256","x":NaN}',
        b'\xef\xbb\xbf{"alg":"HS256"}',
        b'{"alg":"HS256"}x',
        b'{"alg":"HS256","x":"\xff"}',
        b'{"alg":"HS256","x":' + DEEP + b"}",
        b"[]",
        b"5",
        b"",
    ],
)
async def test_another_header_is_refused_though_the_signature_is_right(check, header: Any) -> None:
    assert check(f"Bearer {jwt(GOOD, header)}") == INVALID


@pytest.mark.parametrize("digest", ["sha384", "sha512", "sha1"])
async def test_another_digest_is_refused(check, digest: str) -> None:
    assert check(f"Bearer {jwt(GOOD, digest=digest)}") == INVALID


@pytest.mark.parametrize(
    "spoil",
    [
        lambda head, body, mark: f"{head}.{body}.",
        lambda head, body, mark: f"{head}.{body}",
        lambda head, body, mark: f"{head}.{body}.{mark}.{mark}",
        lambda head, body, mark: f"{head}.{body}.{mark}=",
        lambda head, body, mark: f"{head}.{body}.{mark}+",
        lambda head, body, mark: f"{head}.{body}.{mark}A",
        lambda head, body, mark: f"{head}.{body}.{mark[:-2]}",
        lambda head, body, mark: f"{head}.{body}.{mark[:-1]}{chr(ord(mark[-1]) + 1)}",
        lambda head, body, mark: f"{head} .{body}.{mark}",
        lambda head, body, mark: f'"{head}.{body}.{mark}"',
        lambda head, body, mark: f"{head}.{b64(b'{}')}.{mark}",
        lambda head, body, mark: f"..{mark}",
        lambda head, body, mark: "..",
        lambda head, body, mark: "x",
        lambda head, body, mark: jwt(GOOD, secret=SECRET + b"\n"),
        lambda head, body, mark: jwt(GOOD, secret=b"x" * 32),
    ],
)
async def test_a_malformed_token_is_refused(check, spoil: Any) -> None:
    assert check(f"Bearer {spoil(*jwt(GOOD).split('.'))}") == INVALID


@pytest.mark.parametrize(
    "payload",
    [
        {},
        *({"exp": value} for value in (1.0 * FUTURE, str(FUTURE), None, True, [FUTURE], 2**63, -(2**63) - 1, 1e300)),
        *({**GOOD, "nbf": value} for value in (1.0, "1", True, [1], 2**63)),
        *({**GOOD, "iss": value} for value in (5, True, ["me"], {})),
        *({**GOOD, "aud": value} for value in (5, True, {}, [5], ["me", None], [["me"]])),
        *({**GOOD, "sub": value} for value in ([], {})),
        *(b'{"exp":%d,"%s":1,"%s":1}' % (FUTURE, name, name) for name in (b"exp", b"nbf", b"sub")),
        b'{"exp":%d,"aud":"a","aud":"a"}' % FUTURE,
        b'{"exp":%d,"e\\u0078p":%d}' % (FUTURE, FUTURE),
        b'{"exp":%d,"iss":"\\ud800"}' % FUTURE,
        b'{"exp":%d,"\\ud800":1}' % FUTURE,
        b'{"exp":%d,"x":"\xff"}' % FUTURE,
        b'{"exp":%d,"x":"\0"}' % FUTURE,
        b'{"exp":%d,"x":Infinity}' % FUTURE,
        b'{"exp":%d,"x":%s}' % (FUTURE, DEEP),
        b'{"exp":%d,"x":%s}' % (FUTURE, b"9" * 10_000),
        b'\xef\xbb\xbf{"exp":%d}' % FUTURE,
        '{"exp":1099511627776}'.encode("utf-16"),
        b'{"exp":%d}}' % FUTURE,
        b"[{}]",
        b'"x"',
        b"null",
        b"",
    ],
    ids=lambda payload: repr(payload)[:60],
)
async def test_a_payload_of_another_form_is_refused(check, payload: Any) -> None:
    assert check(f"Bearer {jwt(payload)}") == INVALID


@pytest.mark.parametrize(
    "payload",
    [
        {**GOOD, "nbf": None, "iss": None, "aud": None, "sub": None},
        {**GOOD, "iat": "x", "jti": [1], "sub": 5, "x": {"y": [1]}},
        {**GOOD, "aud": []},
        b'{"exp":%d,"iat":1,"iat":2,"x":{"a":1,"a":2}}' % FUTURE,
        b'\n{ "e\\u0078p" : %d }\t' % FUTURE,
        {**GOOD, **{f"claim{number}": number for number in range(5000)}},
        {**GOOD, "x": "y" * 1_000_000},
    ],
    ids=lambda payload: repr(payload)[:60],
)
async def test_other_claims_are_ignored(check, payload: Any) -> None:
    assert check(f"Bearer {jwt(payload)}") == AcceptedClient()


@pytest.mark.parametrize(
    ("skew", "claims", "told"),
    [
        (None, {"exp": -20}, None),
        (None, {"exp": -40}, "expired websocket jwt"),
        (None, {"exp": 60, "nbf": 20}, None),
        (None, {"exp": 60, "nbf": 40}, "websocket jwt is not valid yet"),
        (0, {"exp": 60, "nbf": -1}, None),
        (0, {"exp": -1}, "expired websocket jwt"),
        (0, {"exp": 60, "nbf": 30}, "websocket jwt is not valid yet"),
        (100, {"exp": -60, "nbf": 60}, None),
        (2**63 - 1, {"exp": -(10**9)}, None),
        (None, {"exp": -90, "nbf": 90, "iss": "other"}, "expired websocket jwt"),
    ],
)
async def test_times_count_with_the_skew(
    prepare, secret_file, skew: int | None, claims: dict[str, Any], told: str | None
) -> None:
    check = prepare(MODE, shared_secret_file=secret_file, max_clock_skew_seconds=skew)
    now = int(time.time())
    payload = {name: value + now if isinstance(value, int) else value for name, value in claims.items()}

    assert check(f"Bearer {jwt(payload)}") == (told or AcceptedClient())


@pytest.mark.parametrize(
    ("claims", "told"),
    [
        ({"iss": "me", "aud": "you"}, None),
        ({"iss": "me", "aud": ["she", "you"]}, None),
        ({"iss": " me ", "aud": "you"}, "websocket jwt issuer mismatch"),
        ({"iss": "Me", "aud": "you"}, "websocket jwt issuer mismatch"),
        ({"aud": "you"}, "websocket jwt issuer mismatch"),
        ({"iss": "other", "aud": "other"}, "websocket jwt issuer mismatch"),
        ({"iss": "me"}, "websocket jwt audience mismatch"),
        ({"iss": "me", "aud": []}, "websocket jwt audience mismatch"),
        ({"iss": "me", "aud": "you,she"}, "websocket jwt audience mismatch"),
        ({"iss": "me", "aud": ["You"]}, "websocket jwt audience mismatch"),
        ({"iss": "me", "aud": 5}, INVALID),
    ],
)
async def test_issuer_and_audience_are_those_of_the_options(
    prepare, secret_file, claims: dict[str, Any], told: str | None
) -> None:
    check = prepare(MODE, shared_secret_file=secret_file, issuer=" me ", audience="you")

    assert check(f"Bearer {jwt({**GOOD, **claims})}") == (told or AcceptedClient())


async def test_blank_options_are_none(prepare, secret_file) -> None:
    check = prepare(MODE, shared_secret_file=secret_file, issuer=" ", audience="")

    assert check(f"Bearer {jwt({**GOOD, 'iss': 'anybody'})}") == AcceptedClient()


@pytest.mark.parametrize(
    ("subject", "name"),
    [("ann", "ann"), ("a\x1b[2J\n", "a^[[2J^J"), ("x" * 1000, "x" * 64 + "…"), (5, None), ("", None)],
)
async def test_the_subject_is_the_name_in_a_form_that_can_be_logged(check, subject: Any, name: str | None) -> None:
    assert check(f"Bearer {jwt({**GOOD, 'sub': subject})}") == AcceptedClient(name)


@pytest.mark.parametrize(
    ("header", "told"),
    [
        (None, "missing websocket bearer token"),
        ("Basic x", "invalid authorization header"),
        ("Bearer x", INVALID),
        ("Bearer " + "x" * 1_000_000, INVALID),
        ("Bearer " + "." * 1_000_000, INVALID),
        ("Bearer " + "a." * 500_000, INVALID),
        ("Bearer " + " " * 1_000_000, "invalid authorization header"),
        ("Bearer a\0b", INVALID),
    ],
    ids=lambda value: repr(value)[:30],
)
async def test_hostile_headers_are_refused(check, header: str | None, told: str) -> None:
    assert check(header) == told


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b" " + b"x" * 31 + b"\n", "must be at least 32 bytes"),
        ("\u00e9".encode() * 15, "must be at least 32 bytes"),
        (
            b"-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----\n",
            "is a public key",
        ),
        (b'{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ"}', "is a public key"),
    ],
)
async def test_a_weak_secret_is_refused(prepare, secret_file, content: bytes, told: str) -> None:
    secret_file.write_bytes(content)

    with pytest.raises(ConfigError) as caught:
        prepare(MODE, shared_secret_file=secret_file)

    assert str(caught.value).startswith(f"signed websocket bearer secret {secret_file} {told}")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "`--ws-shared-secret-file` is required when `--ws-auth signed-bearer-token` is set"),
        ({"token_file": "x"}, "require `--ws-auth capability-token`, not `signed-bearer-token`"),
        ({"shared_secret_file": "x", "token_sha256": ""}, "require `--ws-auth capability-token`, not"),
    ],
)
async def test_options_that_do_not_fit_are_refused(prepare, options: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        prepare(MODE, **options)

    assert told in str(caught.value)


async def test_a_skew_beyond_the_integers_of_the_protocol_is_refused(prepare, secret_file) -> None:
    with pytest.raises(ConfigError, match=r"^websocket auth clock skew must fit in a signed 64-bit integer$"):
        prepare(MODE, shared_secret_file=secret_file, max_clock_skew_seconds=2**63)


def test_tokens_here_are_signed_as_everywhere() -> None:
    import jwt as library

    assert library.decode(jwt(GOOD, HEADER), SECRET, algorithms=["HS256"]) == GOOD
