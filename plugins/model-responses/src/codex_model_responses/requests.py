"""Build the body and the headers of a model request, as Codex 0.118 sends them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from codex_model_responses.history import to_request_item

if TYPE_CHECKING:
    from codex_hookspecs.models import ModelRequest
    from codex_hookspecs.protocol import JsonObject
    from codex_model_responses.encoded_input import EncodedInput
    from codex_model_responses.settings import ProviderSettings

TURN_STATE: Final = "x-codex-turn-state"
"""Response header that later requests of the same turn repeat."""

_TIERS: Final = {"fast": "priority"}


def build_body(request: ModelRequest, encoded_input: EncodedInput) -> bytes:
    """Build the JSON body of a request, members in the order of Codex 0.118.

    :param encoded_input: cache of the items that earlier requests encoded.
    """
    reasoning = {
        key: value
        for key, value in (("effort", request.reasoning_effort), ("summary", request.reasoning_summary))
        if value is not None
    }
    before = encode_json({"model": request.model, "instructions": request.instructions})
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
    if text := _text_options(request):
        after["text"] = text
    return b'%b,"input":%b,%b' % (before[:-1], encoded_input.to_json_array(request.input), encode_json(after)[1:])


def encode_item(item: JsonObject) -> bytes:
    """Encode a history item as part of a request."""
    return encode_json(to_request_item(item))


def build_headers(request: ModelRequest, settings: ProviderSettings, *, bearer: str | None) -> list[tuple[str, str]]:
    """Build the headers of a request, without those that the transport adds.

    :param bearer: token for ``authorization``, or ``None``.
    """
    headers = list(settings.headers)
    if request.metadata:
        headers.append(("x-codex-turn-metadata", json.dumps(request.metadata, separators=(",", ":"))))
    if state := request.turn_state.get(TURN_STATE):
        headers.append((TURN_STATE, state))
    if request.subagent:
        headers.append(("x-openai-subagent", request.subagent))
    if request.trace:
        headers.append(("traceparent", request.trace.traceparent))
        if request.trace.tracestate:
            headers.append(("tracestate", request.trace.tracestate))
    headers += [("x-client-request-id", request.thread_id), ("session_id", request.thread_id)]
    if bearer:
        headers.append(("authorization", f"Bearer {bearer}"))
    headers += [("accept", "text/event-stream"), ("content-type", "application/json")]
    if request.user_agent:
        headers.append(("user-agent", _to_printable(request.user_agent)))
    headers.append(("originator", _to_printable(request.originator)))
    return _deduplicate(headers, settings.headers)


def encode_json(value: Any) -> bytes:
    """Encode compact JSON; lone surrogates, which UTF-8 can't represent, become question marks."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _to_printable(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    return "".join(letter if letter.isascii() and letter.isprintable() else "_" for letter in text)


def _text_options(request: ModelRequest) -> dict[str, Any]:
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


def _deduplicate(headers: Iterable[tuple[str, str]], configured: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return each header once: the user's value if it is configured, else the last one."""
    chosen: Mapping[str, str] = {**dict(headers), **dict(configured)}
    return list(chosen.items())
