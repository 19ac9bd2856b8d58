"""Ask another machine about its files, and put what went wrong into the terms of the port."""

from __future__ import annotations

import errno
import os
import re
from base64 import b64decode
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from codex_hookspecs.errors import ExecError, FilesLost, FileSystemError, RpcError

if TYPE_CHECKING:
    from codex_exec_remote.client import Client

FILE_SECONDS: Final = 60.0
_NOT_FOUND = -32004
_OS_ERROR = re.compile(r"\(os error (\d+)\)$")


async def call_files(
    client: Client,
    method: str,
    path: str,
    params: dict[str, Any],
    done: Callable[[RpcError], bool] | None = None,
) -> dict[str, Any]:
    """Call a method of the server and return its result.

    :param path: for errors.
    :param done: tells of an error whether the work was done already by a call whose answer was lost.
    :raises FileSystemError: when the server refuses.
    :raises FilesLost: when it can't be asked.
    """
    try:
        result = await client.call(method, params, seconds=FILE_SECONDS, done_before=done)
    except RpcError as error:
        raise _file_error(error, path) from error
    except ExecError as error:
        raise FilesLost(str(error), path=path) from error
    return result if isinstance(result, dict) else {}


def is_missing(error: RpcError) -> bool:
    """Tell whether what was asked about is not there."""
    return error.code == _NOT_FOUND


def errno_of(error: RpcError) -> int | None:
    """Return the operating system's number of an error, if it tells one."""
    found = _OS_ERROR.search(error.message)
    return int(found[1]) if found else None


def decoded(text: Any, path: str) -> bytes:
    """Return content that came in base64.

    :raises FileSystemError: when it is none.
    """
    try:
        return b64decode(text, validate=True)
    except (TypeError, ValueError) as error:
        raise FileSystemError(f"the exec-server sent content that can't be read: {error}", path=path) from error


def _file_error(error: RpcError, path: str) -> FileSystemError:
    number = errno_of(error)
    message = error.message
    if error.code == _NOT_FOUND and number is None:
        number = errno.ENOENT
        message = f"{os.strerror(number)} (os error {number})"
    return FileSystemError(message, path=path, errno=number)
