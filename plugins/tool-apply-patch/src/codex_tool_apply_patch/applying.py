"""Apply a plan atomically: all of its files are changed, or none."""

from __future__ import annotations

import ntpath
import posixpath
from asyncio import sleep
from typing import TYPE_CHECKING

from codex_hookspecs.errors import FilesLost, FileSystemError
from codex_tool_apply_patch.grammar import PatchError

if TYPE_CHECKING:
    from codex_hookspecs.environments import FileSystem
    from codex_tool_apply_patch.planning import FileStep, Plan

_UNDO_SECONDS = 30.0


async def apply_plan(plan: Plan, files: FileSystem, *, windows: bool = False) -> None:
    """Change the files; after a failure or a cancellation, changes already made are undone.

    :raises PatchError: when a file can't be changed; names its path.
    """
    steps = [step for step in plan.steps if step.after != step.before]
    for step in plan.steps:
        if step.blocked:
            raise PatchError(f"Failed to write file {step.display_path}")
    done: list[FileStep] = []
    made: list[str] = []
    finished = False
    try:
        for step in steps:
            done.append(step)
            await _apply_step(step, files, made, windows=windows)
            await sleep(0)
        finished = True
    finally:
        if not finished:
            await _undo(done, made, files)


async def _apply_step(step: FileStep, files: FileSystem, made: list[str], *, windows: bool) -> None:
    what = "Failed to remove original" if step.moved else "Failed to delete file"
    try:
        if step.after is None:
            await files.remove(step.path, recursive=False, force=False)
            return
        if step.before is None:
            what = "Failed to create parent directories for"
            await _make_parents(step.path, files, made, windows=windows)
            what = "Failed to write file"
            await files.remove(step.path, recursive=False, force=True)  # a dangling symlink would be followed
        what = "Failed to write file"
        if step.mode_from is not None:
            await files.copy(step.mode_from, step.path)
        await files.write_file(step.path, step.after)
    except FilesLost as error:
        raise PatchError(f"{what} {step.display_path}: {error}") from error
    except FileSystemError as error:
        raise PatchError(f"{what} {step.display_path}") from error


async def _make_parents(path: str, files: FileSystem, made: list[str], *, windows: bool) -> None:
    """Create missing parent directories, adding each to ``made``."""
    dirname = (ntpath if windows else posixpath).dirname
    missing: list[str] = []
    parent = dirname(path)
    while parent != dirname(parent) and not await _is_directory(parent, files):
        missing.append(parent)
        parent = dirname(parent)
    if missing:
        await files.create_directory(missing[0], recursive=True)
        made.extend(reversed(missing))


async def _is_directory(path: str, files: FileSystem) -> bool:
    try:
        return (await files.metadata(path)).is_directory
    except FilesLost:
        raise
    except FileSystemError:
        return False


async def _undo(done: list[FileStep], made: list[str], files: FileSystem) -> None:
    from anyio import move_on_after  # only after a failure

    with move_on_after(_UNDO_SECONDS, shield=True):
        for step in reversed(done):
            try:
                if step.before is None:
                    await files.remove(step.path, recursive=False, force=True)
                else:
                    await files.write_file(step.path, step.before)
            except FilesLost:
                return
            except FileSystemError:
                continue  # usually the path that failed in the first place; the others are still undone
        for directory in reversed(made):
            try:
                await files.remove(directory, recursive=False, force=True)
            except FilesLost:
                return
            except FileSystemError:
                continue
