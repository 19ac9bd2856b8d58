"""The claims of a signed bearer token, checked as the app-server of Codex 0.118 does."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple, NoReturn, TypeGuard

from codex_auth_websocket.refusals import (
    EXPIRED,
    INVALID_JWT,
    NOT_YET_VALID,
    WRONG_AUDIENCE,
    WRONG_ISSUER,
    Refused,
)
from codex_hookspecs.json_text import JsonError, parse_json

MAX_INTEGER: Final = 2**63 - 1
_KNOWN: Final = frozenset(("exp", "nbf", "iss", "aud", "sub"))


class Expected(NamedTuple):
    """What the claims of a token must fit.

    :param issuer: value of ``iss``, ``None`` for any.
    :param audience: a value of ``aud``, ``None`` for any.
    :param skew: seconds by which the clocks of issuer and server may differ.
    """

    issuer: str | None
    audience: str | None
    skew: int


class Members(dict[str, Any]):
    """A JSON object that remembers which names it has more than once."""

    def __init__(self, pairs: Iterable[tuple[str, Any]]) -> None:
        super().__init__()
        self.repeated = set[str]()
        for name, value in pairs:
            if name in self:
                self.repeated.add(name)
            self[name] = value


def parse_object(data: bytes, once: frozenset[str], what: str) -> Members:
    """Return the JSON object of a token's header or payload.

    :param what: which of them, for the log.
    :param once: names that it may have only once.
    :raises Refused: when it is something else.
    """
    try:
        found = None if data.startswith(b"\xef\xbb\xbf") else parse_json(data, object_pairs_hook=Members)
    except JsonError:
        found = None
    if not isinstance(found, Members) or not all(map(_is_text, found)):
        _refuse(f"its {what} is no JSON object")
    if twice := sorted(found.repeated & once):
        _refuse(f"its {what} has {twice[0]} twice")
    return found


def subject(payload: bytes, expected: Expected, now: int) -> str | None:
    """Check the claims of a token.

    :param now: seconds since 1970.
    :return: the claim ``sub``, if it is text.
    :raises Refused: when a claim has the wrong type, or does not fit.
    """
    claims = parse_object(payload, _KNOWN, "payload")
    expires, not_before = claims.get("exp"), claims.get("nbf")
    issuer, audience, client = claims.get("iss"), claims.get("aud"), claims.get("sub")
    audiences = audience if isinstance(audience, list) else [] if audience is None else [audience]
    if not _is_integer(expires):
        _refuse("the claim exp is missing" if expires is None else "the claim exp is no integer")
    if not_before is not None and not _is_integer(not_before):
        _refuse("the claim nbf is no integer")
    if issuer is not None and not _is_text(issuer):
        _refuse("the claim iss is no text")
    if not all(map(_is_text, audiences)):
        _refuse("the claim aud is no text and no list of texts")
    if isinstance(client, list | dict):
        _refuse("the claim sub is a list or an object")
    if now > expires + expected.skew:
        raise Refused(EXPIRED)
    if not_before is not None and now < not_before - expected.skew:
        raise Refused(NOT_YET_VALID)
    if expected.issuer is not None and issuer != expected.issuer:
        raise Refused(WRONG_ISSUER)
    if expected.audience is not None and expected.audience not in audiences:
        raise Refused(WRONG_AUDIENCE)
    return client if isinstance(client, str) else None


def _is_integer(value: Any) -> TypeGuard[int]:
    return type(value) is int and -MAX_INTEGER - 1 <= value <= MAX_INTEGER


def _is_text(value: Any) -> bool:
    """Return whether a value is text without single halves of surrogate pairs."""
    return isinstance(value, str) and not any("\ud800" <= sign <= "\udfff" for sign in value)


def _refuse(detail: str) -> NoReturn:
    raise Refused(INVALID_JWT, detail)
