"""HTTP as a machine that agents work on speaks it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from codex_hookspecs.types.http import HttpRequest


class HttpResponse(Protocol):
    """An answer whose body is still to come; close it, also when the body was not wanted.

    ``async with aclosing(await environment.http.send(request)) as response: …``
    """

    @property
    def status(self) -> int:
        """Status; errors of HTTP are answers, too."""
        ...

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """Names, in lower case, and values; those of one name in the order they came."""
        ...

    def chunks(self) -> AsyncIterator[bytes]:
        """Iterate the body once, as it comes and as it was encoded; who reads slowly holds up the sender.

        :raises HttpError: when it breaks off, or takes longer than the request allows.
        """
        ...

    async def read(self, limit: int = ...) -> bytes:
        """Return the whole body, and close.

        :raises HttpError: as ``chunks`` does, and when it is larger than the limit.
        """
        ...

    async def aclose(self) -> None:
        """Let go of the exchange; may be called twice."""
        ...


class HttpClient(Protocol):
    """Makes requests from the machine, with its network, names and certificates; cookies are not kept."""

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Make a request, once, and return its answer when the headers are there.

        :raises HttpError: when it can't be made, or there is no answer in time.
        """
        ...
