"""The model provider for Responses API servers: sends requests, retries failures, streams the events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from codex_hookspecs.models import Completed, ModelWarning, RateLimits
from codex_model_responses.credentials import find_bearer_token
from codex_model_responses.encoded_input import EncodedInput
from codex_model_responses.limits import read_rate_limits
from codex_model_responses.requests import TURN_STATE, build_body, build_headers, encode_item
from codex_responses.events import Translator
from codex_responses.failures import RequestFailed
from codex_responses.known_models import DEFAULT_MODEL, info_of

if TYPE_CHECKING:
    from logging import Logger

    from codex_hookspecs.models import ModelEvent, ModelInfo, ModelRequest
    from codex_hookspecs.protocol import Model
    from codex_model_responses.connection import Headers
    from codex_model_responses.settings import ProviderSettings
    from codex_model_responses.token_command import CommandTokens
    from codex_model_responses.transport import EventStream, HttpTransport


class ResponsesProvider:
    """Streams the model responses of one thread from a Responses API server.

    :param environ: variables for credentials, proxies and certificates.
    :param version: version of the program, sent to the built-in provider only.
    :param jitter: source of random numbers in [0, 1) for backoff; ``random.random`` when ``None``.
    :param sleep: function that waits between attempts.
    :param log: returns the logger; called only when there is something to log.
    """

    default_model = DEFAULT_MODEL

    def __init__(
        self,
        settings: ProviderSettings,
        *,
        environ: Mapping[str, str],
        codex_home: str,
        version: str = "",
        jitter: Callable[[], float] | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        log: Callable[[], Logger] | None = None,
    ) -> None:
        self._settings = settings
        self._environ = environ
        self._codex_home = codex_home
        self._version = version
        self._jitter = jitter
        self._sleep = sleep
        self._log = log
        self._transport: HttpTransport | None = None
        self._reported_models: set[str] = set()
        self._tokens: CommandTokens | None = None
        self._token: str | None = None
        self._encoded_input = EncodedInput(encode_item)

    @property
    def name(self) -> str:
        """Key of the provider, as configured."""
        return self._settings.name

    def models(self) -> Sequence[Model]:
        """Return the models that are known."""
        from codex_responses.catalogue import listed_models, open_models

        return open_models() if self._settings.local else listed_models()

    def info(self, model: str) -> ModelInfo:
        """Return what is known of a model by its name."""
        return info_of(model)

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """Send a request and iterate its events; see :class:`~codex_hookspecs.ports.models.ModelProvider`."""
        body = build_body(request, self._encoded_input)
        attempt = 0
        refused = False
        while True:
            stream: EventStream | None = None
            complete = False
            try:
                stream = await self._begin(await self._headers(request), body)
                for event in self._first_events(request, stream.headers):
                    yield event
                translator = Translator()
                while True:
                    for event in translator.events(await stream.read()):
                        complete = isinstance(event, Completed)
                        yield event
                        if complete:
                            return
            except RequestFailed as failure:
                failure.redact(self._secrets())
                if failure.status == 401 and self._tokens is not None and not refused:
                    refused = True
                    self._tokens.discard()
                    continue
                attempt += 1
                if not failure.again or attempt > self._settings.stream_max_retries:
                    raise failure.final() from failure
                retrying = failure.retrying(attempt, self._settings.stream_max_retries)
                wait = self._wait(failure, attempt)
            finally:
                if stream is not None:
                    stream.close(complete=complete)
            yield retrying
            await self._sleep(wait)

    async def aclose(self) -> None:
        """Close connections; may be called twice."""
        transport, self._transport = self._transport, None
        if transport is not None:
            await transport.aclose()

    async def _begin(self, headers: Headers, body: bytes) -> EventStream:
        """Send the request; retry silently while the server is unreachable or answers 5xx."""
        if self._transport is None:
            from codex_model_responses.transport import HttpTransport  # httptools is only needed from here on

            self._transport = HttpTransport(self._settings, self._environ)
        attempt = 0
        while True:
            try:
                return await self._transport.post(headers, body)
            except RequestFailed as failure:
                failure.redact(self._secrets())
                attempt += 1
                if not failure.at_once or attempt > self._settings.request_max_retries:
                    raise
                wait = self._wait(failure, attempt)
            await self._sleep(wait)

    async def _headers(self, request: ModelRequest) -> Headers:
        self._token = bearer = await self._bearer()
        headers = build_headers(request, self._settings, bearer=bearer)
        if self._settings.first_party and self._version:
            headers.insert(0, ("version", self._version))
        return headers

    async def _bearer(self) -> str | None:
        if self._settings.auth is None:
            return find_bearer_token(self._settings, self._environ, self._codex_home)
        if self._tokens is None:
            from codex_model_responses.token_command import CommandTokens

            self._tokens = CommandTokens(self._settings.auth, f"model_providers.{self._settings.name}")
        return await self._tokens.token()

    def _secrets(self) -> list[str]:
        """Return the secrets that were sent, to be redacted from what the server says."""
        return [*self._settings.secrets, *([self._token] if self._token else ())]

    def _first_events(self, request: ModelRequest, headers: Mapping[str, str]) -> list[ModelEvent]:
        if state := headers.get(TURN_STATE):
            request.turn_state.setdefault(TURN_STATE, state)
        events: list[ModelEvent] = [RateLimits(limits) for limits in read_rate_limits(headers)]
        served = headers.get("openai-model", "").strip()
        if served and served.lower() != request.model.lower() and served not in self._reported_models:
            from codex_responses.redaction import redact  # rerouting is rare

            self._reported_models.add(served)
            events.append(ModelWarning(redact(f"model rerouted: {request.model} -> {served}", self._secrets())))
        return events

    def _wait(self, failure: RequestFailed, attempt: int) -> float:
        wait = failure.wait(attempt, self._jitter)
        if self._log is not None:
            self._log().info("attempt %d failed: %s; retrying in %.1f s", attempt, failure.message, wait)
        return wait
