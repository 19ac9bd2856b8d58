"""Providers made through the hook, raw servers and requests for the tests of this plugin."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from codex_hookspecs.errors import ModelError
from codex_hookspecs.models import ModelEvent, ModelProvider, ModelRequest
from codex_model_responses.plugin import model_provider
from codex_model_responses.provider import ResponsesProvider
from codex_model_responses.settings import read_settings

COMPLETED = b'data: {"type":"response.completed","response":{"id":"r1","usage":null}}\n\n'


class Config:
    """Configuration of the program: a flat table of dotted keys that all came from one file."""

    def __init__(self, values: Mapping[str, Any] | None = None) -> None:
        self.values = dict(values or {})

    def get(self, key: str, default: Any = None) -> Any:
        return self.values.get(key, default)

    def origin(self, key: str) -> str | None:
        return "config.toml"


class Program:
    """What the plugin asks of the running program."""

    def __init__(self, home: Path, environ: Mapping[str, str], values: Mapping[str, Any] | None = None) -> None:
        self.codex_home = str(home)
        self.environ = dict(environ)
        self.config = Config(values)
        self.version = "9.8.7"

    def logger(self, plugin: str) -> logging.Logger:
        return logging.getLogger(plugin)


Choose = Callable[..., ModelProvider | None]


@pytest.fixture
async def choose(tmp_path: Path) -> AsyncIterator[Choose]:
    """Ask the hook for a provider; what it gives is closed after the test."""
    given: list[ModelProvider] = []

    def ask(
        name: str,
        table: Mapping[str, Any] | None = None,
        *,
        environ: Mapping[str, str] | None = None,
        values: Mapping[str, Any] | None = None,
    ) -> ModelProvider | None:
        provider = model_provider(name, dict(table or {}), Program(tmp_path, environ or {}, values))
        if provider is not None:
            given.append(provider)
        return provider

    yield ask
    for provider in given:
        await provider.aclose()


class Waits:
    """Remembers the waits between attempts instead of waiting."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(round(seconds, 3))


Patient = Callable[..., ResponsesProvider]


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
async def patient(tmp_path: Path, waits: Waits) -> AsyncIterator[Patient]:
    """Make a provider whose waits are only written down, with a jitter of 1.0."""
    given: list[ResponsesProvider] = []

    def make(url: str, **keys: Any) -> ResponsesProvider:
        settings = read_settings("mock", {"base_url": url, **keys}, config=Config(), environ={})
        assert settings is not None
        provider = ResponsesProvider(settings, environ={}, codex_home=str(tmp_path), jitter=lambda: 0.5, sleep=waits)
        given.append(provider)
        return provider

    yield make
    for provider in given:
        await provider.aclose()


Ask = Callable[..., ModelRequest]


@pytest.fixture
def ask() -> Ask:
    """Make a request for one word."""

    def make(**fields: Any) -> ModelRequest:
        message = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}
        return ModelRequest(
            **{
                "thread_id": "thread-1",
                "turn_id": "turn-1",
                "model": "gpt-5.2-codex",
                "instructions": "Be brief.",
                "input": (message,),
                **fields,
            }
        )

    return make


Listen = Callable[[ModelProvider, ModelRequest], Awaitable[list[ModelEvent]]]


@pytest.fixture
def listen() -> Listen:
    """Take all events of a request."""

    async def take(provider: ModelProvider, request: ModelRequest) -> list[ModelEvent]:
        return [event async for event in provider.stream(request)]

    return take


@pytest.fixture
def outlast() -> Callable[[ModelProvider, ModelRequest], Awaitable[tuple[list[ModelEvent], ModelError]]]:
    """Take the events of a request that fails, and the failure."""

    async def take(provider: ModelProvider, request: ModelRequest) -> tuple[list[ModelEvent], ModelError]:
        events: list[ModelEvent] = []
        try:
            async for event in provider.stream(request):
                events.append(event)  # noqa: PERF401 - those before the failure count
        except ModelError as error:
            return events, error
        raise AssertionError("the request did not fail")

    return take


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(talk: Talk, **options: Any) -> AsyncIterator[int]:
    """Run a server on 127.0.0.1 and give its port; connections are closed at the end."""
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, **options)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def read_request(reader: asyncio.StreamReader) -> tuple[str, dict[str, str], bytes]:
    """Read one request: its first line, its headers, its body."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.strip().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return first, headers, body


def answer(body: bytes, *, status: str = "200 OK", extra: str = "") -> bytes:
    """Build a response with a length."""
    return f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n{extra}\r\n".encode() + body


@pytest.fixture
def raw() -> Any:
    """Give the tools for servers that the test writes itself."""

    class Raw:
        listening = staticmethod(listening)
        read_request = staticmethod(read_request)
        answer = staticmethod(answer)
        completed = COMPLETED
        certificates = Path(__file__).parent / "certificates"

    return Raw
