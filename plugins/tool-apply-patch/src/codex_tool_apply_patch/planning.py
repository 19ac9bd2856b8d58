"""Plan the changes of a patch to the files of an environment, without changing any."""

from __future__ import annotations

import ntpath
import posixpath
from asyncio import sleep
from types import ModuleType
from typing import TYPE_CHECKING

from attrs import define, field

from codex_hookspecs import frozen
from codex_hookspecs.errors import FilesLost, FileSystemError
from codex_tool_apply_patch.background import run
from codex_tool_apply_patch.grammar import AddFile, DeleteFile, Operation, Patch, PatchError, UpdateFile
from codex_tool_apply_patch.updates import apply_chunks

if TYPE_CHECKING:
    from codex_hookspecs.environments import FileSystem

MAX_FILE_BYTES = 64 * 1024 * 1024
"""Maximum size of a patched file; several copies of it are held in memory."""

_LINE = 40
"""Estimated bytes of a patch line, for estimating the amount of work."""
_MISSING = "No such file or directory (os error 2)"
_DIRECTORY = "Is a directory (os error 21)"


@frozen(kw_only=True)
class Change:
    """The change to a file, as clients see it.

    :param path: absolute path of the file before the change.
    :param before: content before, ``None`` when there was no file or it was not read.
    :param after: content after, ``None`` when the file is deleted.
    :param moved_to: absolute path after a move, or ``None``.
    """

    path: str
    kind: str
    before: bytes | None
    after: bytes | None
    moved_to: str | None = None


@define(kw_only=True)
class FileStep:
    """The effect of a patch on one path.

    :param display_path: the path as written in the patch.
    :param before: content to restore on failure, ``None`` for no file.
    :param after: new content, ``None`` for no file.
    :param moved: whether the file is deleted because it was moved.
    :param mode_from: path of a file whose permissions a new file gets.
    :param blocked: whether the path exists but is not a readable file, so that it could not be restored.
    """

    path: str
    display_path: str
    before: bytes | None
    after: bytes | None
    moved: bool = False
    mode_from: str | None = None
    blocked: bool = False


@frozen
class Plan:
    """All changes of a patch.

    :param steps: effects in the order in which they are applied.
    :param changes: one change for each file, sorted by path.
    :param summary: the tool's output for the model.
    """

    steps: tuple[FileStep, ...]
    changes: tuple[Change, ...]
    summary: str

    @property
    def size(self) -> int:
        """Total size in bytes of all files before and after."""
        return sum(len(step.before or b"") + len(step.after or b"") for step in self.steps)


async def plan_patch(patch: Patch, files: FileSystem, cwd: str, *, windows: bool = False) -> Plan:
    """Plan the changes of a patch to the current files; later operations see the effect of earlier ones.

    :param cwd: absolute working directory for relative paths.
    :raises PatchError: when the patch does not match the files.
    """
    planner = _Planner(files, cwd, ntpath if windows else posixpath)
    for operation in patch.operations:
        await planner.add(operation)
        await sleep(0)
    return planner.plan()


@define
class _Planner:
    files: FileSystem
    cwd: str
    paths: ModuleType
    steps: dict[str, FileStep] = field(factory=dict)
    changes: dict[str, Change] = field(factory=dict)
    reported: dict[str, list[str]] = field(factory=lambda: {"A": [], "M": [], "D": []})

    def absolute(self, path: str) -> str:
        """Return the normalized absolute path."""
        return str(self.paths.normpath(self.paths.join(self.cwd, path)))

    async def add(self, operation: Operation) -> None:
        """Add an operation to the plan."""
        if "\0" in operation.path:
            raise PatchError(f"invalid patch: path {operation.path!r} contains a NUL character")
        if isinstance(operation, AddFile):
            await self._add_file(operation)
        elif isinstance(operation, DeleteFile):
            await self._delete_file(operation)
        else:
            await self._update_file(operation)

    def plan(self) -> Plan:
        """Return the finished plan."""
        report = "".join(f"{letter} {path}\n" for letter, paths in self.reported.items() for path in paths)
        changes = tuple(self.changes[path] for path in sorted(self.changes))
        return Plan(self._order_steps(), changes, f"Success. Updated the following files:\n{report}")

    def _order_steps(self) -> tuple[FileStep, ...]:
        """Return the steps with removals last, because they are the hardest to undo.

        When a directory replaces a removed file, the order of the patch is kept.
        """
        steps = tuple(self.steps.values())
        removed = {step.path for step in steps if step.after is None}
        if any(step.after is not None and self._is_below_any(step.path, removed) for step in steps):
            return steps
        return tuple(sorted(steps, key=lambda step: step.after is None))

    def _is_below_any(self, path: str, places: set[str]) -> bool:
        while (parent := self.paths.dirname(path)) != path:
            if parent in places:
                return True
            path = parent
        return False

    async def _add_file(self, operation: AddFile) -> None:
        path = self.absolute(operation.path)
        step = self.steps.get(path) or await self._existing_or_new(path, operation.path)
        before, step.after = step.after, operation.content.encode()
        self.steps[path] = step
        self.changes[path] = Change(path=path, kind="add", before=before, after=step.after)
        self.reported["A"].append(operation.path)

    async def _delete_file(self, operation: DeleteFile) -> None:
        path = self.absolute(operation.path)
        step = await self._step(path, operation.path, f"Failed to read {path}")
        before, step.after = step.after, None
        self.steps[path] = step
        if step.before is None:
            self.changes.pop(path, None)  # added by this patch, so nothing is deleted
        else:
            self.changes[path] = Change(path=path, kind="delete", before=before, after=None)
        self.reported["D"].append(operation.path)

    async def _update_file(self, operation: UpdateFile) -> None:
        path = self.absolute(operation.path)
        context = f"Failed to read file to update {path}"
        step = await self._step(path, operation.path, context)
        before = step.after or b""
        lines = sum(len(chunk.lines) for chunk in operation.chunks)
        after = await run(len(before) + lines * _LINE, _apply_to_bytes, before, operation, path, context)
        target = self.absolute(operation.move_to) if operation.move_to is not None else path
        if target == path:
            step.after = after
            self.steps[path] = step
        else:
            await self._move(step, target, operation.move_to or "", after)
        self._record_update(path, target, before, after)
        self.reported["M"].append(operation.path if target == path else operation.move_to or "")

    def _record_update(self, path: str, target: str, before: bytes, after: bytes) -> None:
        earlier = self.changes.get(path)
        if target != path:
            change = Change(path=path, kind="update", before=before, after=after, moved_to=target)
        elif earlier is not None and earlier.kind != "delete":
            change = Change(path=path, kind=earlier.kind, before=earlier.before, after=after)
        else:
            change = Change(path=path, kind="update", before=before, after=after)
        self.changes[path] = change

    async def _move(self, step: FileStep, target: str, shown: str, after: bytes) -> None:
        destination = self.steps.get(target) or await self._existing_or_new(target, shown)
        destination.after = after
        if destination.before is None and step.before is not None:
            destination.mode_from = step.path
        step.after, step.moved = None, True
        self.steps[target] = destination
        self.steps.pop(step.path, None)
        self.steps[step.path] = step  # after its destination, which may take over its permissions

    async def _step(self, path: str, shown: str, context: str) -> FileStep:
        """Return the step of a file that must exist at this point of the patch."""
        step = self.steps.get(path)
        if step is None:
            try:
                content = await self._read(path)
            except FilesLost as error:
                raise PatchError(f"{context}: {error}") from error
            except FileSystemError as error:
                reason = _DIRECTORY if await self._is_directory(path) else str(error)
                raise PatchError(f"{context}: {reason}") from error
            return FileStep(path=path, display_path=shown, before=content, after=content)
        if step.after is None:
            raise PatchError(f"{context}: {_MISSING}")
        return step

    async def _existing_or_new(self, path: str, shown: str) -> FileStep:
        try:
            content = await self._read(path)
        except FilesLost:
            raise
        except FileSystemError:
            return FileStep(path=path, display_path=shown, before=None, after=None, blocked=await self._exists(path))
        return FileStep(path=path, display_path=shown, before=content, after=content)

    async def _exists(self, path: str) -> bool:
        try:
            await self.files.metadata(path)
        except FileSystemError:
            return False
        return True

    async def _is_directory(self, path: str) -> bool:
        try:
            return (await self.files.metadata(path)).is_directory
        except FileSystemError:
            return False

    async def _read(self, path: str) -> bytes:
        content = await self.files.read_file(path, limit=MAX_FILE_BYTES + 1)
        if len(content) > MAX_FILE_BYTES:
            raise PatchError(f"{path} is larger than {MAX_FILE_BYTES // 1024 // 1024} MiB, too large to patch")
        return content


def _apply_to_bytes(before: bytes, operation: UpdateFile, path: str, context: str) -> bytes:
    try:
        content = before.decode()
    except UnicodeDecodeError as error:
        raise PatchError(f"{context}: stream did not contain valid UTF-8") from error
    return apply_chunks(content, operation.chunks, path).encode()
