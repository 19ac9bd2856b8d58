"""Sends requests to a server that speaks the Responses API."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx

from codex_hookspecs.models import Completed, ModelEvent, ModelInfo, ModelRequest
from codex_responses.events import Translator
from codex_responses.failures import RequestFailed, disconnected, from_status

ATTEMPTS = 5
SILENCE = 300.0
LONGEST_ERROR = 65536


class GatewayProvider:
    """One per thread.

    :param url: where ``/responses`` is.
    :param model: for threads that name none.
    """

    name = "gateway"

    def __init__(self, url: str, *, key: str, model: str | None = None) -> None:
        self.default_model = model
        self._url = url.rstrip("/") + "/responses"
        headers = {"Authorization": f"Bearer {key}", "Accept": "text/event-stream"}
        self._client = httpx.AsyncClient(headers=headers, timeout=httpx.Timeout(30, read=SILENCE))

    def info(self, model: str) -> ModelInfo:
        return ModelInfo(reasoning_effort="medium")

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                async for event in self._attempt(request):
                    yield event
                return
            except RequestFailed as failure:
                if attempt == ATTEMPTS or not (failure.again or failure.at_once):
                    raise failure.final() from failure
                retrying, wait = failure.retrying(attempt, ATTEMPTS), failure.wait(attempt)
            yield retrying
            await asyncio.sleep(wait)

    async def aclose(self) -> None:
        await self._client.aclose()

    async def _attempt(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        translator = Translator()
        try:
            async with self._client.stream("POST", self._url, json=body_of(request)) as answer:
                if answer.status_code != httpx.codes.OK:
                    body = (await answer.aread())[:LONGEST_ERROR]
                    raise from_status(answer.status_code, dict(answer.headers), body, self._url)
                async for data in sent_events(answer.aiter_bytes()):
                    event = translator.translate(data)
                    if event is not None:
                        yield event
                    if isinstance(event, Completed):
                        return
        except httpx.HTTPError as error:
            raise disconnected(f"Transport error: {error!r}") from error
        raise disconnected("stream closed before response.completed")


def body_of(request: ModelRequest) -> dict[str, Any]:
    body: dict[str, Any] = {
        "model": request.model,
        "instructions": request.instructions,
        "input": request.input,
        "tools": request.tools,
        "parallel_tool_calls": request.parallel_tool_calls,
        "stream": True,
        "store": False,
    }
    if request.reasoning_effort is not None:
        body["reasoning"] = {"effort": request.reasoning_effort}
    return body


async def sent_events(pieces: AsyncIterator[bytes]) -> AsyncIterator[dict[str, Any]]:
    """Give the JSON objects of server-sent events that are one line each."""
    rest = b""
    async for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                yield json.loads(line.removeprefix(b"data:"))
