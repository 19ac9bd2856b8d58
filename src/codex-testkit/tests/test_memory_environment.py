"""The environment in memory keeps the contracts of the ports, and the log they share keeps its rules."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from codex_hookspecs.errors import ExecError
from codex_hookspecs.types.environment import ExecParams
from codex_testkit.memory.environment import MemoryEnvironment, MemoryEnvironments, MemoryProcess, Program
from codex_testkit.memory.files import MemoryFileSystem
from codex_testkit.memory.http import MemoryHttp
from codex_testkit.suites.exec import FLOOD_BYTES, POSIX_PROGRAMS, ExecBackendContract
from codex_testkit.suites.files import FileSystemContract
from codex_testkit.suites.http import HttpContract, Site

pytestmark = pytest.mark.anyio


async def three(process: MemoryProcess) -> int:
    return 3


async def both(process: MemoryProcess) -> int:
    await process.say("out\n")
    await process.say("err\n", "stderr")
    return 0


async def colour(process: MemoryProcess) -> int:
    await process.say(f"{process.params.env['COLOUR']}\n")
    return 0


async def directory(process: MemoryProcess) -> int:
    await process.say(process.params.cwd)
    return 0


async def echo(process: MemoryProcess) -> int:
    while data := await process.receive():
        await process.say(data)
    return 0


async def first_line(process: MemoryProcess) -> int:
    await process.say(b"got " + (await process.receive() or b"\n"))
    return 0


async def ready(process: MemoryProcess) -> int:
    await process.say("ready\n")
    await asyncio.Event().wait()
    return 0


async def flood(process: MemoryProcess) -> int:
    for _ in range(FLOOD_BYTES // 4000):
        await process.say(b"x" * 4000)
        await asyncio.sleep(0)
    return 0


async def two_parts(process: MemoryProcess) -> int:
    await process.say("one\n")
    await process.receive()
    await process.say("two\n")
    return 0


async def window(process: MemoryProcess) -> int:
    await process.say("{} {}\n".format(*process.window))
    await process.receive()
    await process.say("{} {}\n".format(*process.window))
    return 0


PROGRAMS: dict[str, Program] = {
    "true": "",
    "three": three,
    "both": both,
    "binary": b"\x00\xff\n\x80",
    "colour": colour,
    "directory": directory,
    "echo": echo,
    "first-line": first_line,
    "ready": ready,
    "family": ready,
    "flood": flood,
    "two-parts": two_parts,
    "window": window,
    "terminal": "terminal\n",
}


class TestExec(ExecBackendContract):
    programs = {name: (name,) for name in POSIX_PROGRAMS}
    cwd = "/space"

    @pytest.fixture
    async def environment(self) -> AsyncIterator[MemoryEnvironment]:
        environment = MemoryEnvironment(programs=PROGRAMS)
        yield environment
        await environment.aclose()


class TestFiles(FileSystemContract):
    @pytest.fixture
    async def files(self) -> AsyncIterator[MemoryFileSystem]:
        files = MemoryFileSystem()
        await files.create_directory("/some/folder")
        return files

    @pytest.fixture
    def folder(self) -> str:
        return "/some/folder"

    async def link(self, files: MemoryFileSystem, path: str, target: str) -> None:
        files.link(path, target)


async def test_a_shell_runs_the_program_of_its_script() -> None:
    environment = await MemoryEnvironments(programs={"say hi": "hi\n"}).open()
    process = await environment.exec.start(
        ExecParams(process_id="1", argv=("/bin/sh", "-lc", "say hi"), cwd="/", env={})
    )

    result = await process.read(wait=5)

    assert [chunk.data for chunk in result.chunks] == [b"hi\n"]


async def test_a_shell_does_not_know_a_script_that_was_not_given() -> None:
    environment = await MemoryEnvironments().open()
    process = await environment.exec.start(ExecParams(process_id="1", argv=("/bin/sh", "-c", "nope"), cwd="/", env={}))
    events = [event async for event in process.events()]

    assert events[-2].exit_code == 127


async def test_a_program_that_was_not_given_can_not_be_started() -> None:
    environment = await MemoryEnvironments().open()

    with pytest.raises(ExecError):
        await environment.exec.start(ExecParams(process_id="1", argv=("nope",), cwd="/", env={}))


async def test_files_given_are_there_with_their_directories() -> None:
    environment = await MemoryEnvironments(files={"/space/a/b.txt": "b"}).open()

    assert await environment.files.read_file("/space/a/b.txt") == b"b"
    assert environment.files.paths() == ["/space/a/b.txt"]


class TestHttp(HttpContract):
    nobody = "http://nobody.test/x"

    @pytest.fixture
    async def web(self) -> str:
        return "http://example.test"

    @pytest.fixture
    async def http(self, site: Site, web: str) -> MemoryHttp:
        return MemoryEnvironment(sites={web: site}).http
