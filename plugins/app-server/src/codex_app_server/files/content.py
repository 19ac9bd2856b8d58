"""Read and write whole files in Base64."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final

from pybase64 import b64decode, b64encode

from codex_app_server.connection import IN_PROCESS
from codex_app_server.encoding import EncodedResult
from codex_app_server.files.access import normalize
from codex_hookspecs.environments import Base64Error, decode_base64
from codex_hookspecs.errors import FileSystemError, RpcError
from codex_hookspecs.jsonrpc import INTERNAL_ERROR, MAX_MESSAGE
from codex_hookspecs.protocol import FsReadFileResponse, FsWriteFileResponse

if TYPE_CHECKING:
    from codex_app_server.files.access import FileAccess
    from codex_hookspecs.protocol import FsReadFileParams, FsWriteFileParams
    from codex_hookspecs.surface import RpcContext

MAX_BYTES: Final = (MAX_MESSAGE - 1024) // 4 * 3
"""Maximum size of a file whose content still fits in one message."""
_CHUNK: Final = 3 * 1024 * 1024
_decode = partial(b64decode, validate=True)


class FileContent:
    """Handlers of ``fs/readFile`` and ``fs/writeFile``."""

    def __init__(self, access: FileAccess) -> None:
        self._access = access

    async def read(self, params: FsReadFileParams, context: RpcContext) -> FsReadFileResponse | EncodedResult:
        """Return the content of a file; for a client outside of this program it is encoded only once."""
        path = normalize(params.path)
        async with self._access.files(context) as files:
            try:
                content = await files.read_file(path, limit=MAX_BYTES + 1)
            except FileSystemError as error:
                if error.errno is None and (await files.metadata(path)).is_directory:
                    # The operating system's words, as in Codex 0.118; the environment's are those of exec-server.
                    raise RpcError("Is a directory (os error 21)", code=INTERNAL_ERROR) from error
                raise
        if len(content) > MAX_BYTES:
            raise RpcError(f"file is too large to read: limit is {MAX_BYTES} bytes")
        view = memoryview(content)
        chunks = []
        for start in range(0, len(view), _CHUNK):
            chunks.append(b64encode(view[start : start + _CHUNK]))
            if start:
                await asyncio.sleep(0)
        if context.transport == IN_PROCESS:
            return FsReadFileResponse(data_base64=b"".join(chunks).decode("ascii"))
        return EncodedResult((b'{"dataBase64":"', *chunks, b'"}'))

    async def write(self, params: FsWriteFileParams, context: RpcContext) -> FsWriteFileResponse:
        """Write a whole file."""
        try:
            content = decode_base64(params.data_base64, _decode)
        except Base64Error as error:
            raise RpcError(f"fs/writeFile requires valid base64 dataBase64: {error}") from error
        async with self._access.files(context) as files:
            await files.write_file(normalize(params.path), content)
        return FsWriteFileResponse()
