from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from codex_hooks_command.results import ProcessResult
from codex_hooks_command.running import LINGER_SECONDS, MAX_OUTPUT_BYTES, Job, run, run_all
from codex_hooks_command.shells import account_shell, shell_arguments
from codex_hookspecs.environments import ExecBackend

pytestmark = pytest.mark.anyio


def job(command: str, tmp_path: Path, *, line: bytes = b"{}\n", timeout: int = 30, cwd: str | None = None) -> Job:
    return Job(command=command, line=line, cwd=cwd or str(tmp_path), timeout=timeout, environment=os.environ)


class Pipe:
    """A named pipe; reading it reaches EOF when the last process that has it open for writing is gone."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = path
        self._reading = asyncio.create_task(asyncio.to_thread(path.read_bytes))

    async def to_its_end(self) -> bytes:
        async with asyncio.timeout(10):
            return await self._reading


async def test_a_command_reads_its_line_and_both_streams_are_kept(backend: ExecBackend, tmp_path: Path) -> None:
    result = await run(backend, job("cat; echo problem >&2; exit 3", tmp_path, line=b'{"a":1}\n'))

    assert (result.stdout, result.stderr, result.exit_code) == ('{"a":1}\n', "problem\n", 3)
    assert result.error is None
    assert result.completed_at >= result.started_at


async def test_it_runs_in_the_directory_of_the_turn(backend: ExecBackend, tmp_path: Path) -> None:
    assert (await run(backend, job("pwd", tmp_path))).stdout == f"{tmp_path}\n"


def program(path: Path) -> str:
    path.parent.mkdir(exist_ok=True)
    path.write_text("")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize("name", ["bash", "zsh", "sh"])
def test_commands_run_in_the_accounts_shell(tmp_path: Path, name: str) -> None:
    shell = program(tmp_path / name)

    assert account_shell(shell, "/usr/bin") == shell


@pytest.mark.parametrize("name", ["fish", "nologin", "false", "dash", "tcsh", "gone/bash", ""])
def test_commands_run_in_bash_if_the_account_has_another_shell(tmp_path: Path, name: str) -> None:
    if name and "/" not in name:
        program(tmp_path / name)
    bash = program(tmp_path / "bin" / "bash")

    assert account_shell(f"{tmp_path}/{name}", f".:{tmp_path}:{tmp_path}/bin") == bash


def test_the_shell_variable_is_ignored_and_no_profile_is_read() -> None:
    shell, *rest = shell_arguments("x", {**os.environ, "SHELL": "/usr/bin/fish"})

    assert shell == shell_arguments("x", {**os.environ, "SHELL": "/bin/sh"})[0]
    assert os.access(shell, os.X_OK)
    assert rest == ["-c", "x"]


async def test_a_command_that_does_not_read_its_input_is_fine(backend: ExecBackend, tmp_path: Path) -> None:
    for _ in range(20):
        result = await run(backend, job("exit 0", tmp_path, line=b"x" * 1_000_000))

        assert (result.exit_code, result.error) == (0, None)


async def test_a_missing_program_is_the_shells_status_127(backend: ExecBackend, tmp_path: Path) -> None:
    assert (await run(backend, job("no-such-program-at-all", tmp_path))).exit_code == 127


async def test_invalid_utf8_is_kept_with_replacement_characters(backend: ExecBackend, tmp_path: Path) -> None:
    assert (await run(backend, job(r"printf 'a\377b'", tmp_path))).stdout == "a\ufffdb"


async def test_only_the_beginning_of_a_large_output_is_kept(backend: ExecBackend, tmp_path: Path) -> None:
    result = await run(backend, job("head -c 20000000 /dev/zero | tr '\\0' x", tmp_path))

    assert (result.exit_code, len(result.stdout), result.truncated) == (0, MAX_OUTPUT_BYTES, True)


async def test_output_as_long_as_the_limit_is_not_truncated(backend: ExecBackend, tmp_path: Path) -> None:
    result = await run(backend, job(f"head -c {MAX_OUTPUT_BYTES} /dev/zero | tee /dev/stderr", tmp_path))

    assert (len(result.stdout), len(result.stderr), result.truncated) == (MAX_OUTPUT_BYTES, MAX_OUTPUT_BYTES, False)


async def test_a_signal_has_the_exit_status_of_a_shell(backend: ExecBackend, tmp_path: Path) -> None:
    assert (await run(backend, job("kill -9 $$", tmp_path))).exit_code == 137


async def test_a_byte_order_mark_is_removed(backend: ExecBackend, tmp_path: Path) -> None:
    assert (await run(backend, job(r"printf '\357\273\277{}'", tmp_path))).stdout == "{}"


async def test_the_whole_process_group_is_killed_on_timeout(backend: ExecBackend, tmp_path: Path) -> None:
    alive = Pipe(tmp_path / "alive")

    result = await run(backend, job(f"exec 9> {alive.path}; echo up; sleep 60 & sleep 60", tmp_path, timeout=1))

    assert (result.error, result.stdout) == ("hook timed out after 1s", "up\n")
    assert await alive.to_its_end() == b""


async def test_a_grandchild_that_keeps_the_pipes_open_does_not_delay_the_turn(
    backend: ExecBackend, tmp_path: Path
) -> None:
    result = await run(backend, job("sleep 60 & echo $!", tmp_path))

    assert (result.exit_code, result.error) == (0, None)
    assert result.completed_at - result.started_at < LINGER_SECONDS + 5
    os.kill(int(result.stdout), signal.SIGKILL)


async def test_all_start_together_and_results_come_in_the_order_given(backend: ExecBackend, tmp_path: Path) -> None:
    there, back = tmp_path / "there", tmp_path / "back"
    os.mkfifo(there)
    os.mkfifo(back)

    ends = await run_all(
        backend,
        [job(f"echo > {there}; cat {back}; echo a", tmp_path), job(f"cat {there}; echo > {back}; echo b", tmp_path)],
    )

    assert [end.stdout.split() for end in ends] == [["a"], ["b"]]


async def test_the_order_of_finishing_is_recorded(backend: ExecBackend, tmp_path: Path) -> None:
    go = tmp_path / "go"
    os.mkfifo(go)

    slow, fast = await run_all(backend, [job(f"cat {go}", tmp_path), job(f"echo > {go}", tmp_path)])

    assert sorted((slow.finish_order, fast.finish_order)) == [0, 1]
    assert (slow.finish_order > fast.finish_order) == (slow.completed_at > fast.completed_at)


async def test_cancellation_kills_running_commands(backend: ExecBackend, tmp_path: Path) -> None:
    ready, alive = Pipe(tmp_path / "ready"), Pipe(tmp_path / "alive")
    command = f"exec 9> {alive.path}; echo > {ready.path}; sleep 60"
    task = asyncio.create_task(run_all(backend, [job(command, tmp_path)]))
    await ready.to_its_end()

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert await alive.to_its_end() == b""


@pytest.mark.parametrize("ticks", [0, 1, 2, 3, 4, 6, 8])
async def test_cancellation_during_the_start_leaves_nothing_running(
    backend: ExecBackend, tmp_path: Path, ticks: int
) -> None:
    alive = Pipe(tmp_path / "alive")
    own_end = await asyncio.to_thread(os.open, alive.path, os.O_WRONLY)
    task = asyncio.create_task(run(backend, job(f"exec 9> {alive.path}; sleep 60 & sleep 60", tmp_path)))
    for _ in range(ticks):
        await asyncio.sleep(0)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    os.close(own_end)
    assert await alive.to_its_end() == b""


async def test_a_missing_directory_is_an_error(backend: ExecBackend, tmp_path: Path) -> None:
    result = await run(backend, job("true", tmp_path, cwd=f"{tmp_path}/gone"))

    assert result == ProcessResult(
        error=f"could not start the hook: its working directory {tmp_path}/gone is gone",
        started_at=result.started_at,
        completed_at=result.completed_at,
    )


async def test_a_command_that_can_not_be_executed_is_an_error(backend: ExecBackend, tmp_path: Path) -> None:
    result = await run(backend, job("true \0", tmp_path))

    assert result.error is not None
    assert result.error.startswith("could not start the hook with /")
