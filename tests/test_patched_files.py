"""Patches on real files of this machine and of another one, while everything around them goes wrong."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import attrs
import pytest

from codex_exec_local.environment import LocalEnvironment
from codex_exec_local.files import LocalFileSystem
from codex_exec_remote import client
from codex_exec_remote.environment import RemoteEnvironment
from codex_exec_remote.websocket_link import Target
from codex_hookspecs.errors import CodexError, FilesLost, FileSystemError, ToolError, ToolRejected
from codex_hookspecs.ports.environment import Environment
from codex_hookspecs.types.approvals import PatchApproval, PatchRequest
from codex_hookspecs.types.sandbox import SandboxPolicy
from codex_hookspecs.types.threads import ApprovalPolicy, ThreadSettings
from codex_hookspecs.types.tools import ToolCall, ToolOutput
from codex_sandboxing.file_scope import PolicyFileScope
from codex_testkit.servers.exec_client import exec_server
from codex_tool_apply_patch.tool import PatchRunner

pytestmark = pytest.mark.anyio
WORKSPACE = SandboxPolicy("workspaceWrite", exclude_slash_tmp=True, exclude_tmpdir_env_var=True)
EXCHANGE = """
import ctypes, os, sys
rename = ctypes.CDLL(None, use_errno=True).renameat2
here, there = (os.fsencode(path) for path in sys.argv[1:])
print("ready", flush=True)
while os.getppid() != 1:
    if rename(-100, here, -100, there, 2):
        raise OSError(ctypes.get_errno(), "renameat2")
"""
LIMIT = 30.0


class Talk:
    """The thread of a patch, with what it was asked for."""

    def __init__(self, cwd: Path, environment: Environment, *, approval: ApprovalPolicy = "never") -> None:
        self.thread = SimpleNamespace(id="thread")
        self.turn_id = "turn"
        self.asked: list[tuple[str, ...]] = []
        self.on_asked: Callable[[], object] = lambda: None
        self._environment = environment
        self._runner = PatchRunner()
        self.settings = ThreadSettings(
            cwd=str(cwd), model="m", model_provider="p", sandbox=WORKSPACE, approval_policy=approval
        )

    async def environment(self) -> Environment:
        return self._environment

    async def emit(self, _notification: Any) -> None:
        pass

    start_item = complete_item = emit

    async def approve_patch(self, _call: ToolCall, request: PatchRequest) -> PatchApproval:
        if request.outside and self.settings.approval_policy == "never":
            raise ToolRejected("outside of the project", kind="forbidden")
        if request.outside or self.settings.approval_policy == "untrusted":
            self.asked.append(request.paths)
            self.on_asked()
        return PatchApproval(request.paths)

    async def patch(self, body: str) -> ToolOutput:
        text = f"*** Begin Patch\n{body}\n*** End Patch"
        call = ToolCall(call_id="c", name="apply_patch", kind="custom", arguments=text)
        return await self._runner.run(call, self)  # type: ignore[arg-type]


@contextmanager
def exchanging(here: Path, there: Path) -> Iterator[None]:
    """Have a program exchange two paths all the time."""
    command = [sys.executable, "-I", "-c", EXCHANGE, str(here), str(there)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"ready\n"
        try:
            yield
        finally:
            running.kill()


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A workspace with a directory, a link out of it and what that leads to."""
    for name in ("work/d", "outside"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "work/link").symlink_to(tmp_path / "outside")
    (tmp_path / "outside/kept").write_text("kept\n")
    (tmp_path / "work/d/kept").write_text("kept\n")
    return tmp_path / "work"


@pytest.fixture
async def local() -> AsyncIterator[LocalEnvironment]:
    environment = LocalEnvironment(dict(os.environ))
    yield environment
    await environment.aclose()


@pytest.fixture
def scope(work: Path) -> PolicyFileScope:
    return PolicyFileScope(WORKSPACE, str(work), (str(work),))


async def test_no_patch_lands_outside_while_its_directory_is_exchanged_for_a_link(
    work: Path, local: LocalEnvironment
) -> None:
    talk = Talk(work, local)

    with exchanging(work / "d", work / "link"):
        for number in range(300):
            body = f"*** Add File: d/new{number}/x\n+1\n*** Add File: d/x{number}\n+1\n*** Update File: d/kept\n@@\n+1"
            try:
                await talk.patch(body)
            except CodexError:
                continue

    assert [path.name for path in (work.parent / "outside").rglob("*")] == ["kept"]
    assert (work.parent / "outside/kept").read_text() == "kept\n"
    if (work / "d").is_symlink():
        (work / "d").rename(work / "other")
        (work / "link").rename(work / "d")
    assert (await talk.patch("*** Add File: d/last\n+1")).success


async def test_files_are_used_where_they_were_found_allowed(
    work: Path, local: LocalEnvironment, scope: PolicyFileScope
) -> None:
    outside = work.parent / "outside"
    (outside / "sub").mkdir()
    (work / "d/sub").mkdir()
    files = local.files.within(scope._replace(readable=(str(work),)))
    outcomes: dict[str, int] = {}

    async def attempt(name: str, work: Any) -> None:
        try:
            found = await work
        except FileSystemError as error:
            outcomes[str(error)] = outcomes.get(str(error), 0) + 1
        else:
            outcomes[name] = outcomes.get(name, 0) + 1
            assert name != "read" or found != b"secret"

    (outside / "secret").write_text("secret")
    (work / "d/secret").write_text("open")
    with exchanging(work / "d", work / "link"):
        for number in range(300):
            await attempt("read", files.read_file(f"{work}/d/secret"))
            await attempt("remove", files.remove(f"{work}/d/kept", force=True))
            await attempt("remove tree", files.remove(f"{work}/d/sub", force=True))
            await attempt("make", files.create_directory(f"{work}/d/n{number}", recursive=bool(number % 2)))
            await attempt("copy", files.copy(f"{work}/d/secret", f"{work}/d/copy{number}"))

    assert {path.name for path in outside.iterdir()} == {"kept", "sub", "secret"}
    assert {
        "read",
        "make",
        "copy",
        "Permission denied (os error 13)",
        "Read-only file system (os error 30)",
    } <= outcomes.keys()
    assert all(path.read_text() == "open" for path in work.rglob("copy*"))


async def test_what_was_approved_is_changed_and_nothing_that_it_turned_into(
    work: Path, local: LocalEnvironment
) -> None:
    outside, further = work.parent / "outside", work.parent / "further"
    further.mkdir()
    talk = Talk(work, local, approval="on-request")

    def turn() -> None:
        (work / "link").unlink()
        (work / "link").symlink_to(further)

    applied = await talk.patch("*** Add File: link/new/x\n+1")
    talk.on_asked = turn
    refused = await talk.patch("*** Add File: link/other/x\n+1")

    assert talk.asked == [(f"{outside}/new/x",), (f"{outside}/other/x",)]
    assert applied.success
    assert (outside / "new/x").read_text() == "1\n"
    assert not refused.success
    assert list(further.iterdir()) == []


async def test_a_root_that_commands_have_made_a_link_opens_nothing(tmp_path: Path, local: LocalEnvironment) -> None:
    for name in ("space", "outside"):
        (tmp_path / name).mkdir()
    (tmp_path / "space/cache").symlink_to(tmp_path / "outside")
    talk = Talk(tmp_path / "space", local)
    talk.settings = attrs.evolve(
        talk.settings, sandbox=attrs.evolve(WORKSPACE, writable_roots=(f"{tmp_path}/space/cache",))
    )

    with pytest.raises(ToolRejected, match="outside of the project"):
        await talk.patch("*** Add File: cache/x\n+1")

    assert list((tmp_path / "outside").iterdir()) == []


@pytest.mark.parametrize("body", ["*** Add File: a/b/x\n+1", "*** Update File: d/kept\n@@\n-kept\n+lost"])
@pytest.mark.parametrize("moment", ["before", "asked"])
async def test_a_patch_for_a_machine_that_died_ends_with_one_error(
    work: Path, monkeypatch: pytest.MonkeyPatch, body: str, moment: str
) -> None:
    monkeypatch.setattr(client, "RESUME_SECONDS", 0.3)
    async with exec_server() as server:
        remote = RemoteEnvironment("far", Target(server.url), {}, logging.getLogger("test"))
        talk = Talk(work, remote, approval="untrusted")
        await remote.facts()
        assert server.process is not None
        if moment == "before":
            server.process.kill()
            await server.process.wait()
        talk.on_asked = server.process.kill

        async with asyncio.timeout(LIMIT):
            try:
                output = await talk.patch(body)
            except (ToolError, FilesLost) as error:
                output = ToolOutput(str(error), success=False)

        assert not output.success
        assert "exec-server" in output.text
        await remote.aclose()
    assert (work / "d/kept").read_text() == "kept\n"
    assert not (work / "a").exists()


async def test_another_machine_holds_the_policy_when_it_changes_files(work: Path) -> None:
    async with exec_server() as server:
        remote = RemoteEnvironment("far", Target(server.url), {}, logging.getLogger("test"))
        files = remote.files.within(PolicyFileScope(WORKSPACE, str(work), (str(work),)))
        beyond = remote.files.within(
            PolicyFileScope(WORKSPACE, str(work), (str(work),), approved=(f"{work.parent}/outside/y",))
        )

        await files.write_file(f"{work}/d/x", b"1")
        for place in (f"{work}/link/x", f"{work.parent}/outside/x"):
            with pytest.raises(FileSystemError, match="Read-only file system"):
                await files.write_file(place, b"1")
        await beyond.write_file(f"{work}/link/y", b"1")
        with pytest.raises(FileSystemError, match="Read-only file system"):
            await beyond.write_file(f"{work}/link/x", b"1")
        await remote.aclose()

    assert sorted(os.listdir(work.parent / "outside")) == ["kept", "y"]
    assert (work / "d/x").read_text() == "1"


PATCHING = """
import asyncio, os, sys
from codex_exec_local.files import LocalFileSystem
async def main():
    files = LocalFileSystem()
    content = [bytes([letter]) * 200_000 for letter in b"ab"]
    print("ready", flush=True)
    while True:
        for data in content:
            await files.write_file(sys.argv[1] + "/old", data)
            await files.write_file(sys.argv[1] + "/" + os.urandom(4).hex() + ".new", data)
asyncio.run(main())
"""


def test_a_program_that_is_killed_while_it_writes_leaves_whole_files_and_no_others(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(b"a" * 200_000)
    odd = []
    for number in range(15):
        command = [sys.executable, "-I", "-c", PATCHING, str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as running:
            assert running.stdout is not None
            running.stdout.readline()
            time.sleep(0.003 + number * 0.002)
            running.kill()
        odd += [path.name for path in tmp_path.iterdir() if path.stat().st_size != 200_000]
    # Whoever was killed between two system calls may have left one whole file, which the next writer removes.
    assert {path.name for path in tmp_path.iterdir() if path.suffix != ".new"} <= {"old", ".old.codex.tmp"}
    asyncio.run(LocalFileSystem().write_file(str(tmp_path / "old"), b"c"))

    assert odd == []
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".new"] == ["old"]
