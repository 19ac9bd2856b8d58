"""The file methods of exec-servers (§6 of the protocol)."""

from __future__ import annotations

import os
import socket
import time
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from interop.exec_server import b64, client, unb64, uri, wire

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from interop.exec_server import Message, Server, Wire

MIB = 1024 * 1024
MISSING = (-32004, "No such file or directory (os error 2)")
OURS_ONLY = pytest.mark.parametrize("serving", ["ours"], indirect=True)
WALK = {
    "maxDepth": 64,
    "maxDirectories": 100,
    "maxEntries": 100,
    "followDirectorySymlinks": False,
    "pruneHiddenDirectories": False,
}


async def fs(one: Wire, method: str, path: Path | str, **more: Any) -> Any:
    return await one.call(f"fs/{method}", {"path": uri(path), **more})


async def no(one: Wire, method: str, path: Path | str, **more: Any) -> tuple[int, str]:
    return await one.fault(f"fs/{method}", {"path": uri(path), **more})


def copying(source: Path, destination: Path, *, recursive: bool = False) -> Message:
    return {"sourcePath": uri(source), "destinationPath": uri(destination), "recursive": recursive}


async def test_a_file_is_read_whole(served: Server, folder: Path) -> None:
    data = os.urandom(300_001)
    (folder / "file").write_bytes(data)
    (folder / "empty").touch()
    (folder / "link").symlink_to("file")
    async with client(served.url) as one:
        assert unb64((await fs(one, "readFile", folder / "file"))["dataBase64"]) == data
        assert unb64((await fs(one, "readFile", folder / "link"))["dataBase64"]) == data
        assert await fs(one, "readFile", folder / "empty") == {"dataBase64": ""}


async def test_what_is_no_file_is_not_read(served: Server, folder: Path) -> None:
    os.mkfifo(folder / "fifo")
    (folder / "locked").write_text("x")
    async with client(served.url) as one:
        for place in (folder, folder / "fifo"):
            assert await no(one, "readFile", place) == (-32600, f"path `{place}` is not a file")
        assert await no(one, "readFile", folder / "none") == MISSING
        assert await no(one, "readFile", folder / "locked" / "x") == (-32603, "Not a directory (os error 20)")


async def test_a_file_beyond_512_mib_is_refused(served: Server, folder: Path) -> None:
    with (folder / "huge").open("wb") as file:
        file.truncate(512 * MIB + 1)
    async with client(served.url) as one:
        code, text = await no(one, "readFile", folder / "huge")

        assert code == -32600
        assert "file is too large to read: limit is 536870912 bytes" in text


async def test_any_sign_may_be_in_a_path(served: Server, folder: Path) -> None:
    place = folder / "a b%20é😀?#&+:;'"
    async with client(served.url) as one:
        assert await fs(one, "writeFile", place, dataBase64=b64("x")) == {}
        assert place.read_text() == "x"
        names = [entry["fileName"] for entry in (await fs(one, "readDirectory", folder))["entries"]]
        assert names == [place.name]
        assert await fs(one, "canonicalize", place) == {"path": (await fs(one, "canonicalize", place))["path"]}
        await one.call("fs/remove", {"path": (await fs(one, "canonicalize", place))["path"]})
        assert not place.exists()


async def test_dots_in_a_path_are_folded_before_use(served: Server, folder: Path) -> None:
    (folder / "file").write_text("x")
    async with client(served.url) as one:
        dots = f"{uri(folder)}/none/../x/./../file"

        assert await one.call("fs/readFile", {"path": dots}) == {"dataBase64": b64("x")}


async def test_a_host_may_be_left_out_or_be_this_one(served: Server, folder: Path) -> None:
    (folder / "file").write_text("x")
    async with client(served.url) as one:
        for path in (f"file:{folder}/file", f"file://localhost{folder}/file", f"FILE://{folder}/file"):
            assert await one.call("fs/readFile", {"path": path}) == {"dataBase64": b64("x")}
        assert (await one.fault("fs/readFile", {"path": "file://host/tmp"}))[0] == -32600


async def test_writing_makes_and_replaces(served: Server, folder: Path) -> None:
    async with client(served.url) as one:
        for text in ("long text", "x", ""):
            assert await fs(one, "writeFile", folder / "file", dataBase64=b64(text)) == {}
            assert (folder / "file").read_text() == text
        (folder / "link").symlink_to("file")
        await fs(one, "writeFile", folder / "link", dataBase64=b64("through"))
        assert (folder / "file").read_text() == "through"
        assert (folder / "link").is_symlink()


async def test_writing_keeps_the_mode(served: Server, folder: Path) -> None:
    (folder / "file").touch(0o600)
    (folder / "file").chmod(0o751)
    async with client(served.url) as one:
        await fs(one, "writeFile", folder / "file", dataBase64=b64("x"))

        assert (folder / "file").stat().st_mode & 0o777 == 0o751


async def test_writing_makes_no_parent_and_wants_base64(served: Server, folder: Path) -> None:
    async with client(served.url) as one:
        assert await no(one, "writeFile", folder / "none" / "file", dataBase64="") == MISSING
        assert await no(one, "writeFile", folder, dataBase64="") == (-32603, "Is a directory (os error 21)")
        code, text = await no(one, "writeFile", folder / "file", dataBase64="!")
        assert code == -32600
        assert text.startswith("fs/writeFile requires valid base64 dataBase64: ")
        assert not (folder / "file").exists()


async def test_directories_are_made_with_parents_unless_told_otherwise(served: Server, folder: Path) -> None:
    async with client(served.url) as one:
        for more in ({}, {"recursive": True}, {"recursive": None}):
            assert await fs(one, "createDirectory", folder / "a" / "b", **more) == {}
        assert await fs(one, "createDirectory", folder / "c", recursive=False) == {}
        assert (await no(one, "createDirectory", folder / "c", recursive=False)) == (
            -32603,
            "File exists (os error 17)",
        )
        assert await no(one, "createDirectory", folder / "d" / "e", recursive=False) == MISSING
        (folder / "file").touch()
        assert (await no(one, "createDirectory", folder / "file"))[0] == -32603
        assert sorted(os.listdir(folder)) == ["a", "c", "file"]


async def test_metadata(served: Server, folder: Path) -> None:
    (folder / "file").write_text("12345")
    (folder / "link").symlink_to("file")
    (folder / "dangling").symlink_to("none")
    os.utime(folder / "file", (1_700_000_000.25, 1_700_000_000.25))
    async with client(served.url) as one:
        found = await fs(one, "getMetadata", folder / "file")
        assert isinstance(found.pop("createdAtMs"), int)
        expected = {
            "isDirectory": False,
            "isFile": True,
            "isSymlink": False,
            "size": 5,
            "modifiedAtMs": 1_700_000_000_250,
        }
        assert found == expected
        found = await fs(one, "getMetadata", folder / "link")
        del found["createdAtMs"]
        assert found == {**expected, "isSymlink": True}
        found = await fs(one, "getMetadata", folder)
        assert (found["isDirectory"], found["isFile"]) == (True, False)
        found = await fs(one, "getMetadata", "/dev/null")
        assert (found["isDirectory"], found["isFile"]) == (False, False)
        assert await no(one, "getMetadata", folder / "dangling") == MISSING
        assert await no(one, "getMetadata", folder / "none") == MISSING


async def test_canonicalize_resolves_links(served: Server, folder: Path) -> None:
    (folder / "real").mkdir()
    (folder / "link").symlink_to("real")
    (folder / "real" / "a b").touch()
    async with client(served.url) as one:
        assert await fs(one, "canonicalize", folder / "link" / "a b") == {"path": uri(folder / "real" / "a b")}
        assert await fs(one, "canonicalize", "/") == {"path": "file:///"}
        assert await no(one, "canonicalize", folder / "none") == MISSING


async def test_directories_are_listed(served: Server, folder: Path) -> None:
    (folder / "dir").mkdir()
    (folder / ".hidden").touch()
    (folder / "to-dir").symlink_to("dir")
    (folder / "to-file").symlink_to(".hidden")
    (folder / "dangling").symlink_to("none")
    os.mkfifo(folder / "fifo")
    async with client(served.url) as one:
        found = (await fs(one, "readDirectory", folder))["entries"]
        assert sorted((entry["fileName"], entry["isDirectory"], entry["isFile"]) for entry in found) == [
            (".hidden", False, True),
            ("dir", True, False),
            ("fifo", False, False),
            ("to-dir", True, False),
            ("to-file", False, True),
        ]
        assert set(found[0]) == {"fileName", "isDirectory", "isFile"}
        assert await fs(one, "readDirectory", folder / "dir") == {"entries": []}
        assert await no(one, "readDirectory", folder / ".hidden") == (-32603, "Not a directory (os error 20)")
        assert await no(one, "readDirectory", folder / "none") == MISSING


async def test_removing_takes_everything_and_forgives_unless_told_otherwise(served: Server, folder: Path) -> None:
    (folder / "full" / "deep").mkdir(parents=True)
    (folder / "full" / "deep" / "file").touch()
    (folder / "empty").mkdir()
    async with client(served.url) as one:
        assert await no(one, "remove", folder / "full", recursive=False) == (
            -32603,
            "Directory not empty (os error 39)",
        )
        assert await fs(one, "remove", folder / "empty", recursive=False) == {}
        for more in ({}, {}, {"force": None, "recursive": None}):
            assert await fs(one, "remove", folder / "full", **more) == {}
        assert await no(one, "remove", folder / "full", force=False) == MISSING
        assert os.listdir(folder) == []


async def test_removing_a_link_leaves_what_it_points_to(served: Server, folder: Path) -> None:
    (folder / "dir").mkdir()
    (folder / "dir" / "file").touch()
    (folder / "to-dir").symlink_to("dir")
    (folder / "dangling").symlink_to("none")
    async with client(served.url) as one:
        await fs(one, "remove", folder / "to-dir")
        await fs(one, "remove", folder / "dangling", force=False)

        assert os.listdir(folder) == ["dir"]
        assert (folder / "dir" / "file").exists()


async def test_files_are_copied_with_their_mode(served: Server, folder: Path) -> None:
    (folder / "file").write_text("text")
    (folder / "file").chmod(0o750)
    (folder / "old").write_text("something longer")
    (folder / "link").symlink_to("file")
    async with client(served.url) as one:
        for name in ("new", "old"):
            assert await one.call("fs/copy", copying(folder / "file", folder / name)) == {}
            assert (folder / name).read_text() == "text"
        assert (folder / "new").stat().st_mode & 0o777 == 0o750
        await one.call("fs/copy", copying(folder / "link", folder / "link2"))
        assert os.readlink(folder / "link2") == "file"
        assert await one.fault("fs/copy", copying(folder / "none", folder / "x")) == MISSING
        assert await one.fault("fs/copy", copying(folder / "file", folder / "none" / "x")) == MISSING


async def test_directories_are_copied_when_asked_for_and_merged(served: Server, folder: Path) -> None:
    (folder / "a" / "deep").mkdir(parents=True)
    (folder / "a" / "deep" / "file").write_text("new")
    (folder / "a" / "link").symlink_to("deep/file")
    (folder / "b" / "deep").mkdir(parents=True)
    (folder / "b" / "deep" / "file").write_text("old")
    (folder / "b" / "own").write_text("own")
    async with client(served.url) as one:
        assert await one.fault("fs/copy", copying(folder / "a", folder / "c")) == (
            -32600,
            "fs/copy requires recursive: true when sourcePath is a directory",
        )
        for name in "bc":
            assert await one.call("fs/copy", copying(folder / "a", folder / name, recursive=True)) == {}
            assert (folder / name / "deep" / "file").read_text() == "new"
            assert os.readlink(folder / name / "link") == "deep/file"
        assert (folder / "b" / "own").read_text() == "own"


async def test_a_directory_is_not_copied_into_itself(served: Server, folder: Path) -> None:
    (folder / "a" / "b").mkdir(parents=True)
    async with client(served.url) as one:
        for place in (folder / "a", folder / "a" / "new", folder / "a" / "b"):
            assert await one.fault("fs/copy", copying(folder / "a", place, recursive=True)) == (
                -32600,
                "fs/copy cannot copy a directory to itself or one of its descendants",
            )
        assert os.listdir(folder / "a") == ["b"]


@pytest.fixture
def unusual(folder: Path) -> Iterator[list[Path]]:
    """A pipe and a socket."""
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.path.relpath(folder / "socket"))
        yield [folder / "pipe", folder / "socket"]


async def test_only_files_directories_and_links_are_copied(served: Server, folder: Path, unusual: list[Path]) -> None:
    async with client(served.url) as one:
        for place in unusual:
            assert await one.fault("fs/copy", copying(place, folder / "x", recursive=True)) == (
                -32600,
                "fs/copy only supports regular files, directories, and symlinks",
            )


def tree(folder: Path) -> None:
    for name in ("a/deep/deeper", "b", ".hidden/x"):
        (folder / name).mkdir(parents=True)
    for name in ("z", "a/file", "a/deep/file", "a/deep/deeper/file", "b/file", ".hidden/file", ".dot"):
        (folder / name).touch()
    (folder / "to-b").symlink_to("b")
    (folder / "to-z").symlink_to("z")
    (folder / "dangling").symlink_to("none")


async def walked(one: Wire, folder: Path, **options: Any) -> tuple[list[str], bool]:
    found = await fs(one, "walk", folder, options={**WALK, **options})
    assert found["errors"] == []
    names = [
        entry["path"].removeprefix(f"{uri(folder)}/") + ("/" if entry["kind"] == "directory" else "")
        for entry in found["entries"]
    ]
    return names, found["truncated"]


WALKED = [
    [".dot", ".hidden/", "a/", "b/", "z"],
    [".hidden/file", ".hidden/x/", "a/deep/", "a/file", "b/file"],
    ["a/deep/deeper/", "a/deep/file"],
    ["a/deep/deeper/file"],
]
EVERYTHING = [name for names in WALKED for name in names]


@pytest.mark.parametrize(
    ("options", "expected", "cut"),
    [
        ({}, EVERYTHING, False),
        ({"maxDepth": 0}, WALKED[0], False),
        ({"maxDepth": 1}, WALKED[0] + WALKED[1], False),
        ({"maxEntries": 3}, WALKED[0][:3], True),
        ({"maxDirectories": 1}, WALKED[0], True),
        ({"maxDirectories": 2}, WALKED[0] + WALKED[1][:2], True),
        (
            {"pruneHiddenDirectories": True},
            [name for name in EVERYTHING if not name.startswith(".hidden/") or name == ".hidden/"],
            False,
        ),
    ],
    ids=str,
)
async def test_walking_lists_breadth_first_sorted_and_within_limits(
    served: Server, folder: Path, options: Message, expected: list[str], cut: bool
) -> None:
    tree(folder)
    async with client(served.url) as one:
        assert await walked(one, folder, **options) == (expected, cut)


async def test_walking_follows_links_to_directories_when_asked_for_and_enters_each_once(
    served: Server, folder: Path
) -> None:
    tree(folder)
    (folder / "b" / "loop").symlink_to("..")
    (folder / "b" / "self").symlink_to("self")
    async with client(served.url) as one:
        names, truncated = await walked(one, folder, followDirectorySymlinks=True)

        assert not truncated
        assert names == [*WALKED[0][:4], "to-b/", "z", *WALKED[1], "b/loop/", *WALKED[2], *WALKED[3]]


@pytest.mark.parametrize("limit", ["maxEntries", "maxDirectories"])
async def test_walking_nowhere_is_refused(served: Server, folder: Path, limit: str) -> None:
    async with client(served.url) as one:
        assert await no(one, "walk", folder, options={**WALK, limit: 0}) == (
            -32600,
            "filesystem walk limits must be greater than zero",
        )


@pytest.mark.parametrize("more", [{"maxDepth": 65}, {"maxDirectories": 10_001}, {"maxEntries": 50_001}], ids=str)
async def test_walking_too_far_is_refused(served: Server, folder: Path, more: Message) -> None:
    async with client(served.url) as one:
        assert await no(one, "walk", folder, options={**WALK, **more}) == (
            -32600,
            "filesystem walk limits exceed maximums: depth=64, directories=10000, entries=50000",
        )


async def test_walking_a_file_finds_nothing(served: Server, folder: Path) -> None:
    (folder / "file").touch()
    async with client(served.url) as one:
        assert await walked(one, folder / "file") == ([], False)
        assert await no(one, "walk", folder / "none", options=WALK) == MISSING


async def test_blocks_of_a_file_are_read_anywhere(served: Server, folder: Path) -> None:
    data = os.urandom(2 * MIB + 5)
    (folder / "file").write_bytes(data)
    async with client(served.url) as one:
        assert await fs(one, "open", folder / "file", handleId="h") == {"handleId": "h"}

        async def block(offset: int, length: int) -> tuple[bytes, bool]:
            found = await one.call("fs/readBlock", {"handleId": "h", "offset": offset, "len": length})
            assert set(found) == {"chunk", "eof"}
            return unb64(found["chunk"]), found["eof"]

        assert await block(0, MIB) == (data[:MIB], False)
        assert await block(MIB, MIB) == (data[MIB : 2 * MIB], False)
        assert await block(2 * MIB, MIB) == (data[2 * MIB :], True)
        assert await block(2 * MIB, 5) == (data[2 * MIB :], False)
        assert await block(7, 3) == (data[7:10], False)
        assert await block(len(data) + 100, 10) == (b"", True)
        for length in (0, MIB + 1):
            found = await one.fault("fs/readBlock", {"handleId": "h", "offset": 0, "len": length})
            assert found[0] in (-32600, -32602)
        assert await block(0, 1) == (data[:1], False)


async def test_blocks_are_written_anywhere_and_seen_at_once(served: Server, folder: Path) -> None:
    (folder / "file").write_text("what was there before")
    async with client(served.url) as one:
        await fs(one, "open", folder / "file", handleId="h", mode="replace")
        assert (folder / "file").read_bytes() == b""
        for offset, text in ((0, "one"), (6, "two"), (1, "N")):
            assert await one.call("fs/writeBlock", {"handleId": "h", "offset": offset, "chunk": b64(text)}) == {}
        assert (folder / "file").read_bytes() == b"oNe\0\0\0two"
        big = os.urandom(MIB)
        assert await one.call("fs/writeBlock", {"handleId": "h", "offset": 9, "chunk": b64(big)}) == {}
        for bad in (b"", big + b"x"):
            assert (await one.fault("fs/writeBlock", {"handleId": "h", "offset": 0, "chunk": b64(bad)}))[0] in (
                -32600,
                -32602,
            )
        assert await one.call("fs/close", {"handleId": "h"}) == {}
        assert (folder / "file").read_bytes() == b"oNe\0\0\0two" + big


async def test_handles_are_named_by_the_client_and_closed_once(served: Server, folder: Path) -> None:
    (folder / "file").touch()
    async with client(served.url) as one:
        await fs(one, "open", folder / "file", handleId="h")
        assert (await no(one, "open", folder / "file", handleId="h"))[0] == -32600
        for _ in range(2):
            assert await one.call("fs/close", {"handleId": "h"}) == {}
        assert await one.fault("fs/readBlock", {"handleId": "h", "offset": 0, "len": 1}) == (
            -32004,
            "unknown file handle `h`",
        )
        await fs(one, "open", folder / "file", handleId="h")
        await fs(one, "open", folder / "file", handleId="x" * 32)
        assert (await no(one, "open", folder / "file", handleId="x" * 33))[0] in (-32600, -32602)
        assert await no(one, "open", folder / "none", handleId="n") == MISSING
        assert (await no(one, "open", folder, handleId="n"))[0] == -32600


async def test_a_connection_has_128_handles(served: Server, folder: Path) -> None:
    (folder / "file").touch()
    async with client(served.url) as one, client(served.url) as other:
        for number in range(128):
            await fs(one, "open", folder / "file", handleId=f"{number}")
        assert (await no(one, "open", folder / "file", handleId="more"))[0] == -32600
        await fs(other, "open", folder / "file", handleId="more")
        await one.call("fs/close", {"handleId": "5"})
        await fs(one, "open", folder / "file", handleId="more")


async def test_a_handle_for_writing_is_lost_by_reading(served: Server, folder: Path) -> None:
    async with client(served.url) as one:
        await fs(one, "open", folder / "file", handleId="h", mode="replace")
        await one.fault("fs/readBlock", {"handleId": "h", "offset": 0, "len": 1})

        assert (await one.fault("fs/writeBlock", {"handleId": "h", "offset": 0, "chunk": b64("x")}))[0] == -32004


async def test_watching_tells_once_when_something_appears(served: Server, folder: Path) -> None:
    async with client(served.url) as one:
        watch = {"watchId": 7, "missing": [uri(folder / "a"), uri(folder / "deep" / "b")], "present": None}
        assert await one.call("fs/watchMissing", watch) == {"watching": True}
        (folder / "other").touch()
        (folder / "deep").mkdir()
        (folder / "deep" / "b").touch()
        told = await one.until(lambda message: message.get("method") == "fs/missingChanged")

        assert told == {"method": "fs/missingChanged", "params": {"watchId": 7}}
        (folder / "a").touch()
        await anyio.sleep(0.3)
        await one.call("environment/status")
        assert [message.get("method") for message in one.seen].count("fs/missingChanged") == 1


async def test_watching_needs_a_free_id_and_something_missing(served: Server, folder: Path) -> None:
    async with client(served.url) as one:
        watch = {"watchId": 1, "missing": [uri(folder / "a")], "present": uri(folder)}
        assert await one.call("fs/watchMissing", watch) == {"watching": True}
        assert await one.call("fs/watchMissing", watch) == {"watching": False}
        nothing = {"watchId": 2, "missing": [], "present": None}
        assert await one.call("fs/watchMissing", nothing) == {"watching": False}
        assert (await one.fault("fs/watchMissing", {"missing": [], "present": None}))[0] == -32602


async def test_file_methods_of_one_client_happen_in_order(served: Server, folder: Path) -> None:
    async with client(served.url) as one:
        idents = []
        for number in range(50):
            params = {"path": uri(folder / "file"), "dataBase64": b64(f"{number}")}
            idents.append(await one.post("fs/writeFile", params))
            idents.append(await one.post("fs/readFile", {"path": uri(folder / "file")}))
        found = [await one.result(ident) for ident in idents]

        assert [unb64(each["dataBase64"]).decode() for each in found[1::2]] == [f"{number}" for number in range(50)]
        assert [message["id"] for message in one.seen if message.get("id", 0) >= idents[0]] == idents


@OURS_ONLY
async def test_plain_paths_are_fine_everywhere(served: Server, folder: Path) -> None:
    async with wire(served.url) as one:
        await one.call("initialize", {"clientName": "codex-environment"})
        await one.send({"method": "initialized"})
        place = f"{folder}/a b%20é"
        await one.call("fs/createDirectory", {"path": place, "recursive": True})
        await one.call("fs/writeFile", {"path": f"{place}/x", "dataBase64": b64("text")})
        copy = {"sourcePath": f"{place}/x", "destinationPath": f"{place}/../y", "recursive": False}
        assert await one.call("fs/copy", copy) == {}
        assert await one.call("fs/readFile", {"path": f"{folder}/y"}) == {"dataBase64": b64("text")}
        assert (await one.call("fs/getMetadata", {"path": place}))["isDirectory"] is True
        assert len((await one.call("fs/readDirectory", {"path": place}))["entries"]) == 1
        assert await one.call("fs/remove", {"path": place, "recursive": True, "force": True}) == {}
        assert os.listdir(folder) == ["y"]


async def test_a_big_file_is_read_in_time(served: Server, folder: Path) -> None:
    data = os.urandom(10 * MIB)
    (folder / "file").write_bytes(data)
    began = time.monotonic()
    async with client(served.url) as one:
        assert unb64((await fs(one, "readFile", folder / "file"))["dataBase64"]) == data
    assert time.monotonic() - began < 10
