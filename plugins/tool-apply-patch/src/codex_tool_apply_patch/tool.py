"""Run calls of ``apply_patch`` in the thread's environment."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from attrs import define

from codex_hookspecs.environments import repository_root
from codex_hookspecs.errors import ToolError, ToolRejected
from codex_hookspecs.protocol import FileChange, FileChangeOutputDelta, FileUpdateChange, TurnDiffUpdated
from codex_hookspecs.tools import PatchRequest, ToolCall, ToolOutput
from codex_sandboxing.file_scope import scope_of
from codex_tool_apply_patch.applying import apply_plan
from codex_tool_apply_patch.background import run
from codex_tool_apply_patch.definition import decode_arguments
from codex_tool_apply_patch.diffs import unified_hunks
from codex_tool_apply_patch.grammar import PatchError, parse_patch
from codex_tool_apply_patch.patched_paths import real_paths
from codex_tool_apply_patch.planning import Change, Plan, plan_patch
from codex_tool_apply_patch.turn_diff import TurnDiff

if TYPE_CHECKING:
    from codex_hookspecs.environments import Environment, FileSystem
    from codex_hookspecs.tools import ToolContext
    from codex_sandboxing.file_scope import PolicyFileScope

_ITEM_CONTEXT = 1

Changes = tuple[FileUpdateChange, ...]


@define
class PatchRunner:
    """Applies the patches of a thread and tracks the net diff of each turn."""

    _turn: TurnDiff | None = None

    async def run(self, call: ToolCall, context: ToolContext) -> ToolOutput:
        """Apply a patch.

        :raises ToolError: when the patch is invalid, does not match the files, or is not approved; nothing is changed.
        """
        text, workdir = decode_arguments(call)
        environment = await context.environment()
        windows = (await environment.facts()).os == "windows"
        scope = await scope_of(environment, context.settings)
        plan = await _plan(text, workdir, context, environment, scope, windows=windows)
        changes = await run(plan.size, _changes, plan)
        paths = await real_paths(plan, environment.files, windows=windows)
        scope = await _approve(call, changes, paths, context, scope)
        started = time.monotonic()
        try:
            await apply_plan(plan, environment.files.within(scope), windows=windows)
        except PatchError as error:
            return await _finish(call, changes, context, f"{error}\n", started, success=False)
        output = await _finish(call, changes, context, plan.summary, started, success=True)
        await self._emit_turn_diff(plan, context, environment.files)
        return output

    async def _emit_turn_diff(self, plan: Plan, context: ToolContext, files: FileSystem) -> None:
        if self._turn is None or self._turn.turn_id != context.turn_id:
            self._turn = TurnDiff(context.turn_id, await repository_root(context.settings.cwd, files))
        self._turn.record(plan)
        diff = await run(self._turn.changed, self._turn.text)
        await context.emit(TurnDiffUpdated(thread_id=context.thread.id, turn_id=context.turn_id, diff=diff))


async def _plan(
    text: str,
    workdir: str | None,
    context: ToolContext,
    environment: Environment,
    scope: PolicyFileScope,
    *,
    windows: bool,
) -> Plan:
    import ntpath
    import posixpath

    cwd = context.settings.cwd
    if workdir is not None:
        cwd = (ntpath if windows else posixpath).join(cwd, workdir)
    try:
        patch = await run(len(text), parse_patch, text)
        if patch.environment not in (None, environment.id):
            raise PatchError(f"environment `{patch.environment}` is not the thread's, which is `{environment.id}`")
        plan = await plan_patch(patch, environment.files.within(scope), cwd, windows=windows)
    except PatchError as error:
        raise ToolError(f"apply_patch verification failed: {error}") from error
    if not patch.operations:
        raise ToolError("patch rejected: empty patch")
    return plan


async def _approve(
    call: ToolCall, changes: Changes, paths: tuple[str, ...], context: ToolContext, scope: PolicyFileScope
) -> PolicyFileScope:
    """Request an approval for a patch; its item is started unless a policy forbids the patch outright.

    :param paths: paths that the patch changes, symlinks resolved.
    :return: the scope in which files may be changed.
    """
    outside = tuple(path for path in paths if not scope.may_write(path))
    request = PatchRequest(item=_item(call, changes, "inProgress"), paths=paths, outside=outside)
    try:
        approval = await context.approve_patch(call, request)
    except ToolRejected as error:
        if error.kind != "forbidden":
            await context.complete_item(_item(call, changes, "declined"))
        raise
    return scope._replace(approved=approval.beyond)


async def _finish(
    call: ToolCall, changes: Changes, context: ToolContext, text: str, started: float, *, success: bool
) -> ToolOutput:
    seconds = round(time.monotonic() - started, 1)
    await context.emit(
        FileChangeOutputDelta(thread_id=context.thread.id, turn_id=context.turn_id, item_id=call.call_id, delta=text)
    )
    await context.complete_item(_item(call, changes, "completed" if success else "failed"))
    report = f"Exit code: {0 if success else 1}\nWall time: {seconds:g} seconds\nOutput:\n{text}"
    return ToolOutput(report, success)


def _changes(plan: Plan) -> Changes:
    return tuple(FileUpdateChange(change.path, _kind(change), diff=_diff(change)) for change in plan.changes)


def _item(call: ToolCall, changes: Changes, status: str) -> FileChange:
    return FileChange(id=call.call_id, changes=changes, status=status)  # type: ignore[arg-type]


def _kind(change: Change) -> dict[str, str | None]:
    if change.kind == "update":
        return {"type": "update", "move_path": change.moved_to}
    return {"type": change.kind}


def _diff(change: Change) -> str:
    if change.kind == "add":
        return _text(change.after)
    if change.kind == "delete":
        return _text(change.before)
    diff = unified_hunks(_text(change.before), _text(change.after), _ITEM_CONTEXT)
    return diff if change.moved_to is None else f"{diff}\n\nMoved to: {change.moved_to}"


def _text(content: bytes | None) -> str:
    return (content or b"").decode(errors="replace")
