"""Create, describe, list, remove and copy files and directories."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_app_server.files.access import normalize
from codex_hookspecs.errors import FileSystemError, RpcError
from codex_hookspecs.protocol import (
    FsCopyResponse,
    FsCreateDirectoryResponse,
    FsGetMetadataResponse,
    FsReadDirectoryEntry,
    FsReadDirectoryResponse,
    FsRemoveResponse,
)

if TYPE_CHECKING:
    from codex_app_server.files.access import FileAccess
    from codex_hookspecs.protocol import (
        FsCopyParams,
        FsCreateDirectoryParams,
        FsGetMetadataParams,
        FsReadDirectoryParams,
        FsRemoveParams,
    )
    from codex_hookspecs.surface import RpcContext


class FileEntries:
    """Handlers of the methods for directory entries."""

    def __init__(self, access: FileAccess) -> None:
        self._access = access

    async def create_directory(self, params: FsCreateDirectoryParams, context: RpcContext) -> FsCreateDirectoryResponse:
        """Create a directory, by default with its parents."""
        async with self._access.files(context) as files:
            await files.create_directory(normalize(params.path), recursive=params.recursive is not False)
        return FsCreateDirectoryResponse()

    async def metadata(self, params: FsGetMetadataParams, context: RpcContext) -> FsGetMetadataResponse:
        """Describe a path."""
        async with self._access.files(context) as files:
            found = await files.metadata(normalize(params.path))
        return FsGetMetadataResponse(
            is_directory=found.is_directory,
            is_file=found.is_file,
            is_symlink=found.is_symlink,
            created_at_ms=found.created_at_ms,
            modified_at_ms=found.modified_at_ms,
        )

    async def list(self, params: FsReadDirectoryParams, context: RpcContext) -> FsReadDirectoryResponse:
        """List a directory, without dangling symbolic links."""
        async with self._access.files(context) as files:
            found = await files.read_directory(normalize(params.path))
        return FsReadDirectoryResponse(
            tuple(
                FsReadDirectoryEntry(
                    file_name=_to_text(each.file_name), is_directory=each.is_directory, is_file=each.is_file
                )
                for each in found
            )
        )

    async def remove(self, params: FsRemoveParams, context: RpcContext) -> FsRemoveResponse:
        """Remove a file, symbolic link or, by default, a tree."""
        recursive, force = params.recursive is not False, params.force is not False
        async with self._access.files(context) as files:
            await files.remove(normalize(params.path), recursive=recursive, force=force)
        return FsRemoveResponse()

    async def copy(self, params: FsCopyParams, context: RpcContext) -> FsCopyResponse:
        """Copy a file, symbolic link or tree."""
        source, destination = normalize(params.source_path), normalize(params.destination_path)
        async with self._access.files(context) as files:
            try:
                await files.copy(source, destination, recursive=params.recursive)
            except FileSystemError as error:
                if error.errno is None:
                    raise RpcError(_copy_fault(str(error))) from error
                raise
        return FsCopyResponse()


def _copy_fault(found: str) -> str:
    """Return the text of Codex for a copy that makes no sense."""
    if "itself" in found:
        return "fs/copy cannot copy a directory to itself or one of its descendants"
    if "is a directory" in found:
        return "fs/copy requires recursive: true when sourcePath is a directory"
    if "neither file" in found:
        return "fs/copy only supports regular files, directories, and symlinks"
    return found


def _to_text(name: str) -> str:
    """Return a file name with bytes that are not UTF-8 replaced."""
    return name if name.isascii() else name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
