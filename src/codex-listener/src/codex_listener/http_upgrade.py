"""Read the HTTP request of an upgrade to a WebSocket and build the responses to it (RFC 6455)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from codex_hookspecs.auth import AcceptedClient
from codex_hookspecs.values import frozen

if TYPE_CHECKING:
    from codex_hookspecs.auth import ConnectionCheck

MAX_HEADERS: Final = 100
HEAD_END: Final = re.compile(rb"\r?\n\r?\n")
_REASONS: Final = {
    101: "Switching Protocols",
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    426: "Upgrade Required",
    431: "Request Header Fields Too Large",
}
_HEADER: Final = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\0-\x08\n-\x1f\x7f]*)")
_ORIGIN: Final = re.compile(r"^[a-z]+://[^/?]*", re.IGNORECASE)
"""What a target has in front of its path when a proxy is asked."""
_NOT_UPGRADED: Final = "WebSocket request couldn't be upgraded since no upgrade state was present"


class Refused(NamedTuple):
    """A request that is not upgraded.

    :param response: the HTTP response.
    :param reason: why the client's credentials were refused; empty when it has another cause.
    """

    response: bytes
    reason: str = ""


@frozen
class UpgradeRequest:
    """The head of an HTTP request.

    :param method: e.g. ``GET``.
    :param path: the target without its query.
    :param version: e.g. ``HTTP/1.1``.
    :param headers: lower-case names and values, in their order.
    """

    method: str
    path: str
    version: str
    headers: tuple[tuple[str, str], ...]

    def header(self, name: str) -> str | None:
        """Return the first header of a name, ``None`` without one."""
        return next((value for key, value in self.headers if key == name), None)


def read_request(head: bytes) -> UpgradeRequest | Refused:
    """Read a head, or tell how it is refused.

    :param head: request line and headers, without the empty line at the end.
    """
    first, *lines = [line.removesuffix("\r") for line in head.decode("latin-1").split("\n")]
    words = first.split(" ")
    if len(words) != 3 or words[2] not in ("HTTP/1.1", "HTTP/1.0") or not words[1] or not words[1].isascii():
        return respond(400)
    if len(lines) > MAX_HEADERS:
        return respond(431)
    headers = [(each[1].lower(), each[2].rstrip(" \t")) for line in lines if (each := _HEADER.fullmatch(line))]
    if len(headers) < len(lines):
        return respond(400)
    return UpgradeRequest(words[0], _ORIGIN.sub("", words[1]).partition("?")[0], words[2], tuple(headers))


def find_fault(request: UpgradeRequest) -> Refused | None:
    """Return how a request is refused that asks for no upgrade, or not rightly; ``None`` when it is right."""
    if request.method != "GET":
        return respond(405, "Request method must be `GET`")
    if "upgrade" not in (request.header("connection") or "").lower():
        return respond(400, "Connection header did not include 'upgrade'")
    if (request.header("upgrade") or "").lower() != "websocket":
        return respond(400, "`Upgrade` header did not include 'websocket'")
    if request.header("sec-websocket-version") != "13":
        return respond(400, "`Sec-WebSocket-Version` header did not include '13'")
    if request.header("sec-websocket-key") is None:
        return respond(400, "`Sec-WebSocket-Key` header missing")
    return respond(426, _NOT_UPGRADED) if request.version == "HTTP/1.0" else None


def authenticate(request: UpgradeRequest, check: ConnectionCheck | None) -> AcceptedClient | Refused:
    """Return whose request it is, or how it is refused.

    :param check: authenticates the client, or ``None``.
    """
    if check is None:
        return AcceptedClient()
    answer = check(request.header("authorization"))
    if isinstance(answer, str):
        return Refused(respond(401, answer).response, answer)
    return answer or AcceptedClient()


def probe(request: UpgradeRequest) -> Refused:
    """Return the response to a request for the server's state."""
    return respond(200) if request.method in ("GET", "HEAD") else respond(405, allow="GET,HEAD")


def respond(status: int, text: str = "", *, allow: str = "") -> Refused:
    """Build a response, after which the connection is closed."""
    lines = [f"HTTP/1.1 {status} {_REASONS[status]}", "connection: close"]
    if allow:
        lines.append(f"allow: {allow}")
    if text:
        lines.append("content-type: text/plain; charset=utf-8")
    body = text.encode("utf-8", "replace")
    lines += [f"content-length: {len(body)}", f"date: {_date()}", "", ""]
    return Refused("\r\n".join(lines).encode("latin-1") + body)


def accept(request: UpgradeRequest) -> bytes:
    """Build the response that upgrades the connection."""
    from websockets.utils import accept_key

    key = accept_key(request.header("sec-websocket-key") or "")
    lines = [f"HTTP/1.1 101 {_REASONS[101]}", "connection: upgrade", "upgrade: websocket"]
    lines += [f"sec-websocket-accept: {key}", f"date: {_date()}", "", ""]
    return "\r\n".join(lines).encode("latin-1")


def _date() -> str:
    """Return the time in the format of HTTP."""
    from email.utils import formatdate  # A large import that a server does not need until a client comes.

    return formatdate(usegmt=True)
