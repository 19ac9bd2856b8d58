"""HTTP requests made from an environment."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from codex_hookspecs.types.http import HttpRequest


class HttpResponse(Protocol):
    """A response with a body that is still to be read; must be closed, also if the body is not read.

    ``async with aclosing(await environment.http.send(request)) as response: …``
    """

    @property
    def status(self) -> int:
        """HTTP status, including error statuses."""
        ...

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """Names in lower case, and values; repeated names in the order received."""
        ...

    def chunks(self) -> AsyncIterator[bytes]:
        """Stream the raw (still content-encoded) body once, with backpressure.

        :raises HttpError: when it is incomplete, or exceeds the request's timeout.
        """
        ...

    async def read(self, limit: int = ...) -> bytes:
        """Read the whole body and close the response.

        :raises HttpError: as ``chunks``, and when it is larger than the limit.
        """
        ...

    async def aclose(self) -> None:
        """Release the connection; may be called twice."""
        ...


class HttpClient(Protocol):
    """Makes requests from the environment, with its network, name resolution and certificates; without cookies."""

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Send a request once and return the response when its headers have arrived.

        :raises HttpError: when it can't be sent, or times out.
        """
        ...
