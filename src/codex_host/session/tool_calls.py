"""Run the tool calls of one response, with the hooks before and after each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from codex_hookspecs.errors import CodexError, HookSpecError, ToolError, ToolRejected, WireError
from codex_hookspecs.json_text import TooDeep, parse_json
from codex_hookspecs.types.tools import ToolOutput
from codex_hookspecs.values import frozen
from codex_host.plugins.failures import text_for_model
from codex_host.plugins.signatures import InvalidResult
from codex_host.plugins.tasks import run_task
from codex_host.session.hook_payloads import (
    denial_text,
    dynamic_tool_call,
    hook_payload,
    to_hook_fields,
    with_new_input,
)
from codex_host.session.response_items import OutputBudget, call_output, message
from codex_host.session.tool_context import CallContext
from codex_host.session.turn_state import TurnInterrupted

if TYPE_CHECKING:
    from codex_hookspecs.types.json import JsonObject
    from codex_hookspecs.types.lifecycle import PreToolUseVerdict
    from codex_hookspecs.types.tools import HookPayload, Tool, ToolCall
    from codex_host.plugins.places import Places
    from codex_host.session.turn_state import TurnState

CLEAN_UP = 10.0
"""Seconds that a cancelled tool has for cleanup before it is abandoned."""


@frozen
class CallAnswer:
    """The answer to one call for the model: contexts of hooks, then the output."""

    contexts: tuple[str, ...]
    output: ToolOutput


async def run_calls(turn: TurnState, calls: Sequence[ToolCall]) -> None:
    """Run calls, parallel tools concurrently, and append the outputs in the order of the calls.

    :raises TurnInterrupted: when a client's answer cancelled the turn.
    """
    answers: list[CallAnswer | None] = [None] * len(calls)
    recorded = 0
    lock = asyncio.Lock()

    async def answer(index: int) -> None:
        nonlocal recorded
        answers[index] = await _answer(turn, calls[index])
        async with lock:
            while recorded < len(calls) and (ready := answers[recorded]) is not None:
                await _record(turn, calls[recorded], ready)
                recorded += 1

    for batch in _batches(turn, calls):
        if len(batch) == 1:
            await answer(batch[0])
            continue
        try:
            async with asyncio.TaskGroup() as group:
                for index in batch:
                    group.create_task(answer(index))
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from failures


def _batches(turn: TurnState, calls: Sequence[ToolCall]) -> list[list[int]]:
    """Group adjacent calls of parallel tools."""
    batches: list[list[int]] = []
    open_batch = False
    for index, call in enumerate(calls):
        tool = turn.thread.tools.get(call.name)
        parallel = tool is not None and tool.parallel
        if parallel and open_batch:
            batches[-1].append(index)
        else:
            batches.append([index])
        open_batch = parallel
    return batches


async def _record(turn: TurnState, call: ToolCall, answered: CallAnswer) -> None:
    budget = OutputBudget(turn.model_info, turn.thread.config.get("tool_output_token_limit"))
    items: list[JsonObject] = [message("developer", text) for text in answered.contexts]
    await turn.thread.remember(turn.id, *items, call_output(call, answered.output, budget))


async def _answer(turn: TurnState, call: ToolCall) -> CallAnswer:
    tool = turn.thread.tools.get(call.name)
    if tool is None:
        kind = "custom tool call" if call.kind == "custom" else "call"
        return CallAnswer((), ToolOutput(f"unsupported {kind}: {call.name}", success=False))
    contexts: tuple[str, ...] = ()
    payload = None
    try:
        _refuse_deep(call)
        payload = hook_payload(tool, call)
        if payload is not None and turn.thread.hooks.pre_tool_use.enabled(turn.thread):
            verdict = await _before(turn, call, payload)
            contexts = verdict.contexts
            refusal = verdict.deny_reason if verdict.deny_reason is not None else verdict.stop_reason
            if refusal is not None:
                raise _denied(payload, refusal)
            if verdict.updated_input is not None:
                call = with_new_input(tool, call, verdict.updated_input)
                payload = hook_payload(tool, call)
            if verdict.ask_reason is not None and payload is not None:
                await _confirm(turn, call, payload, verdict.ask_reason)
    except ToolRejected as error:
        return CallAnswer(contexts, await _refused(turn, call, payload, error))
    except ToolError as error:
        return CallAnswer(contexts, ToolOutput(str(error), success=False))
    output, failed = await _run_tool(turn, tool, call)
    if output.finishes is not None and (tool := turn.thread.tools.get(output.finishes.name)) is not None:
        call = output.finishes
        payload = hook_payload(tool, call)
    if payload is None or failed or output.unfinished or not turn.thread.hooks.post_tool_use.enabled(turn.thread):
        return CallAnswer(contexts, output)
    return await _after(turn, call, payload, output, contexts)


def _refuse_deep(call: ToolCall) -> None:
    """Reject arguments nested too deeply for recursive processing by hooks and tools.

    :raises ToolError: when they are; other errors are left to the tool.
    """
    if call.kind == "custom":
        return
    try:
        parse_json(call.arguments)
    except TooDeep as error:
        raise ToolError(f"failed to parse function arguments: {error}") from error
    except ValueError:
        return


async def _run_tool(turn: TurnState, tool: Tool, call: ToolCall) -> tuple[ToolOutput, bool]:
    """Run one tool; return its output, and whether it failed.

    :raises TurnInterrupted: when a client's answer cancelled the turn.
    """
    context = CallContext(turn, call)
    started = time.monotonic()
    if not tool.emits_own_items:
        await context.start_item(dynamic_tool_call(call))
    failed = False

    async def left_behind(places: Places) -> None:
        owner = turn.thread.tools.owners.get(call.name, "")
        await turn.thread.warn(turn.thread.failures.report_left_behind(f"tool {call.name}", owner, places, tool.run))

    try:
        output = await run_task(tool.run, call, context, grace=CLEAN_UP, on_left_behind=left_behind)
        if not isinstance(output, ToolOutput):
            raise InvalidResult(f"returned {type(output).__name__}, not ToolOutput")
    except Exception as error:
        output, failed = await _failure(turn, tool, call, error, declined=context.declined), True
    if not tool.emits_own_items:
        await context.complete_item(dynamic_tool_call(call, output, int((time.monotonic() - started) * 1000)))
    return output, failed


async def _failure(turn: TurnState, tool: Tool, call: ToolCall, error: Exception, *, declined: bool) -> ToolOutput:
    """Return the output for the model of a tool that raised an error.

    :param declined: whether clients got an item with the status declined.
    """
    if isinstance(error, ToolRejected):
        return await _refused(turn, call, hook_payload(tool, call), error, declined=declined)
    if isinstance(error, CodexError) and not _is_fault(error):
        return ToolOutput(str(error), success=False)
    owner = turn.thread.tools.owners.get(call.name, "")
    await turn.thread.warn(turn.thread.failures.report(f"tool {call.name}", owner, error, tool.run))
    return ToolOutput(f"tool {call.name} {text_for_model(error)}", success=False)


def _is_fault(error: CodexError) -> bool:
    """Return whether an error of the contracts tells of a mistake in a tool, not of what became of a request."""
    return isinstance(error, WireError | HookSpecError) or type(error) is CodexError


async def _refused(
    turn: TurnState, call: ToolCall, payload: HookPayload | None, error: ToolRejected, *, declined: bool = False
) -> ToolOutput:
    """Report a refused call to the user and return the output for the model.

    :param declined: whether clients got an item with the status declined, so that no warning is needed.
    :raises TurnInterrupted: when a client's answer cancelled the turn.
    """
    if not declined or turn.thread.clients.request_handler is None:
        from codex_host.session.refusals import report_refusal

        await report_refusal(turn, call, payload, error)
    if error.kind == "aborted":
        raise TurnInterrupted from error
    return ToolOutput(str(error), success=False)


def _denied(payload: HookPayload, reason: str) -> ToolRejected:
    """Return the refusal of a hook."""
    return ToolRejected(denial_text(payload, reason), kind="denied", reason=reason)


async def _before(turn: TurnState, call: ToolCall, payload: HookPayload) -> PreToolUseVerdict:
    from codex_hookspecs.types.lifecycle import PreToolUseEvent

    event = PreToolUseEvent(
        **turn.event_fields(),
        **to_hook_fields(payload, turn.settings.cwd),
        tool_use_id=call.call_id,
    )
    return await turn.thread.hooks.pre_tool_use(event, turn.scope())


async def _confirm(turn: TurnState, call: ToolCall, payload: HookPayload, reason: str) -> None:
    """Ask the user to approve a call that a hook asks about.

    :raises ToolRejected: when the user declines, or no client can be asked.
    """
    if not turn.settings.may_ask("rules") or turn.thread.clients.request_handler is None:
        raise _denied(payload, reason)
    from codex_host.approvals.approvals import Approvals

    await Approvals(turn).confirm(call, payload, reason=reason)


async def _after(
    turn: TurnState, call: ToolCall, payload: HookPayload, output: ToolOutput, contexts: tuple[str, ...]
) -> CallAnswer:
    from codex_hookspecs.types.lifecycle import PostToolUseEvent

    event = PostToolUseEvent(
        **turn.event_fields(),
        **to_hook_fields(payload, turn.settings.cwd),
        tool_response=output.text if output.hook_response is None else output.hook_response,
        tool_use_id=call.call_id,
    )
    verdict = await turn.thread.hooks.post_tool_use(event, turn.scope())
    replaced = "\n\n".join(verdict.feedback) if verdict.feedback else verdict.stop_reason
    if replaced is not None:
        output = ToolOutput(replaced, success=output.success)
    return CallAnswer(contexts + verdict.contexts, output)
