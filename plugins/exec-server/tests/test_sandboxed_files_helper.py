"""The program that works on files inside of a sandbox."""

from __future__ import annotations

import errno
import io
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from codex_exec_server import sandboxed_files
from codex_exec_server.sandboxed_files_helper import serve

LIMIT = 20


def call_helper(*requests: tuple[dict[str, Any], bytes]) -> list[tuple[dict[str, Any], bytes]]:
    """Have the program do some things; return its answers."""
    told = b"".join(json.dumps({**request, "size": len(data)}).encode() + b"\n" + data for request, data in requests)
    said = io.BytesIO()
    serve(io.BytesIO(told), said)
    said.seek(0)
    answers = []
    while line := said.readline():
        response = json.loads(line)
        answers.append((response, said.read(response["size"])))
    return answers


def one(operation: str, path: Path | str, data: bytes = b"", **more: Any) -> tuple[Any, bytes]:
    ((response, found),) = call_helper(({"op": operation, "path": str(path), **more}, data))
    return response.get("result", response), found


def test_files_are_written_read_and_removed(tmp_path: Path) -> None:
    file = tmp_path / "ü"
    one("write", file, b"a\nb")

    assert one("read", file, limit=None)[1] == b"a\nb"
    assert one("read", file, limit=1)[1] == b"a"
    assert one("remove", file, recursive=False, force=False) == (None, b"")
    assert not file.exists()


def test_failures_are_numbers(tmp_path: Path) -> None:
    assert one("read", tmp_path / "x", limit=None)[0] == {"errno": errno.ENOENT, "size": 0}
    assert one("create", tmp_path, recursive=False)[0] == {"errno": errno.EEXIST, "size": 0}
    assert one("remove", tmp_path / "x", recursive=True, force=False)[0] == {"errno": errno.ENOENT, "size": 0}
    assert one("remove", tmp_path / "x", recursive=True, force=True)[0] is None


@pytest.mark.parametrize("operation", ["read", "open"])
def test_what_is_no_file_is_refused(tmp_path: Path, operation: str) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path, tmp_path / "fifo"):
        response, _ = one(operation, path, limit=None, replace=False)

        assert response == {"refused": f"path `{path}` is not a file", "size": 0}


def test_links_are_looked_through_and_told_of(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("abc")
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "dangling").symlink_to("nowhere")

    directory, file, link, size, _, modified = one("metadata", tmp_path / "link")[0]

    assert (directory, file, link, size) == (False, True, True, 3)
    assert modified == (tmp_path / "file").stat().st_mtime_ns // 1_000_000
    assert one("canonicalize", tmp_path / "link")[0] == str(tmp_path / "file")
    assert sorted(one("entries", tmp_path)[0]) == [["file", False, True], ["link", False, True]]


def test_trees_are_copied_listed_and_removed_without_following_links(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    source = tmp_path / "a"
    (source / "b").mkdir(parents=True)
    (source / "b" / "file").write_text("x")
    (source / "b" / "file").chmod(0o750)
    (source / "link").symlink_to(outside)

    one("copy", source, destination=str(tmp_path / "c"), recursive=True)

    assert (tmp_path / "c" / "b" / "file").read_text() == "x"
    assert (tmp_path / "c" / "b" / "file").stat().st_mode & 0o777 == 0o750
    assert (tmp_path / "c" / "link").readlink() == outside
    listed = one("walk", tmp_path / "c", limits=[5, 10, 10, False, False])[0]
    assert [each["path"] for each in listed["entries"]] == [f"{tmp_path}/c/b", f"{tmp_path}/c/b/file"]
    one("remove", tmp_path / "c", recursive=True, force=False)
    assert not (tmp_path / "c").exists()
    assert (outside / "kept").exists()


def test_copies_that_make_no_sense_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "d").mkdir()

    for source, destination, recursive in (("d", "e", False), ("d", "d/e", True), ("fifo", "e", False)):
        response, _ = one("copy", tmp_path / source, destination=str(tmp_path / destination), recursive=recursive)
        assert "refused" in response


def test_an_open_file_is_worked_on_by_blocks(tmp_path: Path) -> None:
    file = tmp_path / "x"
    call_helper(
        ({"op": "open", "path": str(file), "replace": True}, b""),
        ({"op": "write_block", "path": "", "offset": 3}, b"def"),
        ({"op": "write_block", "path": "", "offset": 0}, b"abc"),
    )
    assert file.read_bytes() == b"abcdef"

    found = call_helper(
        ({"op": "open", "path": str(file), "replace": False}, b""),
        ({"op": "read_block", "path": "", "offset": 1, "length": 3}, b""),
        ({"op": "read_block", "path": "", "offset": 5, "length": 3}, b""),
        ({"op": "read_block", "path": "", "offset": 50, "length": 3}, b""),
    )

    assert [data for _, data in found] == [b"", b"bcd", b"f", b""]


def test_it_runs_with_the_standard_library_alone(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("hello")
    request = json.dumps({"op": "read", "path": str(tmp_path / "x"), "limit": None, "size": 0}).encode() + b"\n"

    done = subprocess.run(
        sandboxed_files._helper_argv(), input=request, capture_output=True, timeout=LIMIT, env={}, cwd="/", check=True
    )

    assert done.stdout == b'{"result": null, "size": 5}\nhello'
    assert done.stderr == b""
