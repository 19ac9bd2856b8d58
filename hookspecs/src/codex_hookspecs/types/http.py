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
    :param headers: names and values in the order they are sent; names may repeat.
    :param body: bytes to send, or ``None``.
    :param timeout: seconds for the whole exchange including the body; ``None`` for no limit.
    :param redirects: whether redirects are followed or returned as the response.
    """

    url: str
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    timeout: float | None = 60.0
    redirects: Redirects = "follow"
