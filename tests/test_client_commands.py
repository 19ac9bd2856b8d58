"""Clients of ``codex app-server`` run commands."""

from __future__ import annotations

import asyncio
import base64
import os
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from app_server_client import LIMIT, ServerProcess

pytestmark = pytest.mark.anyio

INVALID, COMBINATION, INTERNAL = -32600, -32602, -32603
FULL = {"type": "dangerFullAccess"}
EXEC = "command/exec"


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    async with ServerProcess(tmp_path) as found:
        yield found


def shell(script: str, **params: Any) -> dict[str, Any]:
    return {"command": ["sh", "-c", script], "sandboxPolicy": FULL, **params}


async def streamed(client: ServerProcess, ident: int) -> tuple[Any, dict[str, bytes]]:
    """Return the result of a command and its output by stream, sent before the result."""
    answer = await client.answer(ident)
    found: dict[str, bytes] = {}
    for each in client.notifications:
        params = each["params"]
        found[params["stream"]] = found.get(params["stream"], b"") + base64.b64decode(params["deltaBase64"])
    client.notifications.clear()
    return answer["result"], found


async def output(client: ServerProcess, wanted: bytes) -> None:
    """Wait for output."""
    found = b""
    while wanted not in found:
        found += base64.b64decode((await client.notification(f"{EXEC}/outputDelta"))["deltaBase64"])


async def gone(mark: str) -> None:
    """Wait until no process has a mark in its command line."""
    async with asyncio.timeout(LIMIT):
        while marked(mark):  # noqa: ASYNC110  # other processes give no event
            await asyncio.sleep(0.05)


def marked(mark: str) -> list[str]:
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if mark.encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(pid)
        except OSError:
            continue
    return found


async def test_a_command_gives_its_exit_code_and_output(client: ServerProcess) -> None:
    found = await client.call(EXEC, **shell("echo out; echo err >&2; exit 3"))

    assert found == {"exitCode": 3, "stdout": "out\n", "stderr": "err\n"}


async def test_the_environment_is_changed_by_the_client_and_keeps_no_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_SECRET", "hidden")
    monkeypatch.setenv("KEPT", "kept")
    monkeypatch.setenv("REMOVED", "removed")
    async with ServerProcess(tmp_path) as client:
        env = {"NEW": "new", "REMOVED": None}
        found = await client.call(EXEC, **shell('echo "$A_SECRET-$KEPT-$REMOVED-$NEW"', env=env))

    assert found["stdout"] == "-kept--new\n"


async def test_the_directory_is_relative_to_that_of_the_server(client: ServerProcess, tmp_path: Path) -> None:
    (tmp_path / "ws/below").mkdir()

    for cwd, wanted in (("below", "/below"), (str(tmp_path / "ws/below"), "/below"), (None, ""), ("", "")):
        found = await client.call(EXEC, **shell("pwd -P", cwd=cwd))
        assert found["stdout"].strip() == os.path.realpath(tmp_path / "ws") + wanted
    assert await client.refusal(EXEC, **shell("pwd", cwd="missing")) == (
        INTERNAL,
        "failed to spawn command: No such file or directory (os error 2)",
    )


async def test_time_runs_out(client: ServerProcess) -> None:
    mark = f"0.{uuid.uuid4().int}"

    found = await client.call(EXEC, **shell(f"echo begun; sleep 600 & sleep 60{mark}", timeoutMs=500))

    assert found == {"exitCode": 124, "stdout": "begun\n", "stderr": ""}
    await gone(mark)


async def test_output_beyond_the_cap_is_dropped(client: ServerProcess) -> None:
    script = "echo 123456789; echo abcdefghi >&2; head -c 3000000 /dev/zero | tr '\\0' x"

    found = await client.call(EXEC, **shell(script, outputBytesCap=5))
    assert found == {"exitCode": 0, "stdout": "12345", "stderr": "abcde"}
    assert len((await client.call(EXEC, **shell(script)))["stdout"]) == 1024 * 1024
    assert len((await client.call(EXEC, **shell(script, disableOutputCap=True)))["stdout"]) == 3_000_010


async def test_a_result_is_bounded_even_without_a_cap(client: ServerProcess) -> None:
    found = await client.call(EXEC, **shell("head -c 40000000 /dev/zero | tr '\\0' x", disableOutputCap=True))

    assert (found["exitCode"], len(found["stdout"])) == (0, 32 * 1024 * 1024)


async def test_streamed_output_ends_with_the_cap(client: ServerProcess) -> None:
    ident = await client.send(
        EXEC,
        shell("head -c 100000 /dev/zero; echo e >&2", processId="p", streamStdoutStderr=True, outputBytesCap=70000),
    )

    await client.answer(ident)

    last = [each["params"] for each in client.notifications if each["params"]["stream"] == "stdout"]
    assert [each["capReached"] for each in last] == [False] * (len(last) - 1) + [True]
    assert sum(len(base64.b64decode(each["deltaBase64"])) for each in last) == 70000


async def test_a_client_writes_and_closes_stdin(client: ServerProcess) -> None:
    ident = await client.send(EXEC, shell("cat; echo done", processId="p", streamStdin=True))
    for text in (b"one ", b"two "):
        await client.call(f"{EXEC}/write", processId="p", deltaBase64=base64.b64encode(text).decode())
    await client.call(f"{EXEC}/write", processId="p", deltaBase64="dGhyZWUK", closeStdin=True)

    assert (await client.answer(ident))["result"]["stdout"] == "one two three\ndone\n"
    assert await client.refusal(f"{EXEC}/write", processId="p", closeStdin=True) == (
        INVALID,
        'no active command/exec for process id "p"',
    )


async def test_a_large_input_reaches_a_slow_reader_before_the_end(client: ServerProcess) -> None:
    ident = await client.send(EXEC, shell("sleep 0.5; wc -c", processId="p", streamStdin=True))
    data = base64.b64encode(b"x" * 1_000_000).decode()
    await client.call(f"{EXEC}/write", processId="p", deltaBase64=data, closeStdin=True)

    assert (await client.answer(ident))["result"]["stdout"].strip() == "1000000"


async def test_a_terminal_has_a_size_and_can_be_resized(client: ServerProcess) -> None:
    script = "stty size; read line; stty size; echo got $line; exit 5"
    size = {"rows": 7, "cols": 9}
    ident = await client.send(EXEC, shell(script, processId="p", tty=True, size=size))
    await output(client, b"7 9")
    await client.call(f"{EXEC}/resize", processId="p", size={"rows": 11, "cols": 22})
    await client.call(f"{EXEC}/write", processId="p", deltaBase64=base64.b64encode(b"line\n").decode())

    result, found = await streamed(client, ident)

    assert result == {"exitCode": 5, "stdout": "", "stderr": ""}
    assert b"11 22\r\n" in found["stdout"]
    assert b"got line\r\n" in found["stdout"]


async def test_closing_the_input_of_a_terminal_is_its_end_of_file(client: ServerProcess) -> None:
    ident = await client.send(EXEC, shell("echo up; cat; echo done", processId="p", tty=True))
    await output(client, b"up")
    await client.call(f"{EXEC}/write", processId="p", closeStdin=True)

    result, found = await streamed(client, ident)

    assert result["exitCode"] == 0
    assert found["stdout"].endswith(b"done\r\n")


async def test_a_command_is_killed_with_what_it_started(client: ServerProcess) -> None:
    mark = f"0.{uuid.uuid4().int}"
    script = f"trap '' TERM INT HUP; sleep 60{mark} & echo up; wait; sleep 60{mark}"
    ident = await client.send(EXEC, shell(script, processId="p", streamStdoutStderr=True))
    await output(client, b"up")

    assert await client.call(f"{EXEC}/terminate", processId="p") == {}

    assert (await client.answer(ident))["result"]["exitCode"] == 137
    await gone(mark)


async def test_what_a_command_leaves_behind_delays_its_result_only_briefly(client: ServerProcess) -> None:
    mark = f"0.{uuid.uuid4().int}"

    found = await client.call(EXEC, **shell(f"echo x; sleep 300{mark} & exit 0", disableTimeout=True))

    assert found == {"exitCode": 0, "stdout": "x\n", "stderr": ""}
    await gone(mark)


async def test_commands_end_with_their_connection(tmp_path: Path) -> None:
    mark = f"0.{uuid.uuid4().int}"
    async with ServerProcess(tmp_path) as client:
        for number in range(3):
            script = f"trap '' TERM INT HUP; echo up; sleep 60{mark}; sleep 60{mark}"
            params = shell(script, processId=str(number), streamStdoutStderr=True, disableTimeout=True)
            await client.send(EXEC, params)
            await output(client, b"up")
        assert marked(mark)

    await gone(mark)


async def test_a_client_that_does_not_read_stops_only_its_own_command(client: ServerProcess, tmp_path: Path) -> None:
    endless = shell("yes", processId="p", streamStdoutStderr=True, disableOutputCap=True, disableTimeout=True)
    await client.send(EXEC, endless)
    other = await client.send(EXEC, shell(f"touch {tmp_path}/done"))
    async with asyncio.timeout(LIMIT):
        while not (tmp_path / "done").exists():  # noqa: ASYNC110  # nothing of the server is read meanwhile
            await asyncio.sleep(0.05)

    ended = await client.send(f"{EXEC}/terminate", {"processId": "p"})

    assert (await client.answer(other))["result"]["exitCode"] == 0
    assert (await client.answer(ended))["result"] == {}


@pytest.mark.parametrize(
    ("code", "message", "params"),
    [
        (INVALID, "command must not be empty", {"command": []}),
        (INTERNAL, "failed to spawn command: missing program for pipe spawn", {"command": [""]}),
        (INTERNAL, "failed to spawn command: No such file or directory (os error 2)", {"command": ["/missing"]}),
        (
            INTERNAL,
            "failed to spawn command: No such file or directory (os error 2)",
            {"command": ["no-such-program"], "sandboxPolicy": {"type": "readOnly"}},
        ),
        (INTERNAL, "failed to spawn command: nul byte found in provided data", {"command": ["echo", "a\0"]}),
        (
            COMBINATION,
            "command/exec cannot set both timeoutMs and disableTimeout",
            {"timeoutMs": 1, "disableTimeout": True},
        ),
        (COMBINATION, "command/exec timeoutMs must be non-negative, got -5", {"timeoutMs": -5}),
        (
            COMBINATION,
            "command/exec cannot set both outputBytesCap and disableOutputCap",
            {"outputBytesCap": 1, "disableOutputCap": True},
        ),
        (COMBINATION, "command/exec size requires tty: true", {"size": {"rows": 1, "cols": 1}}),
        (
            COMBINATION,
            "command/exec size rows and cols must be greater than 0",
            {"size": {"rows": 0, "cols": 1}, "tty": True, "processId": "p"},
        ),
        (INVALID, "command/exec tty or streaming requires a client-supplied processId", {"tty": True}),
        (INVALID, "command/exec tty or streaming requires a client-supplied processId", {"streamStdin": True}),
    ],
)  # fmt: skip
async def test_what_makes_no_sense_is_refused(
    client: ServerProcess, code: int, message: str, params: dict[str, Any]
) -> None:
    refusal = await client.refusal(EXEC, **{"command": ["true"], "sandboxPolicy": FULL, **params})

    assert refusal == (code, message)


async def test_what_a_running_command_does_not_allow_is_refused(client: ServerProcess) -> None:
    await client.send(EXEC, shell("sleep 60", processId='a"b'))
    refusals = [
        await client.refusal(EXEC, **shell("true", processId='a"b')),
        await client.refusal(f"{EXEC}/write", processId='a"b', deltaBase64="eA=="),
        await client.refusal(f"{EXEC}/write", processId='a"b'),
        await client.refusal(f"{EXEC}/write", processId='a"b', deltaBase64="!"),
        await client.refusal(f"{EXEC}/resize", processId='a"b', size={"rows": 1, "cols": 1}),
    ]
    await client.call(f"{EXEC}/terminate", processId='a"b')

    assert refusals == [
        (INVALID, 'duplicate active command/exec process id: "a\\"b"'),
        (INVALID, "stdin streaming is not enabled for this command/exec"),
        (COMBINATION, "command/exec/write requires deltaBase64 or closeStdin"),
        (COMBINATION, "invalid deltaBase64: Invalid symbol 33, offset 0."),
        (INVALID, "failed to resize PTY: process is not attached to a PTY"),
    ]


async def test_commands_go_on_when_methods_are_asked_for_that_other_plugins_have_or_none(client: ServerProcess) -> None:
    ident = await client.send(EXEC, shell("cat", processId="p", streamStdin=True))

    await client.refusal("command/none")
    await client.call("fuzzyFileSearch", query="a", roots=[])
    await client.call(f"{EXEC}/write", processId="p", deltaBase64="eA==", closeStdin=True)

    assert (await client.answer(ident))["result"] == {"exitCode": 0, "stdout": "x", "stderr": ""}
