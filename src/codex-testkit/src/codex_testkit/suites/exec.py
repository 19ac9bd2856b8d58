"""Contract suite for exec backends, to be subclassed.

A subclass defines the fixture ``environment`` and, if there is no POSIX shell, ``programs``::

    class TestMyBackend(ExecBackendContract):
        @pytest.fixture
        async def environment(self):
            async with my_environment() as environment:
                yield environment
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any, ClassVar, Final

import pytest

from codex_hookspecs.errors import ExecError
from codex_hookspecs.ports.environment import Environment, ExecProcess
from codex_hookspecs.types.environment import ExecParams, OutputChunk, ProcessClosed, ProcessEvent, ProcessExited

LIMIT = 20.0
"""Time limit of a wait in seconds."""

FLOOD_BYTES = 20_000_000


def _sh(script: str) -> tuple[str, ...]:
    return ("/bin/sh", "-c", script)


POSIX_PROGRAMS: Final[Mapping[str, tuple[str, ...]]] = {
    "true": _sh("exit 0"),
    "three": _sh("exit 3"),
    "both": _sh("echo out; echo err >&2"),
    "binary": _sh(r"printf '\000\377\012\200'"),
    "colour": _sh('echo "$COLOUR"'),
    "directory": _sh("pwd"),
    "echo": _sh("exec cat"),
    "first-line": _sh('read line; echo "got $line"'),
    "ready": _sh("echo ready; exec sleep 60"),
    "family": _sh("sleep 60 & echo ready; wait"),
    "flood": _sh(f"yes 123456789012345 | head -c {FLOOD_BYTES}"),
    "two-parts": _sh("echo one; read line; echo two"),
    "window": _sh("stty size; read line; stty size"),
    "terminal": _sh("test -t 0 && test -t 1 && test -t 2 && echo terminal"),
}
"""Programs that the suite runs, by name."""


class ExecBackendContract:
    """Start, read, write, signal, end."""

    pytestmark = pytest.mark.anyio
    programs: ClassVar[Mapping[str, tuple[str, ...]]] = POSIX_PROGRAMS
    closes_pipes: ClassVar[bool] = True
    """Whether the backend can close a stdin that is no terminal; otherwise it must refuse to."""
    cwd: ClassVar[str] = "/"
    _ids: ClassVar[count[int]] = count(1)

    @pytest.fixture
    async def environment(self) -> Environment:
        """Yield the environment to test, and close it."""
        pytest.fail("a suite gives the environment it tests")

    async def start(self, environment: Environment, program: str | Sequence[str], **params: Any) -> ExecProcess:
        """Start one of the programs, or an argument list."""
        argv = self.programs[program] if isinstance(program, str) else tuple(program)
        given = {"process_id": f"p{next(self._ids)}", "argv": argv, "cwd": self.cwd, "env": self.env(), **params}
        return await environment.exec.start(ExecParams(**given))

    def env(self, **extra: str) -> dict[str, str]:
        """Return what programs need of an environment, with more in it."""
        return {"PATH": "/usr/local/bin:/usr/bin:/bin", **extra}

    async def events(self, process: ExecProcess) -> list[ProcessEvent]:
        """Return all events of a process."""
        async with asyncio.timeout(LIMIT):
            return [event async for event in process.events()]

    async def until(self, process: ExecProcess, text: bytes) -> int:
        """Wait until a text has been put out and return the number of its event."""
        seen = b""
        async with asyncio.timeout(LIMIT):
            async for event in process.events():
                if isinstance(event, OutputChunk):
                    seen += event.data
                    if text in seen:
                        return event.seq
        raise AssertionError(f"{text!r} was not put out, only {seen!r}")

    async def test_output_exit_and_close_are_numbered_without_gaps(self, environment: Environment) -> None:
        found = await self.events(await self.start(environment, "both"))

        assert [event.seq for event in found] == [1, 2, 3, 4]  # type: ignore[union-attr]
        assert {(e.stream, e.data) for e in found if isinstance(e, OutputChunk)} == {
            ("stdout", b"out\n"),
            ("stderr", b"err\n"),
        }
        assert found[-1] == ProcessClosed(4)
        assert [e.exit_code for e in found if isinstance(e, ProcessExited)] == [0]

    async def test_the_exit_code_is_the_program_s(self, environment: Environment) -> None:
        process = await self.start(environment, "three")

        found = await self.events(process)

        assert found == [ProcessExited(1, 3), ProcessClosed(2)]

    async def test_bytes_come_as_they_were_written(self, environment: Environment) -> None:
        found = await self.events(await self.start(environment, "binary"))

        assert output(found) == b"\x00\xff\n\x80"

    async def test_the_environment_variables_are_those_given(self, environment: Environment) -> None:
        found = await self.events(await self.start(environment, "colour", env=self.env(COLOUR="blau ß")))

        assert output(found) == "blau ß\n".encode()

    async def test_it_runs_in_the_directory_given(self, environment: Environment) -> None:
        found = await self.events(await self.start(environment, "directory"))

        assert output(found).strip() == self.cwd.encode()

    async def test_a_missing_program_is_an_error_in_the_systems_words(self, environment: Environment) -> None:
        with pytest.raises(ExecError, match=r"^No such file or directory \(os error 2\)$") as caught:
            await self.start(environment, ["/no/such/program"])

        assert caught.value.code == -32603

    async def test_a_missing_directory_is_an_error_in_the_systems_words(self, environment: Environment) -> None:
        with pytest.raises(ExecError, match=r"^No such file or directory \(os error 2\)$"):
            await self.start(environment, "true", cwd="/no/such/directory")

    async def test_an_empty_command_is_refused(self, environment: Environment) -> None:
        with pytest.raises(ExecError, match=r"^argv must not be empty$") as caught:
            await self.start(environment, [])

        assert caught.value.code == -32602

    async def test_an_id_in_use_is_refused(self, environment: Environment) -> None:
        await self.start(environment, "ready", process_id="same")

        with pytest.raises(ExecError, match=r"^process same already exists$") as caught:
            await self.start(environment, "true", process_id="same")

        assert caught.value.code == -32600

    async def test_a_failed_start_frees_the_id(self, environment: Environment) -> None:
        with pytest.raises(ExecError):
            await self.start(environment, ["/no/such/program"], process_id="free")

        found = await self.events(await self.start(environment, "true", process_id="free"))

        assert found[-1] == ProcessClosed(2)

    async def test_a_read_gives_what_is_newer_than_a_number(self, environment: Environment) -> None:
        process = await self.start(environment, "two-parts", pipe_stdin=True)
        first = await self.until(process, b"one")
        await process.write(b"\n")
        await self.events(process)

        result = await process.read(first)

        assert b"".join(chunk.data for chunk in result.chunks) == b"two\n"
        assert (result.exited, result.exit_code, result.closed, result.failure) == (True, 0, True, None)
        assert result.next_seq == first + 4

    async def test_a_read_is_cut_to_whole_chunks_but_gives_at_least_one(self, environment: Environment) -> None:
        process = await self.start(environment, "both")
        await self.events(process)

        result = await process.read(max_bytes=0)

        assert len(result.chunks) == 1
        assert result.next_seq == result.chunks[0].seq + 1

    async def test_a_read_waits_for_output(self, environment: Environment) -> None:
        process = await self.start(environment, "first-line", pipe_stdin=True)
        waiting = asyncio.create_task(process.read(wait=LIMIT))
        await asyncio.sleep(0)

        await process.write(b"x\n")

        assert [chunk.data for chunk in (await waiting).chunks] == [b"got x\n"]

    async def test_a_read_gives_up_waiting(self, environment: Environment) -> None:
        process = await self.start(environment, "echo", pipe_stdin=True)

        result = await process.read(wait=0.01)

        assert (result.chunks, result.next_seq, result.exited) == ((), 1, False)

    async def test_a_read_of_a_process_that_closed_does_not_wait(self, environment: Environment) -> None:
        process = await self.start(environment, "true")
        await self.events(process)

        async with asyncio.timeout(LIMIT):
            result = await process.read(2, wait=10 * LIMIT)

        assert result.closed

    async def test_stdin_is_empty_and_closed_unless_asked_for(self, environment: Environment) -> None:
        process = await self.start(environment, "first-line")

        status = await process.write(b"x\n")

        assert status == "stdinClosed"
        assert output(await self.events(process)) == b"got \n"

    async def test_writes_arrive_in_order(self, environment: Environment) -> None:
        process = await self.start(environment, "echo", pipe_stdin=True)
        lines = [f"line {number}\n".encode() for number in range(300)]

        for line in lines:
            assert await process.write(line) == "accepted"

        await self.until(process, lines[-1])
        result = await process.read()
        assert b"".join(chunk.data for chunk in result.chunks) == b"".join(lines)

    async def test_a_closed_stdin_ends_after_what_was_written(self, environment: Environment) -> None:
        process = await self.start(environment, "echo", pipe_stdin=True)
        await process.write(b"x" * 200_000)

        if not self.closes_pipes:
            with pytest.raises(ExecError):
                await process.close_stdin()
            return
        await process.close_stdin()

        assert output(await self.events(process)) == b"x" * 200_000

    async def test_the_input_of_a_terminal_can_be_ended(self, environment: Environment) -> None:
        process = await self.start(environment, "echo", tty=True)
        await process.write(b"line\n")
        await self.until(process, b"line")

        await process.close_stdin()

        assert isinstance((await self.events(process))[-1], ProcessClosed)

    async def test_a_write_to_an_ended_process_is_accepted(self, environment: Environment) -> None:
        process = await self.start(environment, "true", pipe_stdin=True)
        await self.events(process)

        assert await process.write(b"x") == "accepted"

    async def test_writes_wait_while_the_program_does_not_read(self, environment: Environment) -> None:
        process = await self.start(environment, "ready", pipe_stdin=True)
        block = b"x" * 65536

        async def write_on() -> None:
            for _ in range(2000):
                await process.write(block)

        with pytest.raises(TimeoutError):
            await asyncio.wait_for(write_on(), 0.5)
        assert await process.terminate()

    async def test_an_interrupt_ends_a_program(self, environment: Environment) -> None:
        process = await self.start(environment, "ready")
        await self.until(process, b"ready")

        await process.interrupt()

        assert exit_code(await self.events(process)) == 130

    async def test_termination_ends_the_whole_family(self, environment: Environment) -> None:
        process = await self.start(environment, "family")
        await self.until(process, b"ready")

        running = await process.terminate()

        assert running
        assert exit_code(await self.events(process)) == 137

    async def test_signals_to_an_ended_process_do_nothing(self, environment: Environment) -> None:
        process = await self.start(environment, "true")
        await self.events(process)

        await process.interrupt()

        assert await process.terminate() is False

    async def test_a_terminal_is_one_stream(self, environment: Environment) -> None:
        process = await self.start(environment, "terminal", tty=True)

        found = await self.events(process)

        assert {event.stream for event in found if isinstance(event, OutputChunk)} == {"pty"}
        assert output(found).split() == [b"terminal"]

    async def test_death_by_signal_on_a_terminal_is_reported_as_1(self, environment: Environment) -> None:
        process = await self.start(environment, "ready", tty=True)
        await self.until(process, b"ready")

        await process.terminate()

        assert exit_code(await self.events(process)) == 1

    async def test_a_terminal_has_the_size_given_and_can_be_resized(self, environment: Environment) -> None:
        process = await self.start(environment, "window", tty=True, rows=33, columns=99)
        await self.until(process, b"33 99")

        await process.resize(44, 111)
        await process.write(b"\n")

        assert b"44 111" in output(await self.events(process))

    async def test_every_iterator_gets_every_event(self, environment: Environment) -> None:
        process = await self.start(environment, "both")

        first, second = await asyncio.gather(self.events(process), self.events(process))

        assert first == second == await self.events(process)

    async def test_a_reader_that_stalls_holds_up_the_process_and_loses_nothing(self, environment: Environment) -> None:
        process = await self.start(environment, "flood")
        events = process.events()
        async with asyncio.timeout(LIMIT):
            first = await anext(events)
            held = await process.read()
            while held.next_seq != (later := await process.read(held.next_seq - 1, wait=0.2)).next_seq:
                held = later
            rest = [event async for event in events]

        assert not held.exited
        assert len(output([first, *rest])) == FLOOD_BYTES
        assert [event.seq for event in rest] == list(range(2, len(rest) + 2))  # type: ignore[union-attr]

    async def test_without_a_reader_the_newest_mebibyte_is_kept(self, environment: Environment) -> None:
        process = await self.start(environment, "flood")
        async with asyncio.timeout(LIMIT):
            result = await process.read()
            while not result.closed:
                result = await process.read(result.next_seq - 1, wait=LIMIT)

        kept = sum(len(chunk.data) for chunk in (await process.read()).chunks)

        assert 1024 * 1024 - 8192 <= kept <= 1024 * 1024

    async def test_a_stalled_reader_of_one_process_does_not_hold_up_another(self, environment: Environment) -> None:
        stalled = (await self.start(environment, "flood")).events()
        await anext(stalled)

        found = await self.events(await self.start(environment, "both"))

        assert output(found, "stdout") == b"out\n"

    async def test_many_run_at_once(self, environment: Environment) -> None:
        processes = [await self.start(environment, "three") for _ in range(50)]

        found = await asyncio.gather(*(self.events(process) for process in processes))

        assert [exit_code(events) for events in found] == [3] * 50

    async def test_closing_the_environment_ends_all(self, environment: Environment) -> None:
        processes = [await self.start(environment, "ready") for _ in range(3)]

        await environment.aclose()
        await environment.aclose()

        assert [exit_code(await self.events(process)) for process in processes] == [137] * 3


def output(events: Sequence[ProcessEvent], stream: str | None = None) -> bytes:
    """Return the output of some events, of one stream if it is named."""
    return b"".join(e.data for e in events if isinstance(e, OutputChunk) and stream in (None, e.stream))


def exit_code(events: Sequence[ProcessEvent]) -> int | None:
    """Return the exit code among some events."""
    return next((event.exit_code for event in events if isinstance(event, ProcessExited)), None)
