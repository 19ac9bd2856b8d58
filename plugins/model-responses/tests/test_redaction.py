"""What a server repeats of the secrets that it was sent is neither shown nor kept."""

from __future__ import annotations

import json
import logging

import pytest

from codex_hookspecs.models import ModelWarning, Retrying

pytestmark = pytest.mark.anyio

KEY = 'corp"key+with/odd=letters'
HEADER = "header-value-of-the-environment"
FIXED = "fixed-api-key-value"
SHAPES = (
    "sk-proj-abcdefghijklmnopqrstuvwxyz0123",
    "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJl",
    "AKIAIOSFODNN7EXAMPLE",
)
SECRETS = (KEY, json.dumps(KEY)[1:-1], "corp%22key%2Bwith%2Fodd%3Dletters", HEADER, FIXED, *SHAPES)
TABLE = {
    "env_key": "KEY",
    "env_http_headers": {"X-Tenant": "TENANT"},
    "http_headers": {"X-Api-Key": FIXED, "X-Version": "2026-11-30"},
    "request_max_retries": 0,
    "stream_max_retries": 1,
}
ENVIRON = {"KEY": KEY, "TENANT": HEADER}
SAID = f"no: {' | '.join(SECRETS)} | Authorization: Bearer {KEY} | version 2026-11-30"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 418, 429, 503])
@pytest.mark.parametrize("shape", ["json", "text"])
async def test_an_error_body_is_told_without_secrets(
    status: int, shape: str, choose, ask, outlast, raw, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    body = json.dumps({"error": {"message": SAID}}) if shape == "json" else SAID

    async def talk(reader, writer) -> None:
        while True:
            await raw.read_request(reader)
            writer.write(raw.answer(body.encode(), status=f"{status} No", extra=f"x-request-id: {HEADER}\r\n"))

    async with raw.listening(talk) as port:
        provider = choose("mock", {"base_url": f"http://127.0.0.1:{port}/v1", **TABLE}, environ=ENVIRON)
        events, error = await outlast(provider, ask())

    told = [str(error), error.message, error.details or "", caplog.text]
    told += [str(event.details) for event in events if isinstance(event, Retrying)]
    assert [secret for secret in SECRETS for text in told if secret in text] == []
    if status in (400, 401):
        assert "version 2026-11-30" in error.message
        assert "[redacted]" in error.message


async def test_an_error_event_and_a_rerouted_model_are_told_without_secrets(choose, ask, outlast, raw) -> None:
    event = json.dumps({"type": "response.failed", "response": {"error": {"code": "x", "message": SAID}}})

    async def talk(reader, writer) -> None:
        while True:
            await raw.read_request(reader)
            writer.write(raw.answer(f"data: {event}\n\n".encode(), extra=f"openai-model: {FIXED}\r\n"))

    async with raw.listening(talk) as port:
        provider = choose("mock", {"base_url": f"http://127.0.0.1:{port}/v1", **TABLE}, environ=ENVIRON)
        events, error = await outlast(provider, ask())

    told = [error.message, *(str(event) for event in events)]
    assert any(isinstance(event, ModelWarning) for event in events)
    assert [secret for secret in SECRETS for text in told if secret in text] == []
