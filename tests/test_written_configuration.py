"""What a client writes to the configuration leaves the program able to start threads, and is not logged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from app_server_client import ServerProcess

pytestmark = pytest.mark.anyio

PROVIDER = """model_provider = "mock"
[model_providers.mock]
base_url = "http://127.0.0.1:9/v1"
"""


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("model_providers.mock.http_headers", {"A": ["x"]}),
        ("model_providers.mock.request_max_retries", "zz"),
        ("model_providers.openai", {"base_url": "http://127.0.0.1:9/v1"}),
        ("mcp_servers.a", {"command": 1}),
        ("shell_environment_policy.set", {"A": 1}),
        ("tui.notifications", 3),
        ("history.max_bytes", "x"),
        ("notify", "x"),
        ("personality", "x"),
        ("", 1),
    ],
)
async def test_a_value_that_no_thread_could_start_with_is_not_written(tmp_path: Path, key: str, value: Any) -> None:
    async with ServerProcess(tmp_path, config=PROVIDER) as server:
        before = (server.home / "config.toml").read_bytes()
        request = await server.send("config/value/write", {"keyPath": key, "value": value, "mergeStrategy": "replace"})
        refused = await server.answer(request)

        assert refused["error"]["code"] == -32600
        assert refused["error"]["data"] == {"config_write_error_code": "configValidationError"}
        assert (server.home / "config.toml").read_bytes() == before
        assert await server.thread()


async def test_a_provider_with_other_settings_is_written(tmp_path: Path) -> None:
    async with ServerProcess(tmp_path, config=PROVIDER) as server:
        written = await server.call(
            "config/value/write",
            keyPath="model_providers.mock.http_headers",
            value={"A": "x"},
            mergeStrategy="replace",
        )

        assert written["status"] == "ok"
        assert 'A = "x"' in (server.home / "config.toml").read_text()


async def test_words_that_no_model_takes_are_refused_and_an_empty_model_is_none(tmp_path: Path) -> None:
    async with ServerProcess(tmp_path, config=f'model = "configured"\n{PROVIDER}') as server:
        opened = await server.call("thread/start", model="")
        thread_id = opened["thread"]["id"]
        text = [{"type": "text", "text": "go"}]

        assert opened["model"] == "configured"
        unknown = (-32600, "Invalid request: unknown variant `x`, expected one of `none`, `friendly`, `pragmatic`")
        assert await server.refusal("thread/start", personality="x") == unknown
        assert await server.refusal("turn/start", threadId=thread_id, input=text, effort="") == (
            -32600,
            "Invalid request: reasoning_effort must not be empty",
        )


async def test_values_of_refused_requests_are_not_logged(tmp_path: Path) -> None:
    async with ServerProcess(tmp_path, CODEX_LOG="debug") as server:
        await server.refusal("config/value/write", keyPath="model", value={"k": "BADSECRET"}, mergeStrategy="replace")

    assert "config/value/write refused: -32600" in server.log()
    assert "BADSECRET" not in server.log()
