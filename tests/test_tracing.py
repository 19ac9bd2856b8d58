"""A trace that a client or the environment names is sent on to the model."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from app_server_client import ServerProcess

from codex_testkit.servers.responses import ResponsesServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from codex_testkit import Project

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OTHER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"


@pytest.fixture
def model() -> Iterator[ResponsesServer]:
    with ResponsesServer() as server:
        yield server


def settings(model: ResponsesServer) -> list[str]:
    table = f'{{name="t",base_url="{model.url}",wire_api="responses"}}'
    return ["-c", f"model_providers.t={table}", "-c", "model_provider=t", "-c", "model=m"]


def seen(model: ResponsesServer) -> list[tuple[str | None, str | None]]:
    headers = [{name.lower(): value for name, value in turn.headers.items()} for turn in model.turns]
    return [(each.get("traceparent"), each.get("tracestate")) for each in headers]


@pytest.mark.anyio
async def test_a_turn_has_the_trace_of_its_request(tmp_path: Path, model: ResponsesServer) -> None:
    async with ServerProcess(tmp_path, model.url, CODEX_LOG="app-server=debug", CODEX_LOG_FORMAT="json") as server:
        thread = await server.thread()
        for trace in (
            {"traceparent": PARENT, "tracestate": "tower=1"},
            {"traceparent": OTHER},
            {"traceparent": "00-nonsense"},
            "nonsense",
        ):
            params = {"threadId": thread, "input": [{"type": "text", "text": "go"}]}
            await server.answer(await server.send("turn/start", params, trace=trace))
            await server.until("turn/completed")
    log = server.log()

    assert seen(model) == [(PARENT, "tower=1"), (OTHER, None), (None, None), (None, None)]
    records = [json.loads(line) for line in log.splitlines()]
    assert [record["trace_id"] for record in records if "trace_id" in record] != []
    requests = [record for record in records if "request turn/start" in str(record)]
    assert [thread in str(record) for record in requests] == [True] * 4


def test_a_turn_of_exec_has_the_trace_of_the_environment(project: Project, model: ResponsesServer) -> None:
    environ = {"TRACEPARENT": PARENT, "TRACESTATE": "a=b"}
    done = project.run(*settings(model), "exec", "--skip-git-repo-check", "go", environ=environ)

    done.assert_success()
    assert seen(model) == [(PARENT, "a=b")]
