"""What clients of the app-server can count on: the real one's answers, and ours, over both transports."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from interop.app_server import StdioLine
from interop.clients import OURS, REAL_118, Codex, Stage
from interop.conftest import need
from interop.protocol_cases import CASES, Case
from interop.protocol_talk import Talk, WebsocketLine, differences

if TYPE_CHECKING:
    from pathlib import Path

    from codex_testkit.servers.responses import ResponsesServer
    from interop.protocol_cases import Message

LINES = {"stdio": StdioLine, "websocket": WebsocketLine}
RETRIES = "request_max_retries = 0\nstream_max_retries = 0\n"


@pytest.mark.parametrize("transport", LINES)
@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_the_answers_are_those_of_the_real_one(
    case: Case, transport: str, folder: Path, server: ResponsesServer
) -> None:
    need(REAL_118.path, "codex 0.118.0")

    real_answers, real_events = held(REAL_118, case, transport, folder, server)
    answers, events = held(OURS, case, transport, folder, server)

    found = differences(real_answers, answers, "answers") + differences(real_events, events, "events")
    assert [text for text in found if not text.startswith(case.known or ("-",))] == []


def held(
    codex: Codex, case: Case, transport: str, folder: Path, server: ResponsesServer
) -> tuple[list[Message], list[Message]]:
    stage = Stage(folder / codex.name, server.url)
    stage.set_up(codex, 'model = "gpt-5.4"', provider=RETRIES)
    server.play(None)
    line = LINES[transport](codex, stage)
    try:
        talk = Talk(line, stage, server)
        talk.hold(case)
        return talk.result()
    finally:
        line.close()
