"""HTTP requests that an environment makes, as the exec-server protocol names them (``http/request``)."""

from __future__ import annotations

from typing import Literal

from codex_hookspecs.values import frozen

Redirects = Literal["follow", "stop"]


@frozen(kw_only=True)
class HttpRequest:
    """A request.

    :param url: absolute address, ``http`` or ``https``.
    :param method: any method of HTTP.
    :param headers: names and values in the order they are sent; a name may come again.
    :param body: bytes to send, or ``None``.
    :param timeout: seconds for the whole exchange, its body included; ``None`` waits as long as there is a connection.
    :param redirects: whether a redirection is followed or is itself the answer.
    """

    url: str
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    timeout: float | None = 60.0
    redirects: Redirects = "follow"
