"""The content of a token file: one token, or several with names."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING, Final

from codex_hookspecs.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

Tokens = dict[bytes, str | None]
"""SHA-256 digests of the tokens with their names; a token that stands alone has none."""

MAX_TOKENS: Final = 1000
_DIGEST: Final = re.compile(r"[0-9A-Fa-f]{64}")
_NAME: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z._@-]{0,63}")
_HASHED: Final = "sha256:"
_NAMED: Final = re.compile(rf"{_NAME.pattern}([ \t]+=|=[ \t]|={_HASHED})")
"""How a line begins that is an entry of a list even where it stands alone: no bearer token has a blank or a colon."""
_NAMES: Final = "a name has up to 64 letters, digits and signs of ._@-, and begins with a letter or digit"
_LINE: Final = "expected NAME = TOKEN or NAME = sha256:HEX"


def parse_tokens(text: str, path: str) -> Tokens:
    """Return the tokens of a file.

    One line is one token, unless it is an entry of a list or a comment; none is returned when no client could send
    it. Several lines are a list: ``NAME = TOKEN`` or ``NAME = sha256:HEX`` each, empty lines and comments with ``#``
    aside.

    :param text: the content without blanks around it.
    :raises ConfigError: when a line of a list is invalid, or there are only comments; the error holds no token.
    """
    lines = text.split("\n")
    if len(lines) == 1 and not text.startswith("#") and not _NAMED.match(text):
        if text.startswith(_HASHED):
            raise ConfigError(
                f"websocket auth secret {path} has a digest without a name; {_LINE}, or give it as --ws-token-sha256"
            )
        return {digest(text): None} if is_presentable(text) else {}
    found: Tokens = {}
    names = set[str]()
    for number, line in enumerate(map(str.strip, lines), 1):
        if not line or line.startswith("#"):
            continue
        place = f"websocket auth secret {path}: line {number}"
        name, token = _entry(line, place)
        if name in names:
            raise ConfigError(f"{place}: the name {name} is used twice")
        if token in found:
            raise ConfigError(f"{place}: {name} has the token of {found[token]}")
        if len(found) == MAX_TOKENS:
            raise ConfigError(f"{place}: a file may have at most {MAX_TOKENS} tokens")
        names.add(name)
        found[token] = name
    if not found:
        raise ConfigError(f"websocket auth secret {path} has no token, only comments")
    return found


def parse_digest(text: str) -> bytes:
    """Return a SHA-256 digest from its hexadecimal form.

    :raises ConfigError: when it has another form.
    """
    trimmed = text.strip()
    if not _DIGEST.fullmatch(trimmed):
        raise ConfigError("--ws-token-sha256 must be a 64-character hex SHA-256 digest")
    return bytes.fromhex(trimmed)


def digest(token: str) -> bytes:
    """Return the digest that tokens are compared by."""
    return hashlib.sha256(token.encode()).digest()


def is_presentable(token: str) -> bool:
    """Return whether a token can be sent in a header at all."""
    return token.isascii() and token.replace("\t", " ").isprintable()


def find(presented: str, tokens: Mapping[bytes, str | None]) -> bytes | None:
    """Return the digest of the presented token if it is one of the tokens; all are compared, in constant time."""
    sought = digest(presented)
    found = None
    for each in tokens:
        if hmac.compare_digest(each, sought):
            found = each
    return found


def _entry(line: str, place: str) -> tuple[str, bytes]:
    """Return the name and the digest of a line.

    :raises ConfigError: when it has another form.
    """
    name, equals, value = (part.strip() for part in line.partition("="))
    if not equals or not value:
        raise ConfigError(f"{place}: {_LINE}")
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{place}: {_NAMES}")
    if not value.startswith(_HASHED):
        if not is_presentable(value):
            raise ConfigError(f"{place}: the token of {name} has characters other than printable ASCII")
        return name, digest(value)
    hexadecimal = value.removeprefix(_HASHED).strip()
    if not _DIGEST.fullmatch(hexadecimal):
        raise ConfigError(f"{place}: the digest of {name} has not 64 hexadecimal digits")
    return name, bytes.fromhex(hexadecimal)
