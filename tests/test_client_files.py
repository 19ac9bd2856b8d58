"""Clients of ``codex app-server`` use the files of this machine."""

from __future__ import annotations

import asyncio
import base64
import os
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from app_server_client import ServerProcess

pytestmark = pytest.mark.anyio

INVALID, INTERNAL = -32600, -32603
MISSING = (INTERNAL, "No such file or directory (os error 2)")


@pytest.fixture
def space(tmp_path: Path) -> Path:
    path = tmp_path / "ws"
    path.mkdir()
    return path


@pytest.fixture
async def client(tmp_path: Path, space: Path) -> AsyncIterator[ServerProcess]:
    async with ServerProcess(tmp_path) as found:
        yield found


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


async def test_content_is_written_and_read_byte_by_byte(client: ServerProcess, space: Path) -> None:
    data = random.Random(1).randbytes(10_000_000)

    assert await client.call("fs/writeFile", path=f"{space}/big", dataBase64=encoded(data)) == {}
    found = await client.call("fs/readFile", path=f"{space}/big")

    assert base64.b64decode(found["dataBase64"], validate=True) == data == (space / "big").read_bytes()
    assert await client.call("fs/writeFile", path=f"{space}/big", dataBase64="") == {}
    assert await client.call("fs/readFile", path=f"{space}/big") == {"dataBase64": ""}


async def test_requests_of_a_client_are_done_in_their_order(client: ServerProcess, space: Path) -> None:
    sent = []
    for number in range(20):
        data = encoded(bytes([number]) * (400_000 if number % 2 else 4))
        sent.append(await client.send("fs/writeFile", {"path": f"{space}/file", "dataBase64": data}))
        sent.append(await client.send("fs/readFile", {"path": f"{space}/file"}))

    answers = [await client.answer(ident) for ident in sent]

    firsts = [base64.b64decode(each["result"]["dataBase64"])[0] for each in answers[1::2]]
    assert firsts == list(range(20))


async def test_files_that_are_none_are_refused_at_once(client: ServerProcess, space: Path) -> None:
    os.mkfifo(space / "pipe")
    assert await client.refusal("fs/readFile", path=str(space)) == (INTERNAL, "Is a directory (os error 21)")
    for path in (space / "pipe", Path("/dev/zero"), Path("/dev/tty")):
        assert await client.refusal("fs/readFile", path=str(path)) == (INVALID, f"path `{path}` is not a file")
    assert (await client.refusal("fs/writeFile", path=f"{space}/pipe", dataBase64="YQ=="))[0] in {INVALID, INTERNAL}
    assert (space / "pipe").is_fifo()


async def test_a_file_too_large_for_a_message_is_refused(client: ServerProcess, space: Path) -> None:
    with (space / "sparse").open("wb") as file:
        file.truncate(200 * 1024 * 1024)

    code, message = await client.refusal("fs/readFile", path=f"{space}/sparse")

    assert code == INVALID
    assert message.startswith("file is too large to read: limit is ")


@pytest.mark.parametrize("path", ["", "a", "./a", "~/a", "file:///a"])
async def test_paths_must_be_absolute(client: ServerProcess, path: str) -> None:
    text = "Invalid request: AbsolutePathBuf deserialized without a base path"

    assert await client.refusal("fs/readFile", path=path) == (INVALID, text)
    assert await client.refusal("fs/copy", sourcePath="/etc/hosts", destinationPath=path) == (INVALID, text)
    assert await client.refusal("fs/watch", path=path, watchId="w") == (INVALID, text)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("!!", "Invalid symbol 33, offset 0."),
        ("abc", "Invalid padding"),
        ("YR==", "Invalid last symbol 82, offset 1."),
        ("YQ==\n", "Invalid symbol 10, offset 4."),
    ],
)
async def test_wrong_base64_changes_nothing(client: ServerProcess, space: Path, text: str, fault: str) -> None:
    (space / "file").write_text("before")

    refusal = await client.refusal("fs/writeFile", path=f"{space}/file", dataBase64=text)

    assert refusal == (INVALID, f"fs/writeFile requires valid base64 dataBase64: {fault}")
    assert (space / "file").read_text() == "before"


async def test_metadata_follows_links_and_tells_of_them(client: ServerProcess, space: Path) -> None:
    (space / "file").touch()
    (space / "link").symlink_to("file")
    (space / "dangling").symlink_to("nowhere")

    found = await client.call("fs/getMetadata", path=f"{space}/link")

    assert (found["isFile"], found["isDirectory"], found["isSymlink"]) == (True, False, True)
    assert found["modifiedAtMs"] == (space / "file").stat().st_mtime_ns // 1_000_000
    assert await client.refusal("fs/getMetadata", path=f"{space}/dangling") == MISSING


async def test_a_listing_leaves_out_dangling_links(client: ServerProcess, space: Path) -> None:
    (space / "dangling").symlink_to("nowhere")
    (space / "loop").symlink_to("loop")
    (space / "folder").mkdir()
    (space / os.fsdecode(b"odd\xff")).touch()

    found = await client.call("fs/readDirectory", path=str(space))

    assert sorted(entry["fileName"] for entry in found["entries"]) == ["folder", "odd\ufffd"]


async def test_directories_are_made_and_removed_with_all_below_by_default(client: ServerProcess, space: Path) -> None:
    assert await client.refusal("fs/createDirectory", path=f"{space}/a/b", recursive=False) == MISSING
    assert await client.call("fs/createDirectory", path=f"{space}/a/b") == {}
    code, message = await client.refusal("fs/remove", path=f"{space}/a", recursive=False)
    assert (code, message) == (INTERNAL, "Directory not empty (os error 39)")
    assert await client.call("fs/remove", path=f"{space}/a", recursive=None) == {}
    assert await client.call("fs/remove", path=f"{space}/a") == {}
    assert await client.refusal("fs/remove", path=f"{space}/a", force=False) == MISSING


async def test_the_root_and_mounted_file_systems_are_not_removed(client: ServerProcess) -> None:
    for path in ("/", "/proc", "/dev/../proc", "//"):
        code, _ = await client.refusal("fs/remove", path=path)
        assert code == INTERNAL

    assert Path("/proc/self").exists()


async def test_removing_a_link_keeps_its_target(client: ServerProcess, space: Path) -> None:
    (space / "folder").mkdir()
    (space / "folder/file").touch()
    (space / "link").symlink_to("folder")

    await client.call("fs/remove", path=f"{space}/link")

    assert (space / "folder/file").exists()


async def test_trees_are_copied_without_what_is_no_file(client: ServerProcess, space: Path) -> None:
    (space / "tree/below").mkdir(parents=True)
    (space / "tree/below/file").write_text("1")
    (space / "tree/link").symlink_to("below")
    os.mkfifo(space / "tree/pipe")
    copy: dict[str, Any] = {"sourcePath": f"{space}/tree", "destinationPath": f"{space}/copy"}

    text = "fs/copy requires recursive: true when sourcePath is a directory"
    assert await client.refusal("fs/copy", **copy) == (INVALID, text)
    assert await client.call("fs/copy", **copy, recursive=True) == {}

    assert sorted(each.name for each in (space / "copy").iterdir()) == ["below", "link"]
    assert os.readlink(space / "copy/link") == "below"
    text = "fs/copy cannot copy a directory to itself or one of its descendants"
    copy["destinationPath"] = f"{space}/tree/link/new"
    assert await client.refusal("fs/copy", **copy, recursive=True) == (INVALID, text)


async def test_a_file_copied_onto_itself_keeps_its_content(client: ServerProcess, space: Path) -> None:
    (space / "file").write_text("content")
    (space / "link").symlink_to("file")

    for target in ("file", "link"):
        await client.call("fs/copy", sourcePath=f"{space}/file", destinationPath=f"{space}/{target}")
        assert (space / "file").read_text() == "content"


async def test_changes_are_reported_until_the_watch_ends(client: ServerProcess, space: Path) -> None:
    assert await client.call("fs/watch", path=f"{space}/../ws/", watchId="mine") == {
        "path": str(space),
        "watchId": "mine",
    }
    own = await client.call("fs/watch", path=f"{space}/file")

    (space / "file").touch()
    (space / "other").touch()
    found = [await client.notification("fs/changed"), await client.notification("fs/changed")]

    assert {each["watchId"]: each["changedPaths"] for each in found} == {
        "mine": [f"{space}/file", f"{space}/other"],
        own["watchId"]: [f"{space}/file"],
    }
    assert await client.refusal("fs/watch", path=str(space), watchId="mine") == (
        INVALID,
        "watchId already exists: mine",
    )
    for name in ("mine", "unknown", "mine"):
        assert await client.call("fs/unwatch", watchId=name) == {}
    (space / "file").write_text("1")
    assert (await client.notification("fs/changed"))["watchId"] == own["watchId"]


async def test_a_storm_of_changes_gives_few_notifications(client: ServerProcess, space: Path) -> None:
    await client.call("fs/watch", path=str(space), watchId="w")

    for number in range(2000):
        (space / str(number % 50)).write_text(str(number))
        if number % 100 == 0:
            await asyncio.sleep(0.01)
    seen: set[str] = set()
    count = 0
    while len(seen) < 50:
        seen.update((await client.notification("fs/changed"))["changedPaths"])
        count += 1

    assert count <= 20


async def test_any_path_gets_an_answer_that_is_no_fault_of_the_program(client: ServerProcess, space: Path) -> None:
    chance = random.Random(7)
    parts = [
        "a", "b", "..", ".", "", "~", "\0", "\u00e9", "\ufffd", "\U0001f600", "x" * 255, "x" * 256, "a b", "*", "\\",
        "\n", "dangling", "loop", "pipe", "-rf", "C:", "$HOME",
    ]  # fmt: skip
    (space / "dangling").symlink_to("gone/deep")
    (space / "loop").symlink_to("loop/x")
    os.mkfifo(space / "pipe")
    (space / "1/2/3/4").mkdir(parents=True)

    def path() -> str:
        tail = "/".join(chance.choice(parts) for _ in range(chance.randrange(1, 5)))
        return f"{space}/1/2/3/4/{tail}" if chance.random() < 0.9 else tail

    sent = []
    for number in range(400):
        methods: list[tuple[str, dict[str, Any]]] = [
            ("fs/readFile", {"path": path()}),
            ("fs/writeFile", {"path": path(), "dataBase64": chance.choice(["", "YQ==", "\ud7ff", "=", "YQ"])}),
            ("fs/createDirectory", {"path": path(), "recursive": chance.choice([True, False, None])}),
            ("fs/getMetadata", {"path": path()}),
            ("fs/readDirectory", {"path": path()}),
            ("fs/copy", {"sourcePath": path(), "destinationPath": path(), "recursive": chance.choice([True, False])}),
            ("fs/watch", {"path": path(), "watchId": str(number)}),
            ("fs/unwatch", {"watchId": path()}),
        ]
        method, params = chance.choice(methods)
        sent.append((method, params, await client.send(method, params)))

    for method, params, ident in sent:
        answer = await client.answer(ident)
        message = answer.get("error", {}).get("message", "")
        assert not message.startswith(f"{method} failed"), (params, answer)
    assert await client.call("fs/readDirectory", path=str(space))
