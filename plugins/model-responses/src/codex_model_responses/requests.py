"""Build the body and the headers of a model request, as Codex 0.118 sends them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from codex_model_responses.history import sent_form

if TYPE_CHECKING:
    from codex_hookspecs.models import ModelRequest
    from codex_hookspecs.protocol import JsonObject
    from codex_model_responses.encoded_input import EncodedInput
    from codex_model_responses.settings import ProviderSettings

TURN_STATE: Final = "x-codex-turn-state"
"""Response header that later requests of the same turn repeat."""

_TIERS: Final = {"fast": "priority"}


def body_of(request: ModelRequest, sent: EncodedInput) -> bytes:
    """Return the request as JSON, members in the order of Codex 0.118.

    :param sent: holds what earlier requests sent.
    """
    reasoning = {
        key: value
        for key, value in (("effort", request.reasoning_effort), ("summary", request.reasoning_summary))
        if value is not None
    }
    before = encoded({"model": request.model, "instructions": request.instructions})
    after: dict[str, Any] = {
        "tools": request.tools,
        "tool_choice": "auto",
        "parallel_tool_calls": request.parallel_tool_calls,
        "reasoning": reasoning or None,
        "store": False,
        "stream": True,
        "include": ["reasoning.encrypted_content"] if reasoning else [],
    }
    if request.service_tier:
        after["service_tier"] = _TIERS.get(request.service_tier, request.service_tier)
    after["prompt_cache_key"] = request.thread_id
    if text := _text_of(request):
        after["text"] = text
    return b'%b,"input":%b,%b' % (before[:-1], sent.array(request.input), encoded(after)[1:])


def encoded_item(item: JsonObject) -> bytes:
    """Return an item as it is sent."""
    return encoded(sent_form(item))


def headers_of(request: ModelRequest, settings: ProviderSettings, *, bearer: str | None) -> list[tuple[str, str]]:
    """Return the headers of a request except those of the connection.

    :param bearer: token for ``authorization``, or ``None``.
    """
    headers = list(settings.headers)
    if request.metadata:
        headers.append(("x-codex-turn-metadata", json.dumps(request.metadata, separators=(",", ":"))))
    if state := request.turn_state.get(TURN_STATE):
        headers.append((TURN_STATE, state))
    if request.subagent:
        headers.append(("x-openai-subagent", request.subagent))
    headers += [("x-client-request-id", request.thread_id), ("session_id", request.thread_id)]
    if bearer:
        headers.append(("authorization", f"Bearer {bearer}"))
    headers += [("accept", "text/event-stream"), ("content-type", "application/json")]
    if request.user_agent:
        headers.append(("user-agent", _printable(request.user_agent)))
    headers.append(("originator", _printable(request.originator)))
    return _last_of_each(headers, settings.headers)


def encoded(value: Any) -> bytes:
    """Encode JSON in the shortest form; half surrogate pairs, which UTF-8 can't carry, become question marks."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _printable(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    return "".join(letter if letter.isascii() and letter.isprintable() else "_" for letter in text)


def _text_of(request: ModelRequest) -> dict[str, Any]:
    text: dict[str, Any] = {}
    if request.verbosity:
        text["verbosity"] = request.verbosity
    if request.output_schema is not None:
        text["format"] = {
            "type": "json_schema",
            "strict": True,
            "schema": request.output_schema,
            "name": "codex_output_schema",
        }
    return text


def _last_of_each(headers: Iterable[tuple[str, str]], configured: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Let no header appear twice; one that the user configured wins over ours."""
    chosen: Mapping[str, str] = {**dict(headers), **dict(configured)}
    return list(chosen.items())
