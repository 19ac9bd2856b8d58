"""``codex exec-server`` holds commands and file methods to a sandbox, whatever happens to the paths meanwhile."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from codex_hookspecs.environments.file_uri import uri_of
from codex_hookspecs.errors import RpcError
from codex_testkit.servers.exec_client import ExecClient, exec_server

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform != "linux" or shutil.which("bwrap") is None, reason="needs bubblewrap"),
]
READ_ONLY = (-32603, "Read-only file system (os error 30)")
MISSING = (-32004, "No such file or directory (os error 2)")
DENIED = (-32600, "Permission denied (os error 13)")
TRIES = 40
SWAPS = """
import os, sys
os.chdir(sys.argv[1])
print("swapping", flush=True)
while True:
    for name in ("directory", "link"):
        os.rename(name, "x")
        os.rename("x", name)
"""


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[ExecClient]:
    home = tmp_path / "home"
    home.mkdir()
    async with exec_server(env={"CODEX_HOME": str(home)}) as server, server.client() as connected:
        yield connected


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a directory that may be written, beside one that may not."""
    folder = tmp_path / "project"
    folder.mkdir()
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    return folder


@pytest.fixture
def outside(project: Path) -> Path:
    return project.parent / "outside"


def special(kind: str, access: str, **more: Any) -> dict[str, Any]:
    return {"path": {"type": "special", "value": {"kind": kind, **more}}, "access": access}


def box(project: Path, *entries: dict[str, Any]) -> dict[str, Any]:
    """Return a sandbox that is about a project; by default the project may be written and all else read."""
    rules = entries or (special("root", "read"), special("project_roots", "write"))
    system = {"type": "restricted", "entries": list(rules)}
    where = uri_of(str(project))
    return {
        "permissions": {"type": "managed", "file_system": system, "network": "restricted"},
        "cwd": where,
        "workspaceRoots": [where],
    }


async def outcome(client: ExecClient, method: str, params: dict[str, Any]) -> Any:
    try:
        return await client.request(f"fs/{method}", params)
    except RpcError as error:
        return error.code, error.message


async def test_files_are_written_where_the_policy_lets_them(client: ExecClient, project: Path, outside: Path) -> None:
    (project / ".git").mkdir()
    (project / ".git" / "HEAD").touch()
    (project / "out").symlink_to(outside)
    sandbox = box(project)

    for path, expected in (
        (project / "a", {}),
        (outside / "a", READ_ONLY),
        (project / "out" / "a", READ_ONLY),
        (project / ".git" / "a", READ_ONLY),
    ):
        params = {"path": uri_of(str(path)), "dataBase64": b64encode(b"text").decode(), "sandbox": sandbox}
        assert await outcome(client, "writeFile", params) == expected

    assert (project / "a").read_text() == "text"
    assert os.listdir(outside) == ["secret"]
    assert os.listdir(project / ".git") == ["HEAD"]


async def test_everything_that_changes_files_is_held(client: ExecClient, project: Path, outside: Path) -> None:
    inside, secret = str(project / "made"), str(outside / "secret")
    sandbox = box(project)
    (project / "link").symlink_to(outside)

    for method, params, expected in (
        ("createDirectory", {"path": f"{outside}/d"}, READ_ONLY),
        ("createDirectory", {"path": f"{inside}/d/e"}, {}),
        ("remove", {"path": secret}, READ_ONLY),
        ("remove", {"path": f"{inside}/d"}, {}),
        ("remove", {"path": f"{project}/link"}, {}),
        ("copy", {"sourcePath": secret, "destinationPath": f"{inside}/c", "recursive": False}, {}),
        ("copy", {"sourcePath": f"{inside}/c", "destinationPath": f"{outside}/c", "recursive": False}, READ_ONLY),
        ("open", {"handleId": "o", "path": secret, "mode": "replace"}, READ_ONLY),
    ):
        assert await outcome(client, method, {**params, "sandbox": sandbox}) == expected, params

    assert (outside / "secret").read_text() == "secret"
    assert os.listdir(outside) == ["secret"]
    assert os.listdir(inside) == ["c"]


async def test_blocks_are_written_through_the_sandbox(client: ExecClient, project: Path) -> None:
    block = os.urandom(1024 * 1024)
    path = uri_of(str(project / "blocks"))
    await client.request("fs/open", {"handleId": "w", "path": path, "mode": "replace", "sandbox": box(project)})
    for place in (1, 0):
        params = {"handleId": "w", "offset": place * len(block), "chunk": b64encode(block).decode()}
        assert await client.request("fs/writeBlock", params) == {}
    assert await client.request("fs/close", {"handleId": "w"}) == {}

    assert (project / "blocks").read_bytes() == block * 2
    assert await outcome(client, "writeBlock", {"handleId": "w", "offset": 0, "chunk": "AA=="}) == (
        -32004,
        "unknown file handle `w`",
    )


async def test_what_may_not_be_read_is_not_there(client: ExecClient, project: Path, outside: Path) -> None:
    (project / "file").write_text("text")
    secret, file = uri_of(str(outside / "secret")), uri_of(str(project / "file"))
    limited = box(project, special("minimal", "read"), special("project_roots", "read"))
    hidden = {"path": {"type": "path", "path": uri_of(str(outside))}, "access": "none"}
    without = box(project, special("root", "read"), hidden)
    nothing = box(project, special("project_roots", "read"))

    assert await outcome(client, "readFile", {"path": file, "sandbox": limited}) == {"dataBase64": "dGV4dA=="}
    assert await outcome(client, "readFile", {"path": secret, "sandbox": limited}) == MISSING
    assert await outcome(client, "getMetadata", {"path": secret, "sandbox": limited}) == MISSING
    assert await outcome(client, "open", {"handleId": "h", "path": secret, "sandbox": limited}) == MISSING
    assert await outcome(client, "readFile", {"path": secret, "sandbox": without}) == DENIED
    assert await outcome(client, "readFile", {"path": "file:///etc/passwd", "sandbox": nothing}) == MISSING
    assert await outcome(client, "readFile", {"path": uri_of(os.__file__), "sandbox": nothing}) == MISSING

    await client.request("fs/open", {"handleId": "r", "path": file, "sandbox": limited})
    read = await client.request("fs/readBlock", {"handleId": "r", "offset": 1, "len": 2})
    assert read == {"chunk": "ZXg=", "eof": False}
    options = {"maxDepth": 1, "maxDirectories": 9, "maxEntries": 9, "followDirectorySymlinks": False}
    listed = await outcome(client, "walk", {"path": uri_of(str(project)), "options": options, "sandbox": limited})
    assert listed["entries"] == [{"path": file, "kind": "file"}]


@pytest.mark.parametrize("hidden", [False, True], ids=["all can be read", "something is hidden"])
async def test_a_pipe_is_not_waited_for(client: ExecClient, project: Path, outside: Path, hidden: bool) -> None:
    os.mkfifo(project / "pipe")
    (project / "file").write_text("text")
    secret = {"path": {"type": "path", "path": uri_of(str(outside))}, "access": "none"}
    rules = (special("root", "read"), special("project_roots", "write"), *([secret] if hidden else []))
    sandbox = box(project, *rules)
    pipe, file = uri_of(str(project / "pipe")), uri_of(str(project / "file"))

    async with asyncio.timeout(20):
        written = await outcome(client, "writeFile", {"path": pipe, "dataBase64": "", "sandbox": sandbox})
        params = {"sourcePath": file, "destinationPath": pipe, "recursive": False, "sandbox": sandbox}
        copied = await outcome(client, "copy", params)

    assert written == copied == (-32603, "No such device or address (os error 6)")


async def test_a_link_that_is_swapped_meanwhile_leads_nowhere(client: ExecClient, project: Path, outside: Path) -> None:
    sandbox = box(project)
    (project / "directory").mkdir()
    (project / "link").symlink_to(outside)
    await client.start("p", [sys.executable, "-I", "-S", "-c", SWAPS, str(project)], sandbox=sandbox)
    await client.event(lambda told: told["method"] == "process/output")

    found = [
        await outcome(
            client, "writeFile", {"path": uri_of(f"{project}/x/f{number}"), "dataBase64": "", "sandbox": sandbox}
        )
        for number in range(TRIES)
    ]

    await client.request("process/terminate", {"processId": "p"})
    assert os.listdir(outside) == ["secret"]
    assert [each for each in found if each not in ({}, READ_ONLY, MISSING)] == []


async def test_a_policy_is_about_its_own_directory_not_the_commands(
    client: ExecClient, project: Path, outside: Path
) -> None:
    sandbox = box(project)
    script = f"touch here; touch {project}/there"

    for number, cwd in enumerate((str(outside), "/opt")):
        await client.start(f"p{number}", ["/bin/sh", "-c", script], cwd=uri_of(cwd), sandbox=sandbox)
        said = await client.output(f"p{number}")

        assert b"Read-only file system" in said
        assert not os.path.exists(f"{cwd}/here")
        assert (project / "there").exists()
        (project / "there").unlink()


async def test_a_program_left_over_ends_with_the_connection(project: Path, tmp_path: Path) -> None:
    async with exec_server(env={"CODEX_HOME": str(tmp_path)}) as server:
        async with server.client() as client:
            sandbox, path = box(project), uri_of(str(project / "x"))
            await client.request("fs/open", {"handleId": "v", "path": path, "mode": "replace", "sandbox": sandbox})
            await client.request("fs/close", {"handleId": "v"})
            before = _children(server.pid)
            await client.request("fs/open", {"handleId": "w", "path": path, "mode": "replace", "sandbox": sandbox})
            added = _children(server.pid) - before
            assert len(added) == 1
        async with asyncio.timeout(20):
            while True:
                if not added & _children(server.pid):
                    break
                await asyncio.sleep(0.01)


def _children(pid: int | None) -> set[str]:
    """Return the ids of the processes whose parent is a process."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if path.read_text().rpartition(")")[2].split()[1] == str(pid):
                found.add(path.parent.name)
    return found
