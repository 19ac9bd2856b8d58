"""Call the file methods of an exec-server and convert errors to those of the file system port."""

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

    :param path: path for error messages.
    :param done: tells whether an error of a repeated call means that the first one, whose response was lost, succeeded.
    :raises FileSystemError: when the operation fails.
    :raises FilesLost: when the server can't be reached.
    """
    try:
        result = await client.call(method, params, seconds=FILE_SECONDS, already_done=done)
    except RpcError as error:
        raise _file_error(error, path) from error
    except ExecError as error:
        raise FilesLost(str(error), path=path) from error
    return result if isinstance(result, dict) else {}


def is_missing(error: RpcError) -> bool:
    """Tell whether an error means that the path does not exist."""
    return error.code == _NOT_FOUND


def find_errno(error: RpcError) -> int | None:
    """Return the errno in the message of an error, if there is one."""
    found = _OS_ERROR.search(error.message)
    return int(found[1]) if found else None


def decode_content(text: Any, path: str) -> bytes:
    """Decode base64 content.

    :raises FileSystemError: when it is not valid base64.
    """
    try:
        return b64decode(text, validate=True)
    except (TypeError, ValueError) as error:
        raise FileSystemError(f"the exec-server sent content that is not base64: {error}", path=path) from error


def _file_error(error: RpcError, path: str) -> FileSystemError:
    number = find_errno(error)
    message = error.message
    if error.code == _NOT_FOUND and number is None:
        number = errno.ENOENT
        message = f"{os.strerror(number)} (os error {number})"
    return FileSystemError(message, path=path, errno=number)
