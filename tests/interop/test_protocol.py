"""What clients of the app-server can count on: the real one's answers, and ours, over both transports."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from codex_testkit.servers.responses import ResponsesServer
from interop.app_server import StdioLine
from interop.clients import OURS, REAL_118, Codex, Stage
from interop.conftest import need
from interop.protocol_cases import CASES, Case
from interop.protocol_talk import Talk, WebsocketLine, differences

if TYPE_CHECKING:
    from pathlib import Path

    from interop.protocol_cases import Message

LINES = {"stdio": StdioLine, "websocket": WebsocketLine}
RETRIES = "request_max_retries = 0\nstream_max_retries = 0\n"


@pytest.mark.parametrize("transport", LINES)
@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_the_answers_are_those_of_the_real_one(case: Case, transport: str, folder: Path) -> None:
    need(REAL_118.path, "codex 0.118.0")

    # At the same time: half of it is waiting for what may still come.
    with ThreadPoolExecutor(2) as both:
        real, ours = both.map(lambda codex: held(codex, case, transport, folder), (REAL_118, OURS))

    (real_answers, real_events), (answers, events) = real, ours
    found = differences(real_answers, answers, "answers") + differences(real_events, events, "events")
    assert [text for text in found if not text.startswith(case.known or ("-",))] == []


def held(codex: Codex, case: Case, transport: str, folder: Path) -> tuple[list[Message], list[Message]]:
    with ResponsesServer() as server:
        stage = Stage(folder / codex.name, server.url)
        stage.set_up(codex, 'model = "gpt-5.4"', provider=RETRIES)
        line = LINES[transport](codex, stage)
        try:
            talk = Talk(line, stage, server)
            talk.hold(case)
            return talk.result()
        finally:
            line.close()
