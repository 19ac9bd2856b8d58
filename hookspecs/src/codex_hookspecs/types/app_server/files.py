"""Methods for files (app-server protocol v2, 0.118)."""

from __future__ import annotations

from typing import ClassVar

from codex_hookspecs.types.json import AbsolutePathBuf
from codex_hookspecs.types.notifications import Notification
from codex_hookspecs.values import frozen


@frozen
class FsReadFileParams:
    """Parameters of ``fs/readFile``."""

    path: AbsolutePathBuf


@frozen(kw_only=True)
class FsWriteFileParams:
    """Parameters of ``fs/writeFile``.

    :param data_base64: contents, in base64.
    """

    path: AbsolutePathBuf
    data_base64: str


@frozen(kw_only=True)
class FsCreateDirectoryParams:
    """Parameters of ``fs/createDirectory``.

    :param recursive: whether directories are meant with everything below them.
    """

    path: AbsolutePathBuf
    recursive: bool | None = None


@frozen
class FsGetMetadataParams:
    """Parameters of ``fs/getMetadata``."""

    path: AbsolutePathBuf


@frozen
class FsReadDirectoryParams:
    """Parameters of ``fs/readDirectory``."""

    path: AbsolutePathBuf


@frozen(kw_only=True)
class FsRemoveParams:
    """Parameters of ``fs/remove``.

    :param force: whether a missing path is no error.
    :param recursive: whether directories are meant with everything below them.
    """

    path: AbsolutePathBuf
    force: bool | None = None
    recursive: bool | None = None


@frozen(kw_only=True)
class FsCopyParams:
    """Parameters of ``fs/copy``.

    :param recursive: whether directories are meant with everything below them.
    """

    source_path: AbsolutePathBuf
    destination_path: AbsolutePathBuf
    recursive: bool = False


@frozen(kw_only=True)
class FsWatchParams:
    """Parameters of ``fs/watch``.

    :param watch_id: name for the watch (newer clients); the server makes one if it is absent.
    """

    path: AbsolutePathBuf
    watch_id: str | None = None


@frozen
class FsUnwatchParams:
    """Parameters of ``fs/unwatch``."""

    watch_id: str


@frozen
class FsReadFileResponse:
    """Result of ``fs/readFile``.

    :param data_base64: contents, in base64.
    """

    data_base64: str


@frozen
class FsWriteFileResponse:
    """Result of ``fs/writeFile``."""


@frozen
class FsCreateDirectoryResponse:
    """Result of ``fs/createDirectory``."""


@frozen(kw_only=True)
class FsGetMetadataResponse:
    """Result of ``fs/getMetadata``.

    :param created_at_ms: milliseconds since the epoch; 0 if unknown.
    :param modified_at_ms: milliseconds since the epoch; 0 if unknown.
    :param is_symlink: whether the path itself is a symbolic link.
    """

    created_at_ms: int
    is_directory: bool
    is_file: bool
    modified_at_ms: int
    is_symlink: bool = False


@frozen(kw_only=True)
class FsReadDirectoryEntry:
    """An entry of a directory."""

    file_name: str
    is_directory: bool
    is_file: bool


@frozen
class FsReadDirectoryResponse:
    """Result of ``fs/readDirectory``."""

    entries: tuple[FsReadDirectoryEntry, ...]


@frozen
class FsRemoveResponse:
    """Result of ``fs/remove``."""


@frozen
class FsCopyResponse:
    """Result of ``fs/copy``."""


@frozen(kw_only=True)
class FsWatchResponse:
    """Result of ``fs/watch``."""

    path: AbsolutePathBuf
    watch_id: str


@frozen
class FsUnwatchResponse:
    """Result of ``fs/unwatch``."""


@frozen(kw_only=True)
class FsChangedNotification(Notification):
    """Something that a client watches changed.

    :param changed_paths: absolute paths.
    """

    METHOD: ClassVar[str] = "fs/changed"
    changed_paths: tuple[AbsolutePathBuf, ...]
    watch_id: str
