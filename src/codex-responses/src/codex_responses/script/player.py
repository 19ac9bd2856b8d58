"""Play scripts like a model provider: stream events, and retry or raise failures."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from codex_responses.events import Translator
from codex_responses.failures import RequestFailed, disconnected, from_status
from codex_responses.script.steps import CUT, DELAY, HTTP_ERROR, last_session, round_events

if TYPE_CHECKING:
    from codex_hookspecs.types.models import ModelEvent, ModelRequest
    from codex_responses.script.steps import Script

_MADE_BY_MODEL: Final = frozenset(("reasoning", "function_call", "custom_tool_call", "web_search_call"))
_NUMBERED: Final = re.compile(r"(?:msg|rs|ws|fc|call)_(\d+)_\d+")
_CUTS: Final[Mapping[str, str]] = {
    "before_completed": "stream closed before response.completed",
    "abrupt": "Transport error: network error: error decoding response body",
    "silence": "idle timeout waiting for SSE",
}


def rounds_in(items: Iterable[Mapping[str, Any]]) -> int:
    """Count the rounds already played in the history of a request.

    Ids of scripted items contain the number of their round; without ids, each contiguous run of items by the model
    counts as a round. This way a thread resumed by another process continues its script. Rounds without items are not
    counted.

    :param items: the request's ``input``.
    """
    count, in_run = 0, False
    for item in items:
        kind = item.get("type", "message")
        made = kind in _MADE_BY_MODEL or (kind == "message" and item.get("role") == "assistant")
        if made:
            number = _number(item)
            count = max(count, number + 1) if number is not None else count + (not in_run)
        in_run = made
    return count


def _number(item: Mapping[str, Any]) -> int | None:
    found = (_NUMBERED.fullmatch(str(item.get(key))) for key in ("id", "call_id"))
    return next((int(match[1]) for match in found if match), None)


class ScriptPlayer:
    """Plays a script for one thread: each request gets the next round, retries included.

    :param request_max_retries: how often a scripted HTTP failure is retried silently.
    :param stream_max_retries: how often a scripted stream failure is retried.
    :param silence: seconds after which a scripted silence counts as a failure.
    :param patience: waits before a retry; sleeps if ``None``. Scripted delays are always real.
    :param resume: continue after the rounds in the history instead of starting with the first one.
    """

    def __init__(
        self,
        script: Script,
        *,
        request_max_retries: int = 4,
        stream_max_retries: int = 5,
        silence: float = 300.0,
        patience: Callable[[float], Awaitable[None]] | None = None,
        resume: bool = True,
    ) -> None:
        self._script = script
        self._request_max_retries = request_max_retries
        self._stream_max_retries = stream_max_retries
        self._silence = silence
        self._patience = patience or asyncio.sleep
        self._resume = resume
        self._played = 0

    async def play(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        """Respond to a request.

        :raises ModelError: (while iterating) when the script has a final failure.
        """
        attempt = 0
        while True:
            try:
                translator = Translator()
                for event in await self._begin(request):
                    if event["type"] in {DELAY, CUT}:
                        await self._direct(event)
                    elif (translated := translator.translate(event)) is not None:
                        await asyncio.sleep(0)
                        yield translated
                return
            except RequestFailed as failure:
                attempt += 1
                if not failure.again or attempt > self._stream_max_retries:
                    raise failure.final() from failure
                retrying, wait = failure.retrying(attempt, self._stream_max_retries), failure.wait(attempt)
            yield retrying
            await self._patience(wait)

    async def _begin(self, request: ModelRequest) -> tuple[dict[str, Any], ...]:
        attempt = 0
        while True:
            events = self._next_round(request)
            if events[-1]["type"] != HTTP_ERROR:
                return events
            for event in events[:-1]:
                await self._direct(event)
            failure = _http_failure(events[-1])
            attempt += 1
            if not failure.at_once or attempt > self._request_max_retries:
                raise failure
            await self._patience(failure.wait(attempt))

    def _next_round(self, request: ModelRequest) -> tuple[dict[str, Any], ...]:
        number = max(self._played, rounds_in(request.input))
        steps = self._script.round(number if self._resume else self._played)
        self._played = number + 1 if self._resume else self._played + 1
        return round_events(steps, number, session=last_session(request.input), model=request.model)

    async def _direct(self, event: Mapping[str, Any]) -> None:
        if event["type"] == DELAY:
            await asyncio.sleep(event["seconds"])
            return
        if event["how"] == "silence":
            await asyncio.sleep(self._silence)
        raise disconnected(_CUTS[event["how"]])


def _http_failure(event: Mapping[str, Any]) -> RequestFailed:
    import json

    headers = {name.lower(): value for name, value in event["headers"].items()}
    return from_status(event["status"], headers, json.dumps(event["body"]).encode(), "scripted")
