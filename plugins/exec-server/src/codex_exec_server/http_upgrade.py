"""Decide whether an incoming HTTP request is upgraded to a WebSocket, or build its response."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from codex_hookspecs.auth import AcceptedClient

if TYPE_CHECKING:
    from codex_hookspecs.auth import ConnectionCheck

MAX_HEAD: Final = 32 * 1024
MAX_HEADERS: Final = 100
_REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    431: "Request Header Fields Too Large",
}


_HEADER: Final = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\0-\x08\n-\x1f\x7f]*)")


class Refused(NamedTuple):
    """A request that is not upgraded.

    :param response: the HTTP response.
    :param reason: why the client's credentials were refused; empty when it has another cause.
    """

    response: bytes
    reason: str = ""


def decide(head: bytes, check: ConnectionCheck | None) -> AcceptedClient | Refused:
    """Return whose request is to be upgraded to a WebSocket, or how it is refused.

    :param head: request line and headers; empty when they exceeded the limit.
    :param check: authenticates the client, or ``None``.
    """
    if not head:
        return _response(431)
    first, _, rest = head.decode("latin-1").partition("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        return _response(400)
    method, target, _ = words
    if not target.isascii():
        return _response(400)
    lines = rest.split("\r\n") if rest else []
    if len(lines) > MAX_HEADERS:
        return _response(431)
    found = [_HEADER.fullmatch(line) for line in lines]
    headers = [(each[1].lower(), each[2].rstrip(" \t")) for each in found if each]
    if len(headers) < len(lines):
        return _response(400)
    if any(name == "origin" for name, _ in headers):
        return _response(403)
    path = target.partition("?")[0]
    if path == "/readyz":
        return _response(200) if method in ("GET", "HEAD") else _response(405, allow="GET,HEAD")
    if path != "/":
        return _response(404)
    if method != "GET":
        return _response(405, "Request method must be `GET`")
    fault = _find_fault(dict(headers))
    if fault:
        return _response(400, fault)
    return AcceptedClient() if check is None else _authenticate(headers, check)


def _authenticate(headers: list[tuple[str, str]], check: ConnectionCheck) -> AcceptedClient | Refused:
    authorization = next((value for name, value in headers if name == "authorization"), None)
    answer = check(authorization)
    if isinstance(answer, str):
        return Refused(_response(401, answer).response, answer)
    return answer or AcceptedClient()


def _find_fault(headers: dict[str, str]) -> str:
    if "upgrade" not in headers.get("connection", "").lower():
        return "Connection header did not include 'upgrade'"
    if headers.get("upgrade", "").lower() != "websocket":
        return "`Upgrade` header did not include 'websocket'"
    if headers.get("sec-websocket-version") != "13":
        return "`Sec-WebSocket-Version` header did not include '13'"
    if "sec-websocket-key" not in headers:
        return "`Sec-WebSocket-Key` header missing"
    return ""


def _response(status: int, text: str = "", *, allow: str = "") -> Refused:
    lines = [f"HTTP/1.1 {status} {_REASONS[status]}", "connection: close"]
    if allow:
        lines.append(f"allow: {allow}")
    if text:
        lines.append("content-type: text/plain; charset=utf-8")
    body = text.encode("utf-8", "replace")
    return Refused("\r\n".join([*lines, f"content-length: {len(body)}", "", ""]).encode("latin-1") + body)
