"""Handshakes with servers that ask for credentials, and what both real releases answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from interop.websocket_auth import CAPABILITY, LARGEST, SECRET, SHARED, SKEW, TOKEN, b64, jwt, sha256

if TYPE_CHECKING:
    from collections.abc import Callable

SERVERS = {
    "open": (),
    "token": TOKEN,
    "words": (*CAPABILITY, "--ws-token-file", "words"),
    "bom": (*CAPABILITY, "--ws-token-file", "bom"),
    "wide": (*CAPABILITY, "--ws-token-file", "wide"),
    "digest": (*CAPABILITY, "--ws-token-sha256", f" {sha256('open-sesame').upper()} "),
    "signed": SHARED,
    "named": (*SHARED, "--ws-issuer", " me ", "--ws-audience", "you"),
    "blank": (*SHARED, "--ws-issuer", " ", "--ws-audience", ""),
    "strict": (*SHARED, SKEW, "0"),
    "lenient": (*SHARED, SKEW, str(LARGEST)),
}
"""Options of the servers that the handshakes are made with."""

MISSING = "missing websocket bearer token"
HEADER = "invalid authorization header"
WRONG = "invalid websocket bearer token"
JWT = "invalid websocket jwt"
EXPIRED = "expired websocket jwt"
EARLY = "websocket jwt is not valid yet"
ISSUER = "websocket jwt issuer mismatch"
AUDIENCE = "websocket jwt audience mismatch"
FUTURE = 2**40
GOOD: dict[str, Any] = {"exp": FUTURE}


class Handshake(NamedTuple):
    """A handshake.

    :param server: options of the server, a key of ``SERVERS``.
    :param lines: header lines, or what makes them of the time.
    :param told: body of the status 401; empty when the client is let in.
    """

    sentence: str
    server: str
    lines: tuple[str | bytes, ...] | Callable[[int], tuple[str, ...]]
    told: str = ""


def bearer(token: str) -> tuple[str, ...]:
    return (f"Authorization: Bearer {token}",)


def at(**claims: Any) -> Callable[[int], tuple[str, ...]]:
    """Present a token whose times are relative to now."""
    return lambda now: bearer(jwt({name: now + value for name, value in {"exp": 3600, **claims}.items()}))


def raw(payload: bytes) -> tuple[str, ...]:
    """Present a token with a payload in which ``@`` stands for a time in the future."""
    return bearer(jwt(payload.replace(b"@", str(FUTURE).encode())))


def claim(**claims: Any) -> tuple[str, ...]:
    return bearer(jwt({**GOOD, **claims}))


def header(value: Any, **options: Any) -> tuple[str, ...]:
    return bearer(jwt(GOOD, value, **options))


def _twice(name: bytes, value: bytes) -> tuple[str, ...]:
    return raw(b'{"exp":@,"%b":%b,"%b":%b}' % (name, value, name, value))


_HEAD, _BODY, _MARK = jwt(GOOD).split(".")
_LATER = jwt({"exp": FUTURE + 1}).split(".")[1]
_NONE = b64(b'{"alg":"none"}')

HEADERS = [
    Handshake("an open server asks nobody", "open", ()),
    Handshake("an open server ignores credentials", "open", bearer("anything")),
    Handshake("a client without credentials is refused", "token", (), MISSING),
    Handshake("the token lets in", "token", bearer("open-sesame")),
    Handshake("the scheme may be in small letters", "token", ("Authorization: bearer open-sesame",)),
    Handshake("the scheme may be in capitals", "token", ("AUTHORIZATION: BEARER open-sesame",)),
    Handshake("no blank is needed after the header's name", "token", ("Authorization:Bearer open-sesame",)),
    Handshake("a tab may stand after the header's name", "token", ("Authorization:\tBearer open-sesame",)),
    Handshake("blanks before the token do not count", "token", bearer("   open-sesame")),
    Handshake("blanks after the token do not count", "token", bearer("open-sesame \t ")),
    Handshake("a blank and a tab may separate scheme and token", "token", bearer("\topen-sesame")),
    Handshake(
        "a tab alone does not separate scheme and token", "token", ("Authorization: Bearer\topen-sesame",), HEADER
    ),
    Handshake("a colon does not separate scheme and token", "token", ("Authorization: Bearer:open-sesame",), HEADER),
    Handshake("a no-break space does not separate them", "token", (b"Authorization: Bearer\xa0open-sesame",), HEADER),
    Handshake("the scheme alone is no credential", "token", ("Authorization: Bearer",), HEADER),
    Handshake("the scheme and a blank are no credential", "token", ("Authorization: Bearer ",), HEADER),
    Handshake("an empty header is invalid", "token", ("Authorization:",), HEADER),
    Handshake("a blank header is invalid", "token", ("Authorization:   ",), HEADER),
    Handshake("the token alone is invalid", "token", ("Authorization: open-sesame",), HEADER),
    Handshake("another scheme is invalid", "token", ("Authorization: Basic open-sesame",), HEADER),
    Handshake("a longer scheme is invalid", "token", ("Authorization: Bearerx open-sesame",), HEADER),
    Handshake("a token in UTF-8 is invalid", "token", (b"Authorization: Bearer open-ses\xc3\xa4me",), HEADER),
    Handshake(
        "a byte beyond ASCII at the end is invalid", "token", (b"Authorization: Bearer open-sesame\xa0",), HEADER
    ),
    Handshake("the beginning of the token is not enough", "token", bearer("open-sesam"), WRONG),
    Handshake("more than the token is wrong", "token", bearer("open-sesame1"), WRONG),
    Handshake("letter case of the token counts", "token", bearer("Open-sesame"), WRONG),
    Handshake("quotes belong to the token", "token", bearer('"open-sesame"'), WRONG),
    Handshake("a list of tokens is one token", "token", bearer("open-sesame, open-sesame"), WRONG),
    Handshake("parameters belong to the token", "token", bearer("open-sesame; realm=x"), WRONG),
    Handshake("the scheme twice is a wrong token", "token", bearer("Bearer open-sesame"), WRONG),
    Handshake("the token's digest is not the token", "token", bearer(sha256("open-sesame")), WRONG),
    Handshake("a long token is only wrong", "token", bearer("x" * 300_000), WRONG),
    Handshake("of two headers the first counts, if good", "token", (*bearer("open-sesame"), *bearer("x"))),
    Handshake("of two headers the first counts, if wrong", "token", (*bearer("x"), *bearer("open-sesame")), WRONG),
    Handshake("of two headers the first counts, if empty", "token", ("Authorization:", *bearer("open-sesame")), HEADER),
    Handshake("credentials for a proxy do not count", "token", ("Proxy-Authorization: Bearer open-sesame",), MISSING),
    Handshake("cookies do not count", "token", ("Cookie: token=open-sesame",), MISSING),
    Handshake("subprotocols do not count", "token", ("Sec-WebSocket-Protocol: bearer, open-sesame",), MISSING),
    Handshake("a header of a like name does not count", "token", ("X-Authorization: Bearer open-sesame",), MISSING),
    Handshake("a token may have blanks inside", "words", bearer("open sesame")),
    Handshake("blanks inside a token count", "words", bearer("open  sesame"), WRONG),
    Handshake("white space of Unicode around a token does not count", "wide", bearer("open-sesame")),
    Handshake("a byte order mark belongs to the token", "bom", bearer("open-sesame"), WRONG),
]

DIGESTS = [
    Handshake("the token lets in where only its digest is known", "digest", bearer("open-sesame")),
    Handshake("another token is wrong where only the digest is known", "digest", bearer("x"), WRONG),
    Handshake("the digest is not the token", "digest", bearer(sha256("open-sesame")), WRONG),
    Handshake("no token is missing where only the digest is known", "digest", (), MISSING),
]

TOKENS = [
    Handshake("a signed token lets in", "signed", bearer(jwt(GOOD))),
    Handshake("a client without a signed token is refused", "signed", (), MISSING),
    Handshake("a signed token needs the scheme, too", "signed", (f"Authorization: {jwt(GOOD)}",), HEADER),
    Handshake("another scheme is invalid for a signed token", "signed", (f"Authorization: JWT {jwt(GOOD)}",), HEADER),
    Handshake("an empty signed token is an invalid header", "signed", ("Authorization: Bearer ",), HEADER),
    Handshake("blanks around a signed token do not count", "signed", ("Authorization: bearer  " + jwt(GOOD) + " ",)),
    Handshake("of two signed tokens the first counts, if good", "signed", (*bearer(jwt(GOOD)), *bearer("x"))),
    Handshake("of two signed tokens the first counts, if bad", "signed", (*bearer("x"), *bearer(jwt(GOOD))), JWT),
    Handshake("something else is no signed token", "signed", bearer("open-sesame"), JWT),
    Handshake("the secret itself is no signed token", "signed", bearer(SECRET.decode()), JWT),
    Handshake("two parts are no token", "signed", bearer(f"{_HEAD}.{_BODY}"), JWT),
    Handshake("four parts are no token", "signed", bearer(f"{_HEAD}.{_BODY}.{_MARK}.x"), JWT),
    Handshake("empty parts are no token", "signed", bearer(".."), JWT),
    Handshake("a token without signature is refused", "signed", bearer(f"{_HEAD}.{_BODY}."), JWT),
    Handshake("a shortened signature is refused", "signed", bearer(f"{_HEAD}.{_BODY}.{_MARK[:-4]}"), JWT),
    Handshake("a lengthened signature is refused", "signed", bearer(f"{_HEAD}.{_BODY}.{_MARK}AAAA"), JWT),
    Handshake(
        "another text for the same signature is refused",
        "signed",
        bearer(f"{_HEAD}.{_BODY}.{_MARK[:-1]}{chr(ord(_MARK[-1]) + 1)}"),
        JWT,
    ),
    Handshake("a padded signature is refused", "signed", bearer(f"{_HEAD}.{_BODY}.{_MARK}="), JWT),
    Handshake("a sign beyond the alphabet is refused", "signed", bearer(f"{_HEAD}.{_BODY}.{_MARK}+"), JWT),
    Handshake("quotes around a signed token are refused", "signed", bearer(f'"{jwt(GOOD)}"'), JWT),
    Handshake("a blank inside a signed token is refused", "signed", bearer(f"{_HEAD} .{_BODY}.{_MARK}"), JWT),
    Handshake(
        "another payload under the signature is refused",
        "signed",
        bearer(f"{_HEAD}.{_LATER}.{_MARK}"),
        JWT,
    ),
    Handshake("a token of another secret is refused", "signed", bearer(jwt(GOOD, secret=b"x" * 32)), JWT),
    Handshake("the secret is trimmed", "signed", bearer(jwt(GOOD, secret=b" " + SECRET + b"\n")), JWT),
    Handshake("an empty secret signs nothing", "signed", bearer(jwt(GOOD, secret=b"")), JWT),
]

ALGORITHMS = [
    Handshake("only the algorithm is needed in a header", "signed", header({"alg": "HS256"})),
    *(
        Handshake(f"the algorithm {name or 'of no name'} is refused", "signed", header({"alg": name}), JWT)
        for name in ("none", "None", "NONE", "", "hs256", "Hs256", "RS256", "ES256", "PS256", "EdDSA", "HS384", "HS512")
    ),
    Handshake("HS384 is refused with its own digest", "signed", header({"alg": "HS384"}, digest="sha384"), JWT),
    Handshake("HS512 is refused with its own digest", "signed", header({"alg": "HS512"}, digest="sha512"), JWT),
    Handshake("no algorithm with a good signature is refused", "signed", header({"typ": "JWT"}), JWT),
    Handshake("none without a signature is refused", "signed", bearer(f"{_NONE}.{_BODY}."), JWT),
    Handshake("an algorithm of null is refused", "signed", header({"alg": None}), JWT),
    Handshake("an algorithm that is a number is refused", "signed", header({"alg": 256}), JWT),
    Handshake("a list of algorithms is refused", "signed", header({"alg": ["HS256"]}), JWT),
    Handshake("two algorithms are refused", "signed", header(b'{"alg":"none","alg":"HS256"}'), JWT),
    Handshake("the same algorithm twice is refused", "signed", header(b'{"alg":"HS256","alg":"HS256"}'), JWT),
    Handshake("any type is fine", "signed", header({"alg": "HS256", "typ": "at+jwt"})),
    Handshake("a type that is no text is refused", "signed", header({"alg": "HS256", "typ": 5}), JWT),
    Handshake("a key id is ignored", "signed", header({"alg": "HS256", "kid": "../../etc/passwd"})),
    Handshake("an address of keys is ignored", "signed", header({"alg": "HS256", "jku": "http://127.0.0.1:1/"})),
    Handshake("other members of a header are ignored", "signed", header({"alg": "HS256", "x": {"y": [1]}, "nonce": 5})),
    Handshake("a header that is a list is refused", "signed", header(b'["HS256"]'), JWT),
    Handshake("a header that is no JSON is refused", "signed", header(b'{"alg":"HS256"'), JWT),
    Handshake("a header with something behind it is refused", "signed", header(b'{"alg":"HS256"}x'), JWT),
    Handshake("a header with a byte order mark is refused", "signed", header(b'\xef\xbb\xbf{"alg":"HS256"}'), JWT),
]

CLAIMS = [
    Handshake("a payload without expiry is refused", "signed", bearer(jwt({})), JWT),
    *(
        Handshake(f"an expiry that is {kind} is refused", "signed", claim(exp=value), JWT)
        for kind, value in (
            ("a fraction", float(FUTURE)),
            ("text", str(FUTURE)),
            ("null", None),
            ("true", True),
            ("a list", [FUTURE]),
            ("beyond 64 bits", 2**63),
            ("below 64 bits", -(2**63) - 1),
            ("in scientific notation", 1e300),
        )
    ),
    Handshake("the last expiry of all is fine", "signed", claim(exp=LARGEST)),
    Handshake("the expiry 0 has passed", "signed", claim(exp=0), EXPIRED),
    Handshake("the first expiry of all has passed", "signed", claim(exp=-(2**63)), EXPIRED),
    Handshake("the name of a claim may be escaped", "signed", raw(b'{"e\\u0078p":@}')),
    Handshake("letter case of a claim's name counts", "signed", raw(b'{"Exp":@}'), JWT),
    *(
        Handshake(f"{name.decode()} twice is refused", "signed", _twice(name, value), JWT)
        for name, value in ((b"exp", b"@"), (b"nbf", b"1"), (b"iss", b'"a"'), (b"aud", b'"a"'), (b"sub", b'"a"'))
    ),
    Handshake("a claim twice under escapes is refused", "signed", raw(b'{"exp":@,"e\\u0078p":@}'), JWT),
    Handshake("an unknown claim may be there twice", "signed", raw(b'{"exp":@,"iat":1,"iat":2}')),
    *(
        Handshake(f"the start of validity may be {kind}", "signed", claim(nbf=value))
        for kind, value in (("null", None), ("negative", -5), ("the first of all", -(2**63)))
    ),
    *(
        Handshake(f"a start of validity that is {kind} is refused", "signed", claim(nbf=value), JWT)
        for kind, value in (
            ("a fraction", 1.0),
            ("text", "1"),
            ("true", True),
            ("a list", [1]),
            ("beyond 64 bits", 2**63),
        )
    ),
    Handshake("the last start of validity is not yet", "signed", claim(nbf=LARGEST), EARLY),
    *(
        Handshake(f"an issuer that is {kind} is refused though none is asked for", "signed", claim(iss=value), JWT)
        for kind, value in (("a number", 5), ("a list", ["me"]), ("an object", {"a": 1}), ("true", True))
    ),
    *(
        Handshake(f"an audience that is {kind} is refused though none is asked for", "signed", claim(aud=value), JWT)
        for kind, value in (
            ("a number", 5),
            ("an object", {"a": 1}),
            ("true", True),
            ("a list of numbers", [5]),
            ("a list with null", ["you", None]),
            ("a list of lists", [["you"]]),
        )
    ),
    Handshake("any issuer and audience are fine if none is asked for", "signed", claim(iss="x", aud=["x", "y"])),
    Handshake("null is no issuer and no audience", "signed", claim(iss=None, aud=None)),
    Handshake("an empty list is no audience", "signed", claim(aud=[])),
    Handshake("blank options ask for no issuer and no audience", "blank", claim(iss="x", aud="y")),
    Handshake("other claims are ignored", "signed", claim(iat="x", jti=[1], azp={"a": 1}, sub=5)),
    Handshake("a time of issue in the future is ignored", "signed", claim(iat=FUTURE)),
    Handshake("a subject that is a list is refused", "signed", claim(sub=["x"]), JWT),
    Handshake("a subject that is an object is refused", "signed", claim(sub={"x": 1}), JWT),
    Handshake("hundreds of claims are fine", "signed", claim(**{f"x{number}": number for number in range(500)})),
    Handshake("a long claim is fine", "signed", claim(x="y" * 10_000)),
    Handshake("blanks in a payload are fine", "signed", raw(b'\n{ "exp" : @\t}\r\n')),
    *(
        Handshake(f"a payload that is {kind} is refused", "signed", raw(payload), JWT)
        for kind, payload in (
            ("empty", b""),
            ("null", b"null"),
            ("a number", b"@"),
            ("text", b'"exp"'),
            ("a list", b"[@]"),
            ("a list of an object", b'[{"exp":@}]'),
            ("cut short", b'{"exp":@'),
            ("two objects", b'{"exp":@}{}'),
            ("not quite JSON", b"{'exp':@}"),
            ("with a comma too many", b'{"exp":@,}'),
            ("with NaN", b'{"exp":@,"x":NaN}'),
            ("with a leading zero", b'{"exp":0@}'),
            ("with a plus", b'{"exp":+@}'),
            ("with NUL", b'{"exp":@,"x":"\0"}'),
            ("with a byte order mark", b'\xef\xbb\xbf{"exp":@}'),
            ("with a bad escape", b'{"exp":@,"x":"\\q"}'),
        )
    ),
    *(
        Handshake(f"the expiry counts {when}", server, at(exp=seconds), told)
        for when, server, seconds, told in (
            ("with the usual skew", "signed", -15, ""),
            ("beyond the usual skew", "signed", -32, EXPIRED),
            ("long beyond the skew", "signed", -100, EXPIRED),
            ("without skew", "strict", 30, ""),
            ("at once without skew", "strict", -1, EXPIRED),
            ("in years with the largest skew", "lenient", -(10**9), ""),
        )
    ),
    *(
        Handshake(f"the start of validity counts {when}", server, at(nbf=seconds), told)
        for when, server, seconds, told in (
            ("with the usual skew", "signed", 25, ""),
            ("beyond the usual skew", "signed", 75, EARLY),
            ("without skew", "strict", 0, ""),
            ("at once without skew", "strict", 45, EARLY),
            ("in years with the largest skew", "lenient", 10**9, ""),
        )
    ),
    Handshake("the largest skew does not overflow", "lenient", claim(exp=LARGEST, nbf=-(2**63))),
    Handshake("the first expiry is beyond the largest skew", "lenient", claim(exp=-(2**63)), EXPIRED),
    Handshake("the issuer and the audience asked for let in", "named", claim(iss="me", aud="you")),
    Handshake("the audience may be one of several", "named", claim(iss="me", aud=["she", "you"])),
    *(
        Handshake(f"the issuer may not be {kind}", "named", claim(iss=value, aud="you"), ISSUER)
        for kind, value in (
            ("another", "x"),
            ("in other letters", "Me"),
            ("with blanks", " me "),
            ("empty", ""),
            ("null", None),
        )
    ),
    Handshake("the issuer may not be absent", "named", claim(aud="you"), ISSUER),
    *(
        Handshake(f"the audience may not be {kind}", "named", claim(iss="me", aud=value), AUDIENCE)
        for kind, value in (
            ("another", "x"),
            ("in other letters", "You"),
            ("with blanks", "you "),
            ("empty", ""),
            ("null", None),
            ("several others", ["x", "y"]),
            ("none of none", []),
            ("joined", "you,x"),
        )
    ),
    Handshake("the audience may not be absent", "named", claim(iss="me"), AUDIENCE),
    Handshake("the expiry is told before the start of validity", "named", claim(exp=1, nbf=FUTURE), EXPIRED),
    Handshake("the start of validity is told before the issuer", "named", claim(nbf=FUTURE, iss="x"), EARLY),
    Handshake("the issuer is told before the audience", "named", claim(iss="x", aud="x"), ISSUER),
    Handshake("a wrong type is told before the expiry", "named", claim(exp=1, aud=5), JWT),
]

REQUESTS = [
    ("an origin is forbidden", {"lines": (*bearer("open-sesame"), "Origin: http://127.0.0.1")}, 403, ""),
    ("an empty origin is forbidden", {"lines": (*bearer("open-sesame"), "Origin:")}, 403, ""),
    ("an origin is forbidden before credentials count", {"lines": ("Origin: null",)}, 403, ""),
    ("the state is told without credentials", {"path": "/readyz", "upgrade": False}, 200, ""),
    ("the state is told to who asks for an upgrade", {"path": "/readyz"}, 200, ""),
    ("the state is not told to an origin", {"path": "/readyz", "upgrade": False, "lines": ("Origin: null",)}, 403, ""),
    ("a token in the query does not count", {"path": "/?token=open-sesame"}, 401, MISSING),
    ("a query does not matter", {"path": "/?x", "lines": bearer("open-sesame")}, 101, ""),
    (
        "what is no upgrade is told before credentials count",
        {"upgrade": False},
        400,
        "Connection header did not include 'upgrade'",
    ),
    (
        "what is no upgrade is told with credentials, too",
        {"upgrade": False, "lines": bearer("open-sesame")},
        400,
        "Connection header did not include 'upgrade'",
    ),
    ("a method is told before credentials count", {"method": "POST"}, 405, "Request method must be `GET`"),
    ("a control character in credentials is malformed", {"lines": (b"Authorization: Bearer open\0sesame",)}, 400, ""),
    ("a continued header is malformed", {"lines": ("Authorization: Bearer", " open-sesame")}, 400, ""),
    ("a blank before the colon is malformed", {"lines": ("Authorization : Bearer open-sesame",)}, 400, ""),
    ("a hundred headers are read", {"lines": (*(f"X-{n}: y" for n in range(94)), *bearer("open-sesame"))}, 101, ""),
    ("more than a hundred are not", {"lines": (*(f"X-{n}: y" for n in range(95)), *bearer("open-sesame"))}, 431, ""),
]
"""Requests to a server that asks for a token."""

ANY_PATH = [
    ("any path is upgraded with the token", {"path": "/other", "lines": bearer("open-sesame")}, 101, ""),
    ("no path is upgraded without the token", {"path": "/other"}, 401, MISSING),
    ("the health is told without credentials", {"path": "/healthz", "upgrade": False}, 200, ""),
]
"""Requests to an app-server that asks for a token."""
