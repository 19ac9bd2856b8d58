"""Writing to running commands and reading their output."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from codex_hookspecs.errors import ExecError, ToolError
from codex_testkit.memory.environment import MemoryProcess
from codex_tool_exec.arguments import read_exec_call, read_write_call

if TYPE_CHECKING:
    from conftest import Conversation

pytestmark = pytest.mark.anyio


def body(text: str) -> str:
    return text.split("Output:\n", 1)[1]


@pytest.fixture
def short_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("codex_tool_exec.arguments.MIN_POLL_MS", 50)


async def test_what_is_written_arrives_and_the_answer_has_what_is_new(talk: Conversation) -> None:
    session = await talk.session("cat", tty=True)

    first = await talk.call("write_stdin", session_id=session, chars="hey\n")
    second = await talk.call("write_stdin", session_id=session, chars="du\n")

    assert (body(first.text), body(second.text)) == ("hey\n", "du\n")
    assert f"Process running with session ID {session}\n" in second.text
    assert second.text.startswith("Command: /bin/sh -lc cat\n")


async def test_clients_are_told_what_was_written_before_what_comes_of_it(talk: Conversation) -> None:
    session = await talk.session("cat", tty=True)

    await talk.call("write_stdin", session_id=session, chars="hey\n")
    await talk.call("write_stdin", session_id=session, chars="\x04")

    assert talk.told[1:4] == [
        ("interaction", ("call-1", str(session), "hey\n")),
        ("delta", "hey\n"),
        ("interaction", ("call-1", str(session), "\x04")),
    ]
    assert talk.told[4][0] == "completed"


async def test_a_command_that_ends_is_over_with_the_answer(talk: Conversation) -> None:
    session = await talk.session("cat", tty=True)

    output = await talk.call("write_stdin", session_id=session, chars="\x04")

    assert "Wall time: 0.0000 seconds\nProcess exited with code 0\n" in output.text
    with pytest.raises(ToolError, match=f"^write_stdin failed: Unknown process id {session}$"):
        await talk.call("write_stdin", session_id=session)


async def test_an_empty_write_waits_for_the_end(talk: Conversation) -> None:
    session = await talk.session("slow")

    output = await talk.call("write_stdin", session_id=session)

    assert body(output.text) == "two\n"
    assert "Process exited with code 0\n" in output.text


async def test_an_empty_write_gives_up_in_time(talk: Conversation, short_polls: None) -> None:
    session = await talk.session("wait")

    output = await talk.call("write_stdin", session_id=session, yield_time_ms=1)

    assert body(output.text) == ""
    assert f"session ID {session}" in output.text


async def test_a_command_on_pipes_takes_no_input(talk: Conversation) -> None:
    session = await talk.session("wait")

    with pytest.raises(ToolError) as caught:
        await talk.call("write_stdin", session_id=session, chars="x")

    assert str(caught.value) == (
        "write_stdin failed: stdin is closed for this session; rerun exec_command with tty=true to keep stdin open"
    )


async def test_an_unknown_session_is_told(talk: Conversation) -> None:
    with pytest.raises(ToolError, match=r"^write_stdin failed: Unknown process id 4242$"):
        await talk.call("write_stdin", session_id=4242)


@pytest.mark.parametrize("status", ["unknownProcess", "stdinClosed", "starting"])
async def test_input_that_is_not_taken_is_told(
    talk: Conversation, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    async def answer(self: MemoryProcess, data: bytes) -> str:
        return status

    monkeypatch.setattr(MemoryProcess, "write", answer)
    session = await talk.session("cat", tty=True)

    with pytest.raises(ToolError, match=r"^write_stdin failed: failed to write to stdin$"):
        await talk.call("write_stdin", session_id=session, chars="x")


async def test_a_lost_connection_ends_the_command(talk: Conversation, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(self: MemoryProcess, data: bytes) -> str:
        raise ExecError("connection lost")

    monkeypatch.setattr(MemoryProcess, "write", fail)
    session = await talk.session("cat", tty=True)

    with pytest.raises(ToolError, match=r"^write_stdin failed: connection lost$"):
        await talk.call("write_stdin", session_id=session, chars="x")

    with pytest.raises(ToolError, match="Unknown process id"):
        await talk.call("write_stdin", session_id=session)
    await talk.until("completed")


async def test_a_lost_process_is_told(talk: Conversation) -> None:
    call = asyncio.create_task(talk.run("wait"))
    await talk.until("delta")

    [process] = talk.machine.exec._live.values()
    process.lose("connection lost")

    with pytest.raises(ToolError, match="the command was lost: connection lost"):
        await call
    assert talk.items("completed")[0].status == "failed"
    assert talk.warned == ["the command `/bin/sh -lc wait` was lost: connection lost"]


@pytest.mark.parametrize(
    ("given", "wait"),
    [
        ({"chars": "x"}, 250),
        ({"chars": "x", "yield_time_ms": 1}, 250),
        ({"chars": "x", "yield_time_ms": 99_000}, 30_000),
        ({}, 5_000),
        ({"yield_time_ms": 7_000}, 7_000),
        ({"yield_time_ms": 999_000}, 300_000),
    ],
)
def test_waits_are_bounded(given: dict[str, object], wait: int) -> None:
    import json

    assert read_write_call(json.dumps({"session_id": 1, **given}), {}).yield_time_ms == wait


def test_the_longest_wait_can_be_configured() -> None:
    config = {"background_terminal_max_timeout": 10_000}

    assert read_write_call('{"session_id": 1, "yield_time_ms": 60000}', config).yield_time_ms == 10_000


@pytest.mark.parametrize(("given", "wait"), [(None, 10_000), (1, 250), (50_000, 30_000), (2_000, 2_000)])
def test_the_first_wait_is_bounded(given: int | None, wait: int) -> None:
    arguments = '{"cmd": "x"}' if given is None else f'{{"cmd": "x", "yield_time_ms": {given}}}'

    assert read_exec_call(arguments, {}).yield_time_ms == wait
