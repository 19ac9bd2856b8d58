"""Convert absolute paths to ``file:`` URIs and back (paths of the exec-server protocol, 0.169)."""

from __future__ import annotations

import re
from typing import Final

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_PLAIN: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/!$&'()*+,;=:@")
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")


class PathError(ValueError):
    """Raised for a text that is not a path on this platform.

    :param message: what is wrong with the path.
    :ivar foreign: whether it is a valid URI, but of another platform.
    """

    def __init__(self, message: str, *, foreign: bool = False) -> None:
        super().__init__(message)
        self.foreign = foreign


def uri_of(path: str) -> str:
    """Return an absolute path as a URI; bytes that are not UTF-8 are percent-encoded."""
    data = path.encode("utf-8", "surrogateescape")
    if _PLAIN.issuperset(data):
        return "file://" + path
    return "file://" + "".join(chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in data)


def path_of(text: str) -> str:
    """Return the path of a URI or an absolute path, with dot segments removed.

    :raises PathError: for anything else, with the error texts of Codex's exec-server.
    """
    if text.startswith("/"):
        return _whole(text, text)
    scheme = _SCHEME.match(text)
    if scheme is None:
        raise PathError("invalid URI: relative URL without a base")
    if scheme[1].lower() != "file":
        raise PathError(f"unsupported path URI scheme `{scheme[1].lower()}`")
    rest = text[scheme.end() :]
    if "?" in rest:
        raise PathError("query parameters are not allowed in path URIs")
    if "#" in rest:
        raise PathError("fragments are not allowed in path URIs")
    if rest.startswith("//"):
        host, slash, below = rest[2:].partition("/")
        if host not in ("", "localhost"):
            raise PathError(f"'{text}' is invalid on 'linux'", foreign=True)
        rest = slash + below
    raw = _ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), rest.encode("utf-8", "surrogatepass"))
    return _whole("/" + raw.decode("utf-8", "surrogateescape").lstrip("/"), text)


def _whole(path: str, text: str) -> str:
    if "\0" in path:
        raise PathError(f"'{text}' is invalid on 'linux'", foreign=True)
    if "/." not in path and "//" not in path:
        return path
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return "/" + "/".join(parts)
