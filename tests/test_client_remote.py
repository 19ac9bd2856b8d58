"""Clients of ``codex app-server`` use the files and processes of another machine."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from app_server_client import ServerProcess

from codex_testkit.servers.exec_client import exec_server

pytestmark = pytest.mark.anyio


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    async with exec_server(env={"MACHINE": "other"}) as server:
        config = f'[environments.other]\nurl = "{server.url}"\ndefault = true\n'
        async with ServerProcess(tmp_path, config=config) as found:
            yield found


async def test_files_are_those_of_the_other_machine(client: ServerProcess, tmp_path: Path) -> None:
    path = str(tmp_path / "file")

    await client.call("fs/writeFile", path=path, dataBase64=base64.b64encode(b"x" * 9_000_000).decode())
    found = await client.call("fs/readFile", path=path)

    assert base64.b64decode(found["dataBase64"]) == b"x" * 9_000_000
    assert (await client.call("fs/getMetadata", path=path))["isFile"] is True
    await client.call("fs/copy", sourcePath=path, destinationPath=f"{path}2")
    await client.call("fs/createDirectory", path=str(tmp_path / "a/b"))
    names = {each["fileName"] for each in (await client.call("fs/readDirectory", path=str(tmp_path)))["entries"]}
    assert {"file", "file2", "a"} <= names
    await client.call("fs/remove", path=str(tmp_path / "a"))
    assert not (tmp_path / "a").exists()
    code, message = await client.refusal("fs/readFile", path=str(tmp_path / "gone"))
    assert (code, message) == (-32603, "No such file or directory (os error 2)")


async def test_what_needs_this_machine_is_refused(client: ServerProcess, tmp_path: Path) -> None:
    code, message = await client.refusal("fs/watch", path=str(tmp_path), watchId="w")
    assert (code, message) == (-32600, "files of a remote environment can't be watched")
    code, message = await client.refusal("fuzzyFileSearch", query="a", roots=[str(tmp_path)])
    assert (code, message) == (-32600, "files of a remote environment can't be searched")


async def test_commands_run_on_the_other_machine(client: ServerProcess, tmp_path: Path) -> None:
    argv = ["sh", "-c", 'echo "$MACHINE-$NEW"; read line; echo got $line; exit 3']
    params = {"command": argv, "cwd": str(tmp_path), "env": {"NEW": "new"}, "processId": "p", "streamStdin": True}
    ident = await client.send("command/exec", {**params, "sandboxPolicy": {"type": "dangerFullAccess"}})
    await client.call("command/exec/write", processId="p", deltaBase64=base64.b64encode(b"line\n").decode())

    assert (await client.answer(ident))["result"] == {"exitCode": 3, "stdout": "other-new\ngot line\n", "stderr": ""}


async def test_the_sandbox_of_the_other_machine_restricts_commands(client: ServerProcess, tmp_path: Path) -> None:
    argv = ["sh", "-c", "echo x > forbidden; echo $?"]

    found = await client.call("command/exec", command=argv, cwd=str(tmp_path), sandboxPolicy={"type": "readOnly"})

    assert found["stdout"].strip() != "0"
    assert not (tmp_path / "forbidden").exists()
