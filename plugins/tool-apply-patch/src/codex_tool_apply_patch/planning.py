"""Work out, without changing anything, what a patch would do to the files of an environment."""

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
from codex_tool_apply_patch.updates import updated

if TYPE_CHECKING:
    from codex_hookspecs.environments import FileSystem

LARGEST_FILE = 64 * 1024 * 1024
"""Bytes of a file that a patch may touch; more would be held in memory several times over."""

_LINE = 40
"""Bytes that a line of a patch is taken for, to tell how much work it is."""
_MISSING = "No such file or directory (os error 2)"
_DIRECTORY = "Is a directory (os error 21)"


@frozen(kw_only=True)
class Change:
    """What one operation does, as people are shown it.

    :param path: absolute path of the file before.
    :param before: content before, ``None`` when there was no file or it was not looked at.
    :param after: content after, ``None`` when the file goes away.
    :param moved_to: absolute path of the file after, when it moves.
    """

    path: str
    kind: str
    before: bytes | None
    after: bytes | None
    moved_to: str | None = None


@define(kw_only=True)
class FileStep:
    """The whole effect of a patch on one path.

    :param shown: the path as the patch spells it.
    :param before: content to go back to, ``None`` for no file.
    :param after: content wanted, ``None`` for no file.
    :param mode_from: a file whose permissions a new one takes over.
    :param blocked: something stands there that is no readable file, so it can't be written and put back.
    """

    path: str
    shown: str
    before: bytes | None
    after: bytes | None
    moved: bool = False
    mode_from: str | None = None
    blocked: bool = False


@frozen
class Plan:
    """Everything that applying a patch will do.

    :param steps: in the order in which they can be done.
    :param changes: one for each file, sorted by path.
    :param summary: what the model is told afterwards.
    """

    steps: tuple[FileStep, ...]
    changes: tuple[Change, ...]
    summary: str

    @property
    def size(self) -> int:
        """Bytes of all files before and after."""
        return sum(len(step.before or b"") + len(step.after or b"") for step in self.steps)


async def plan_patch(patch: Patch, files: FileSystem, cwd: str, *, windows: bool = False) -> Plan:
    """Return what a patch does to the files as they are now; later operations see what earlier ones did.

    :param cwd: absolute directory that relative paths start from.
    :raises PatchError: when it does not fit.
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
    told: dict[str, list[str]] = field(factory=lambda: {"A": [], "M": [], "D": []})

    def absolute(self, path: str) -> str:
        """Return the path as an absolute one without ``.`` and ``..``."""
        return str(self.paths.normpath(self.paths.join(self.cwd, path)))

    async def add(self, operation: Operation) -> None:
        """Take one more operation into the plan."""
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
        told = "".join(f"{letter} {path}\n" for letter, paths in self.told.items() for path in paths)
        changes = tuple(self.changes[path] for path in sorted(self.changes))
        return Plan(self._ordered(), changes, f"Success. Updated the following files:\n{told}")

    def _ordered(self) -> tuple[FileStep, ...]:
        """Return the steps, what is removed last: it is the hardest to put back.

        A file that makes room for a directory goes when its turn comes.
        """
        steps = tuple(self.steps.values())
        removed = {step.path for step in steps if step.after is None}
        if any(step.after is not None and self._lies_in_one(step.path, removed) for step in steps):
            return steps
        return tuple(sorted(steps, key=lambda step: step.after is None))

    def _lies_in_one(self, path: str, places: set[str]) -> bool:
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
        self.told["A"].append(operation.path)

    async def _delete_file(self, operation: DeleteFile) -> None:
        path = self.absolute(operation.path)
        step = await self._step(path, operation.path, f"Failed to read {path}")
        before, step.after = step.after, None
        self.steps[path] = step
        if step.before is None:
            self.changes.pop(path, None)  # added by this patch, so nothing goes away
        else:
            self.changes[path] = Change(path=path, kind="delete", before=before, after=None)
        self.told["D"].append(operation.path)

    async def _update_file(self, operation: UpdateFile) -> None:
        path = self.absolute(operation.path)
        context = f"Failed to read file to update {path}"
        step = await self._step(path, operation.path, context)
        before = step.after or b""
        lines = sum(len(chunk.lines) for chunk in operation.chunks)
        after = await run(len(before) + lines * _LINE, _updated_bytes, before, operation, path, context)
        target = self.absolute(operation.move_to) if operation.move_to is not None else path
        if target == path:
            step.after = after
            self.steps[path] = step
        else:
            await self._move(step, target, operation.move_to or "", after)
        self._note_update(path, target, before, after)
        self.told["M"].append(operation.path if target == path else operation.move_to or "")

    def _note_update(self, path: str, target: str, before: bytes, after: bytes) -> None:
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
            return FileStep(path=path, shown=shown, before=content, after=content)
        if step.after is None:
            raise PatchError(f"{context}: {_MISSING}")
        return step

    async def _existing_or_new(self, path: str, shown: str) -> FileStep:
        try:
            content = await self._read(path)
        except FilesLost:
            raise
        except FileSystemError:
            return FileStep(path=path, shown=shown, before=None, after=None, blocked=await self._exists(path))
        return FileStep(path=path, shown=shown, before=content, after=content)

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
        content = await self.files.read_file(path, limit=LARGEST_FILE + 1)
        if len(content) > LARGEST_FILE:
            raise PatchError(f"{path} is larger than {LARGEST_FILE // 1024 // 1024} MiB, too large to patch")
        return content


def _updated_bytes(before: bytes, operation: UpdateFile, path: str, context: str) -> bytes:
    try:
        content = before.decode()
    except UnicodeDecodeError as error:
        raise PatchError(f"{context}: stream did not contain valid UTF-8") from error
    return updated(content, operation.chunks, path).encode()
