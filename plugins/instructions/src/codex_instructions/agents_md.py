"""Find and read AGENTS.md files from the project's root down to the working directory (rules of Codex 0.118)."""

from __future__ import annotations

import asyncio
import errno
import posixpath
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from codex_hookspecs.environments import is_repository_of
from codex_hookspecs.errors import FilesLost, FileSystemError

if TYPE_CHECKING:
    from codex_hookspecs.environments import FileSystem

NAMES = ("AGENTS.override.md", "AGENTS.md")
MAX_BYTES = 32 * 1024
_REPOSITORY = ".git"
MARKERS = (_REPOSITORY,)
SEPARATOR = "\n\n--- project-doc ---\n\n"

_END = "</INSTRUCTIONS>"
_ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, None)


class ProjectDocSettings:
    """Settings for project instruction files.

    :param max_bytes: maximum size of all files together; 0 disables them.
    :param markers: names whose presence makes a directory the project's root.
    :param names: file names; the first that exists in a directory is used.
    """

    __slots__ = ("markers", "max_bytes", "names")

    def __init__(
        self, max_bytes: int = MAX_BYTES, markers: tuple[str, ...] = MARKERS, names: tuple[str, ...] = NAMES
    ) -> None:
        self.max_bytes = max_bytes
        self.markers = markers
        self.names = names

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> ProjectDocSettings:
        """Read the settings from a configuration table; values of the wrong type are ignored."""
        size = config.get("project_doc_max_bytes")
        markers = _string_list(config.get("project_root_markers"))
        fallbacks = _string_list(config.get("project_doc_fallback_filenames")) or ()
        return cls(
            size if type(size) is int and size >= 0 else MAX_BYTES,
            MARKERS if markers is None else markers,
            NAMES + tuple(name for name in fallbacks if name and name not in NAMES),
        )


async def find_docs(
    files: FileSystem,
    cwd: str,
    settings: ProjectDocSettings,
    restrict: Callable[[Sequence[str]], Awaitable[FileSystem]] | None = None,
) -> tuple[list[str], list[FileSystemError]]:
    """Find and read the instruction files of a directory.

    :param files: file system of the machine that has the directory.
    :param cwd: absolute path.
    :param restrict: returns a file system restricted to what the model may read, including the given directories.
    :return: their texts, the root's first, truncated to the maximum size; and the errors of unreadable ones.
    """
    if settings.max_bytes == 0:
        return [], []
    folders = await _folders(files, cwd, settings.markers)
    if restrict is not None:
        files = await restrict(folders)
    found = await _gather(_read_doc(files, folder, settings) for folder in folders)
    texts = decode_within_budget([doc for doc in found if isinstance(doc, bytes)], settings.max_bytes)
    return texts, [doc for doc in found if isinstance(doc, FileSystemError)]


def decode_within_budget(docs: Sequence[bytes], max_bytes: int) -> list[str]:
    """Return the texts of the files that are not blank; the last one is truncated at the maximum size."""
    texts = []
    left = max_bytes
    for doc in docs:
        text = _text(doc[:left], cut=len(doc) > left)
        if text.strip():
            texts.append(text)
            left -= min(len(doc), left)
        if not left:
            break
    return texts


def join_docs(home: str, project: Sequence[str]) -> str:
    """Join the user's own and the project's instructions; the result is empty when there are none.

    Closing tags in the project's text are escaped, so that it can't end the block that contains it.
    """
    body = "\n\n".join(project)
    if _END.casefold() in body.casefold():
        import re

        body = re.sub(r"<(/INSTRUCTIONS)>", r"&lt;\1&gt;", body, flags=re.IGNORECASE)
    return SEPARATOR.join(part for part in (home, body) if part)


def agents_md_text(cwd: str, instructions: str) -> str:
    """Return the text of the fragment with instructions."""
    return f"# AGENTS.md instructions for {cwd}\n\n<INSTRUCTIONS>\n{instructions}\n{_END}"


async def _folders(files: FileSystem, cwd: str, markers: Sequence[str]) -> list[str]:
    """Return the directories from the nearest one with a marker down to ``cwd``; only ``cwd`` if there is none."""
    if not markers or await _is_root(files, cwd, markers):
        return [cwd]
    above = _ancestors(cwd)
    marked = await _gather(_is_root(files, folder, markers) for folder in above)
    if True not in marked:
        return [cwd]
    return [*reversed(above[: marked.index(True) + 1]), cwd]


async def _is_root(files: FileSystem, folder: str, markers: Sequence[str]) -> bool:
    for marker in markers:
        path = posixpath.join(folder, marker)
        try:
            if marker == _REPOSITORY:
                if await is_repository_of(path, files):
                    return True
                continue
            await files.metadata(path)
        except FileSystemError:
            continue
        return True
    return False


async def _read_doc(files: FileSystem, folder: str, settings: ProjectDocSettings) -> bytes | FileSystemError | None:
    for name in settings.names:
        try:
            return await files.read_file(posixpath.join(folder, name), limit=settings.max_bytes + 1)
        except FileSystemError as error:
            if error.errno not in _ABSENT or isinstance(error, FilesLost):
                return error
    return None


async def _gather(waits: Any) -> list[Any]:
    """Await all concurrently, since each takes a round trip on a remote machine."""
    pending = list(waits)
    return [await pending[0]] if len(pending) == 1 else list(await asyncio.gather(*pending))


def _ancestors(path: str) -> list[str]:
    """Return the directories above a path, nearest first."""
    found = []
    while (parent := posixpath.dirname(path)) != path:
        found.append(parent)
        path = parent
    return found


def _text(data: bytes, *, cut: bool) -> str:
    text = data.decode("utf-8", "replace")
    return text.rstrip("\ufffd") if cut else text


def _string_list(value: Any) -> tuple[str, ...] | None:
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        return None
    return tuple(value)
