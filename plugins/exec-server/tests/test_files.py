"""Files, blocks, walks and watches."""

from __future__ import annotations

from base64 import b64decode, b64encode
from pathlib import Path

import pytest

from codex_exec_server import watches
from codex_hookspecs.errors import FileSystemError, RpcError

pytestmark = pytest.mark.anyio
WALK = {
    "maxDepth": 9,
    "maxDirectories": 99,
    "maxEntries": 99,
    "followDirectorySymlinks": False,
    "pruneHiddenDirectories": False,
}


async def error_of(client, method: str, params=None) -> tuple[int, str]:
    with pytest.raises(RpcError) as caught:
        await client.request(method, params)
    return caught.value.code, caught.value.message


async def test_files_of_the_environment_are_read_and_written(serve) -> None:
    server = await serve(files={"/space/a": "hello"})
    async with server.client() as client:
        assert await client.request("fs/readFile", {"path": "file:///space/a"}) == {"dataBase64": "aGVsbG8="}
        await client.request("fs/writeFile", {"path": "/space/b", "dataBase64": "aGk="})
        found = await client.request("fs/readDirectory", {"path": "/space"})

        assert sorted(entry["fileName"] for entry in found["entries"]) == ["a", "b"]
        assert (await client.request("fs/getMetadata", {"path": "/space/b"}))["size"] == 2


async def test_failures_have_the_codes_of_the_protocol(serve) -> None:
    server = await serve(files={"/space/a": "hello"})
    async with server.client() as client:
        missing = {"path": "/space/none"}

        assert await error_of(client, "fs/readFile", missing) == (-32004, "No such file or directory (os error 2)")
        assert await error_of(client, "fs/readFile", {"path": "/space"}) == (-32600, "path `/space` is not a file")
        assert await error_of(client, "fs/readDirectory", {"path": "/space/a"}) == (
            -32603,
            "Not a directory (os error 20)",
        )
        assert await error_of(client, "fs/writeFile", {"path": "/space/b", "dataBase64": "!"}) == (
            -32600,
            "fs/writeFile requires valid base64 dataBase64: Invalid symbol 33, offset 0.",
        )
        copy = {"sourcePath": "/space", "destinationPath": "/space/x", "recursive": True}
        assert await error_of(client, "fs/copy", copy) == (
            -32600,
            "fs/copy cannot copy a directory to itself or one of its descendants",
        )
        assert await error_of(client, "fs/copy", {**copy, "recursive": False}) == (
            -32600,
            "fs/copy requires recursive: true when sourcePath is a directory",
        )


async def test_requests_about_files_are_handled_in_order(serve) -> None:
    server = await serve(files={"/space/x": ""})
    async with server.client() as client:
        for number in range(50):
            await client.send("fs/writeFile", {"path": "/space/a", "dataBase64": b64encode(b"%d" % number).decode()})
        last = await client.send("fs/readFile", {"path": "/space/a"})

        assert b64decode((await client.answer(last))["dataBase64"]) == b"49"


async def test_a_file_of_the_environment_is_written_and_read_in_blocks(serve) -> None:
    path = "/space/a"
    server = await serve(files={path: "before"})
    async with server.client() as client:
        await client.request("fs/open", {"handleId": "w", "path": path, "mode": "replace"})
        await client.request("fs/writeBlock", {"handleId": "w", "offset": 4, "chunk": "aGk="})
        assert await server.environment.files.read_file(path) == b"\0\0\0\0hi"
        await client.request("fs/close", {"handleId": "w"})
        await client.request("fs/open", {"handleId": "r", "path": path})

        blocks = [await client.request("fs/readBlock", {"handleId": "r", "offset": at, "len": 4}) for at in (0, 4, 9)]

        assert blocks == [
            {"chunk": "AAAAAA==", "eof": False},
            {"chunk": "aGk=", "eof": True},
            {"chunk": "", "eof": True},
        ]


async def test_handles_are_few_short_and_of_one_connection(serve) -> None:
    path = "/space/a"
    server = await serve(files={path: "x"})
    async with server.client() as client, server.client() as other:
        for number in range(128):
            await client.request("fs/open", {"handleId": f"h{number}", "path": path})

        assert await error_of(client, "fs/open", {"handleId": "more", "path": path}) == (
            -32600,
            "at most 128 file handles may be open per connection",
        )
        assert await error_of(client, "fs/open", {"handleId": "h0", "path": path}) == (
            -32600,
            "file handle `h0` already exists",
        )
        assert await error_of(other, "fs/readBlock", {"handleId": "h0", "offset": 0, "len": 1}) == (
            -32004,
            "unknown file handle `h0`",
        )
        assert (await error_of(other, "fs/open", {"handleId": "x" * 33, "path": path}))[0] == -32600
        assert (await error_of(other, "fs/open", {"handleId": "d", "path": "/space"}))[0] == -32600


async def test_a_block_that_can_not_be_read_closes_its_file(serve) -> None:
    server = await serve(files={"/space/a": "x"})
    async with server.client() as client:
        await client.request("fs/open", {"handleId": "w", "path": "/space/a", "mode": "replace"})

        assert await error_of(client, "fs/readBlock", {"handleId": "w", "offset": 0, "len": 1}) == (
            -32603,
            "Bad file descriptor (os error 9)",
        )
        assert await error_of(client, "fs/writeBlock", {"handleId": "w", "offset": 0, "chunk": "aGk="}) == (
            -32004,
            "unknown file handle `w`",
        )


async def test_files_left_open_are_closed_with_the_connection(serve) -> None:
    server = await serve(files={"/space/a": "x"})
    async with server.client() as client:
        await client.request("fs/open", {"handleId": "h", "path": "/space/a"})
        connection = next(iter(server.server._connections))
        file = connection.resources["handles"].find("h")

    await connection.aclose()

    assert not connection.resources["handles"]._open
    with pytest.raises(FileSystemError, match="Bad file descriptor"):
        await file.read(0, 1)


async def test_a_tree_is_walked_within_its_limits(serve, tmp_path: Path) -> None:
    for name in ("b/x", "b/.h/y", "a"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "link").symlink_to("b")
    uri = f"file://{tmp_path}"

    async def walked(**options) -> tuple[list[str], bool]:
        found = await client.request("fs/walk", {"path": str(tmp_path), "options": {**WALK, **options}})
        return [entry["path"].removeprefix(f"{uri}/") for entry in found["entries"]], found["truncated"]

    async with (await serve()).client() as client:
        assert await walked() == (["a", "b", "b/.h", "b/x", "b/.h/y"], False)
        assert await walked(maxDepth=0) == (["a", "b"], False)
        assert await walked(maxEntries=3) == (["a", "b", "b/.h"], True)
        assert await walked(maxDirectories=1) == (["a", "b"], True)
        assert await walked(pruneHiddenDirectories=True) == (["a", "b", "b/.h", "b/x"], False)
        assert (await walked(followDirectorySymlinks=True))[0][:3] == ["a", "b", "link"]


@pytest.mark.parametrize("told", [True, False])
async def test_an_appearing_path_is_notified_once(
    serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: bool
) -> None:
    if not told:
        monkeypatch.setattr(watches.sys, "platform", "other")
        monkeypatch.setattr(watches, "LOOK_SECONDS", 0.02)
    async with (await serve()).client() as client:
        params = {"watchId": 1, "missing": [str(tmp_path / "sub/a")], "present": str(tmp_path)}
        assert await client.request("fs/watchMissing", params) == {"watching": True}
        assert await client.request("fs/watchMissing", params) == {"watching": False}

        (tmp_path / "sub").mkdir()

        assert await client.event(lambda _: True) == {"method": "fs/missingChanged", "params": {"watchId": 1}}


async def test_ids_of_watches_must_increase(serve, tmp_path: Path) -> None:
    missing, there = [str(tmp_path / "x")], [str(tmp_path)]
    async with (await serve()).client() as client:
        found = []
        for number, paths in (
            (0, missing),
            (2, missing),
            (2, missing),
            (1, missing),
            (3, there),
            (3, missing),
            (4, missing),
        ):
            params = {"watchId": number, "missing": paths, "present": None}
            found.append((await client.request("fs/watchMissing", params))["watching"])

        assert found == [False, True, False, False, False, False, True]


async def test_a_foreign_path_never_appears(serve, tmp_path: Path) -> None:
    here, elsewhere = str(tmp_path / "x"), "file://host/x"
    async with (await serve()).client() as client:
        for number, (missing, present) in enumerate(
            (([elsewhere], None), ([here, elsewhere], None), ([here], elsewhere))
        ):
            params = {"watchId": number + 1, "missing": missing, "present": present}
            assert await client.request("fs/watchMissing", params) == {"watching": False}


async def test_a_path_that_exists_is_not_watched(serve, tmp_path: Path) -> None:
    async with (await serve()).client() as client:
        for number, missing in enumerate([[], [str(tmp_path)]]):
            params = {"watchId": number, "missing": missing, "present": None}
            assert await client.request("fs/watchMissing", params) == {"watching": False}


SANDBOX = {
    "permissions": {
        "type": "managed",
        "file_system": {
            "type": "restricted",
            "entries": [
                {"path": {"type": "special", "value": {"kind": "root"}}, "access": "read"},
                {"path": {"type": "special", "value": {"kind": "project_roots"}}, "access": "write"},
            ],
        },
        "network": "restricted",
    },
    "cwd": "file:///space",
    "workspaceRoots": ["file:///space"],
}


SECRET = {"path": {"type": "path", "path": "file:///space/secret"}, "access": "deny"}
HIDING = {
    **SANDBOX,
    "permissions": {
        **SANDBOX["permissions"],
        "file_system": {
            "type": "restricted",
            "entries": [*SANDBOX["permissions"]["file_system"]["entries"], SECRET],
        },
    },
}


async def test_files_are_not_touched_under_a_sandbox_that_no_launcher_enforces(serve) -> None:
    server = await serve(files={"/space/x": "old"})
    async with server.client() as client:
        for method, more in (
            ("readFile", {"path": "/space/x"}),
            ("writeFile", {"path": "/space/x", "dataBase64": ""}),
            ("createDirectory", {"path": "/space/d"}),
            ("remove", {"path": "/space/x"}),
            ("copy", {"sourcePath": "/space/x", "destinationPath": "/space/y", "recursive": False}),
            ("open", {"handleId": "h", "path": "/space/x", "mode": "replace"}),
        ):
            found = await error_of(client, f"fs/{method}", {**more, "sandbox": HIDING})
            assert found == (-32603, "nobody holds workspace-write")


async def test_writes_are_restricted_without_a_helper_where_everything_is_readable(serve, tmp_path) -> None:
    (tmp_path / "space").mkdir()
    inside, outside = str(tmp_path / "space/x"), str(tmp_path / "x")
    sandbox = {**SANDBOX, "cwd": f"file://{tmp_path}/space", "workspaceRoots": [f"file://{tmp_path}/space"]}
    server = await serve(files={inside: "old", outside: "old"})
    async with server.client() as client:
        await client.request("fs/writeFile", {"path": inside, "dataBase64": "bmV3", "sandbox": sandbox})
        for method, more in (
            ("writeFile", {"path": outside, "dataBase64": ""}),
            ("createDirectory", {"path": str(tmp_path / "d")}),
            ("remove", {"path": outside}),
            ("copy", {"sourcePath": inside, "destinationPath": outside, "recursive": False}),
        ):
            code, _ = await error_of(client, f"fs/{method}", {**more, "sandbox": sandbox})
            assert code in {-32600, -32603}
        read = [await client.request("fs/readFile", {"path": path, "sandbox": sandbox}) for path in (inside, outside)]

    assert read == [{"dataBase64": "bmV3"}, {"dataBase64": "b2xk"}]


async def test_the_error_output_of_a_sandboxed_helper_is_quoted(serve, launcher) -> None:
    server = await serve(files={"/space/x": "old"}, launcher=launcher)
    async with server.client() as client:
        params = {"path": "/space/x", "sandbox": HIDING}

        code, message = await error_of(client, "fs/remove", params)

        assert code == -32603
        assert message
