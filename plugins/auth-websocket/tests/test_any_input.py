"""Whatever clients send, the checks answer, and let in only what is signed or known."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codex_hookspecs.auth import AcceptedClient

from .conftest import SECRET, jwt

pytestmark = pytest.mark.anyio
SETTINGS = settings(
    max_examples=200, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
HEADERS = st.text(st.characters(max_codepoint=255), max_size=80)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(["exp", "nbf", "iss", "aud", "sub", "iat", "x"])
CLAIMS = st.dictionaries(NAMES, VALUES | st.just(2**40), max_size=5)
INTEGERS = range(-(2**63), 2**63)


@pytest.fixture
def capability(prepare, tmp_path) -> Any:
    (tmp_path / "tokens").write_text("a = s3cret\nb = other\n")
    return prepare("capability-token", token_file=tmp_path / "tokens")


@pytest.fixture
def signed(prepare, tmp_path) -> Any:
    (tmp_path / "secret").write_bytes(SECRET)
    return prepare("signed-bearer-token", shared_secret_file=tmp_path / "secret")


def test_any_header_is_refused_with_a_reason(capability: Any, signed: Any) -> None:
    @SETTINGS
    @given(HEADERS, st.sampled_from(["", "Bearer ", "bearer\t", "Bearer a.b.", "Bearer e30.e30."]))
    def try_one(text: str, before: str) -> None:
        for check in (capability, signed):
            answer = check(before + text)
            assert isinstance(answer, str)
            assert answer

    try_one()


def test_any_claims_are_refused_unless_all_fit(signed: Any) -> None:
    @SETTINGS
    @given(CLAIMS)
    def try_one(claims: dict[str, Any]) -> None:
        answer = signed(f"Bearer {jwt(claims)}")
        expires = claims.get("exp")
        if isinstance(answer, AcceptedClient):
            assert type(expires) is int
            assert expires in INTEGERS
            assert expires > 10**9
            assert claims.get("nbf") is None or type(claims["nbf"]) is int
            assert isinstance(claims.get("iss"), str | None)
            assert isinstance(claims.get("aud"), str | list | None)
        else:
            assert "jwt" in answer

    try_one()


def test_any_bytes_are_refused_as_header_or_payload(signed: Any) -> None:
    good = json.dumps({"exp": 2**40}).encode()

    @SETTINGS
    @given(st.binary(max_size=40), st.sampled_from([b"", b'{"alg":"HS256"', b'{"exp":1099511627776']))
    def try_one(data: bytes, before: bytes) -> None:
        found = before + data
        try:
            valid = isinstance(json.loads(found), dict)
        except (ValueError, RecursionError):
            valid = False
        if not valid:
            assert signed(f"Bearer {jwt(found)}") == "invalid websocket jwt"
            assert signed(f"Bearer {jwt(good, found)}") == "invalid websocket jwt"

    try_one()
