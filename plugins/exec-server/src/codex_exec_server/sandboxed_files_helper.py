"""The helper program that accesses files inside of a sandbox; it uses the standard library only.

Each request on stdin is a line of JSON, ``{"op", "size", …}``, followed by ``size`` bytes of data. Each response on
stdout is a line ``{"result", "size"}``, ``{"errno", "size"}`` or ``{"refused", "size"}``, followed by ``size`` bytes.
"""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

from codex_exec_server.tree_walk import Limits, walk

_COPY_BYTES = 1024 * 1024
Result = tuple[Any, bytes]


class Refused(Exception):
    """Raised for a failure that has no error number."""


def serve(source: BinaryIO, target: BinaryIO) -> None:
    """Handle requests one after the other until the end of the input."""
    descriptors: list[int] = []
    while line := source.readline():
        request = json.loads(line)
        data = source.read(request["size"])
        try:
            result, found = _WORK[request["op"]](request, data, descriptors)
            response: dict[str, Any] = {"result": result, "size": len(found)}
        except OSError as error:
            response, found = {"errno": error.errno or 0, "size": 0}, b""
        except Refused as error:
            response, found = {"refused": str(error), "size": 0}, b""
        target.write(json.dumps(response).encode() + b"\n" + found)
        target.flush()


def _read(request: dict[str, Any], _data: bytes, _descriptors: list[int]) -> Result:
    limit = request["limit"]
    with open(_open_regular(request["path"], os.O_RDONLY), "rb") as file:
        return None, file.read(-1 if limit is None else limit)


def _open_regular(path: str, flags: int) -> int:
    descriptor = os.open(path, flags | os.O_NONBLOCK, 0o666)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Refused(f"path `{path}` is not a file")
    return descriptor


def _write(request: dict[str, Any], data: bytes, _descriptors: list[int]) -> Result:
    with open(_open_for_writing(request["path"]), "wb") as file:
        file.write(data)
    return None, b""


def _open_for_writing(path: str) -> int:
    """Open a path for writing; a FIFO without a reader is an error instead of blocking."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NONBLOCK, 0o666)


def _create(request: dict[str, Any], _data: bytes, _descriptors: list[int]) -> Result:
    if request["recursive"]:
        os.makedirs(request["path"], exist_ok=True)
    else:
        os.mkdir(request["path"])
    return None, b""


def _metadata(request: dict[str, Any], _data: bytes, _descriptors: list[int]) -> Result:
    link = os.lstat(request["path"])
    found = os.stat(request["path"]) if stat.S_ISLNK(link.st_mode) else link
    born = int(getattr(found, "st_birthtime", 0) * 1000)
    kinds = (stat.S_ISDIR(found.st_mode), stat.S_ISREG(found.st_mode), stat.S_ISLNK(link.st_mode))
    return [*kinds, found.st_size, born, found.st_mtime_ns // 1_000_000], b""


def _canonicalize(request: dict[str, Any], _data: bytes, _descriptors: list[int]) -> Result:
    return os.path.realpath(request["path"], strict=True), b""


def _list_directory(request: dict[str, Any], _data: bytes, _descriptors: list[int]) -> Result:
    found = []
    with os.scandir(request["path"]) as scan:
        for entry in scan:
            try:
                mode = entry.stat().st_mode
            except OSError:
                continue
            found.append([entry.name, stat.S_ISDIR(mode), stat.S_ISREG(mode)])
    return found, b""


def _remove(request: dict[str, Any], _data: bytes, _descriptors: list[int]) -> Result:
    path = request["path"]
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        if request["force"]:
            return None, b""
        raise
    if not stat.S_ISDIR(mode):
        os.unlink(path)
    elif request["recursive"]:
        _remove_tree(path)
    else:
        os.rmdir(path)
    return None, b""


def _remove_tree(path: str) -> None:
    with os.scandir(path) as scan:
        children = [(entry.path, entry.is_dir(follow_symlinks=False)) for entry in scan]
    for child, directory in children:
        if directory:
            _remove_tree(child)
        else:
            os.unlink(child)
    os.rmdir(path)


def _copy(request: dict[str, Any], _data: bytes, _descriptors: list[int]) -> Result:
    source, destination = request["path"], request["destination"]
    mode = os.lstat(source).st_mode
    if stat.S_ISDIR(mode):
        if not request["recursive"]:
            raise Refused(f"path `{source}` is a directory")
        inner, outer = os.path.realpath(destination), os.path.realpath(source)
        if inner == outer or inner.startswith(outer.rstrip("/") + "/"):
            raise Refused("a directory can't be copied into itself")
    _copy_any(source, destination, mode)
    return None, b""


def _copy_any(source: str, destination: str, mode: int) -> None:
    if stat.S_ISDIR(mode):
        os.makedirs(destination, exist_ok=True)
        with os.scandir(source) as scan:
            children = [(entry.name, entry.stat(follow_symlinks=False).st_mode) for entry in scan]
        for name, kind in children:
            _copy_any(os.path.join(source, name), os.path.join(destination, name), kind)
    elif stat.S_ISLNK(mode):
        os.symlink(os.readlink(source), destination)
    elif stat.S_ISREG(mode):
        with (
            open(_open_regular(source, os.O_RDONLY), "rb") as reader,
            open(_open_for_writing(destination), "wb") as writer,
        ):
            while data := reader.read(_COPY_BYTES):
                writer.write(data)
            os.chmod(writer.fileno(), stat.S_IMODE(mode))
    else:
        raise Refused(f"path `{source}` is neither file, directory nor link")


def _walk(request: dict[str, Any], _data: bytes, _descriptors: list[int]) -> Result:
    return walk(request["path"], Limits(*request["limits"])), b""


def _open(request: dict[str, Any], _data: bytes, descriptors: list[int]) -> Result:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC if request["replace"] else os.O_RDONLY
    descriptors.append(_open_regular(request["path"], flags))
    return None, b""


def _read_block(request: dict[str, Any], _data: bytes, descriptors: list[int]) -> Result:
    wanted, found = request["length"], b""
    while len(found) < wanted:
        more = os.pread(descriptors[0], wanted - len(found), request["offset"] + len(found))
        if not more:
            break
        found += more
    return None, found


def _write_block(request: dict[str, Any], data: bytes, descriptors: list[int]) -> Result:
    offset, view = request["offset"], memoryview(data)
    while view:
        count = os.pwrite(descriptors[0], view, offset)
        view, offset = view[count:], offset + count
    return None, b""


_WORK: dict[str, Callable[[dict[str, Any], bytes, list[int]], Result]] = {
    "read": _read,
    "write": _write,
    "create": _create,
    "metadata": _metadata,
    "canonicalize": _canonicalize,
    "entries": _list_directory,
    "remove": _remove,
    "copy": _copy,
    "walk": _walk,
    "open": _open,
    "read_block": _read_block,
    "write_block": _write_block,
}

if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
